import type { WorkflowHandle } from '@temporalio/client';
import { parameterize } from '../../domain/parameterize.ts';
import { pairOf } from '../../sandbox/seed.ts';
import type { World } from '../../sandbox/world.ts';
import type { Fate } from './fate.ts';
import type { Pair } from './ground.ts';
import type { Sent, Standing } from './people.ts';
import type { Entry, Register } from './register.ts';

/** What a run is judged by: the stand-ins' own record, and what people sent and saw. */
export interface Seen {
  /** In the order they ended; a pair that was rotated twice is there twice. */
  rotations: { pair: Pair; handle: Pick<WorkflowHandle, 'workflowId'>; standing: Standing }[];
  sent: readonly Sent[];
  register: Pick<Register, 'issued' | 'revoked' | 'copiedOver'>;
  world: World;
  met: readonly string[];
  /** Failed workflow tasks and workflows. */
  troubles: readonly string[];
  secretsFound: readonly string[];
}

type Rule = (fate: Fate, seen: Seen) => string[];

/** What may never be, whatever happens: each rule names every case where it was. */
const RULES: Record<string, Rule> = {
  'an outage': outages,
  'a revoke without approval': unapproved,
  'a revoke of a held token': heldTokens,
  'a foreign pair touched': foreign,
  'too many new tokens': tooMany,
  'a token nobody knows of': unknown,
  'an untrue report': untrue,
  'neither ended nor waiting': stuck,
  'a locked account': locked,
  'a defect of the worker': defects,
  'a secret in the open': (_fate, { secretsFound }) => [...secretsFound],
};

/** Everything that went wrong, one sentence each; nothing where all promises held. */
export function judge(fate: Fate, seen: Seen): string[] {
  return Object.entries(RULES).flatMap(([what, rule]) => rule(fate, seen).map((case_) => `${what}: ${case_}`));
}

/** No call of a running pod is refused, but with tokens that the campaign itself ended or that expired. */
function outages(_fate: Fate, { world, register, met }: Seen): string[] {
  const ended = new Set([
    ...register.revoked.filter(({ byHand }) => byHand).map(({ id }) => id),
    ...world.state.authorisations.filter(({ expiresAt }) => expiresAt <= world.now()).map(({ id }) => id),
    ...register.copiedOver,
  ]);
  const mayBeGone = met.some((what) => /ended tokens are deleted|a token is copied over/.test(what));
  const excused = (id: number | undefined): boolean => (id === undefined ? mayBeGone : ended.has(id));
  const refused = world.happened.outages.filter(({ authorisation }) => !excused(authorisation));
  const howEnded = (id: number | undefined): string => {
    const entry = register.revoked.find((one) => one.id === id);
    return entry ? `revoked ${entry.byHand ? 'by hand' : 'by the worker'}` : 'not revoked';
  };
  return [
    ...new Set(
      refused.map(
        ({ container, pod, authorisation }) => `${container} of ${pod}: ${authorisation}, ${howEnded(authorisation)}`,
      ),
    ),
  ];
}

/** Nothing is revoked without an approval sent before that covers it. */
function unapproved(_fate: Fate, { register, sent, world, rotations }: Seen): string[] {
  return byWorker(register.revoked)
    .filter((entry) => {
      const ids = rotations.filter(({ pair }) => isOf(world, entry, pair)).map(({ handle }) => handle.workflowId);
      return !sent.some(
        ({ workflowId, at, covers }) => ids.includes(workflowId) && at <= entry.at && covers.includes(entry.id),
      );
    })
    .map(({ id }) => `authorisation ${id}`);
}

function heldTokens(_fate: Fate, { register }: Seen): string[] {
  return byWorker(register.revoked)
    .filter(({ heldBy }) => heldBy.length > 0)
    .map(({ id, heldBy }) => `authorisation ${id}, held by ${heldBy.join(', ')}`);
}

function foreign(_fate: Fate, { register, rotations, world }: Seen): string[] {
  return byWorker([...register.issued, ...register.revoked])
    .filter((entry) => !rotations.some(({ pair }) => isOf(world, entry, pair)))
    .map(({ id }) => `authorisation ${id}`);
}

/** One new token per rotation; more only where a create may have been lost or late, or a token was lost by hand. */
function tooMany(fate: Fate, { register, rotations, met, world }: Seen): string[] {
  const lost = met.filter((what) => /^(before|after) create \d+: |is killed/.test(what)).length;
  const again = fate.force ? 2 : 1; // by force, each rotation issues one of its own
  const takenAway = register.revoked.filter(({ byHand }) => byHand).length + register.copiedOver.size;
  return unique(rotations).flatMap((pair) => {
    const issued = byWorker(register.issued).filter((entry) => isOf(world, entry, pair)).length;
    return issued > again + lost + takenAway ? [`${issued} of ${pair.apiUser}, ${lost} may have been lost`] : [];
  });
}

/** Every token that a rotation made and that lives on is in its report, or was looked for in vain and said to be perhaps there. */
function unknown(_fate: Fate, { register, rotations, world }: Seen): string[] {
  return unique(rotations).flatMap((pair) => {
    const standing = rotations.findLast((one) => one.pair === pair)!.standing;
    if (standing.kind !== 'ended' || !standing.report) return [];
    const { report } = standing;
    const reports = rotations.flatMap((one) =>
      one.pair === pair && one.standing.kind === 'ended' && one.standing.report ? [one.standing.report] : [],
    );
    const known = new Set(
      reports.flatMap(({ alive, revoked, newToken }) =>
        [...alive, ...revoked, ...(newToken ? [newToken] : [])].map(({ authorisationId }) => authorisationId),
      ),
    );
    return byWorker(register.issued)
      .filter((entry) => isOf(world, entry, pair) && !known.has(entry.id) && !report.createsLost)
      .filter(({ id }) => !register.revoked.some((ended) => ended.id === id))
      .map(({ id }) => `authorisation ${id} of ${pair.apiUser}`);
  });
}

/** What a report says was revoked was; one that says `rotated` left one live token, which every running container holds. */
function untrue(_fate: Fate, { register, rotations, world, met }: Seen): string[] {
  const meddled = met.some((what) => /: (an engineer|Signon renews|a token is copied)/.test(what));
  return rotations.flatMap(({ pair, standing }) => {
    if (standing.kind !== 'ended' || !standing.report) return [];
    const { outcome, revoked, newToken } = standing.report;
    const lies = revoked
      .filter(({ authorisationId }) => !register.revoked.some(({ id }) => id === authorisationId))
      .map(({ authorisationId }) => `${authorisationId} is said to be revoked`);
    const last = rotations.findLast((one) => one.pair === pair)!.standing === standing;
    if (outcome !== 'rotated' || meddled || !last) return lies;
    const live = liveOf(world, pair);
    if (live.length !== 1 || live[0]!.id !== newToken?.authorisationId)
      lies.push(`rotated to ${newToken?.authorisationId}, and live are ${live.map(({ id }) => id).join(', ')}`);
    return lies;
  });
}

function stuck(_fate: Fate, { rotations }: Seen): string[] {
  return rotations.flatMap(({ pair, standing }) => {
    if (standing.kind === 'at work') return [`${pair.apiUser} → ${pair.application}`];
    return standing.kind === 'none yet' ? [`${pair.apiUser} → ${pair.application} never began`] : [];
  });
}

/** At most three refused sign-ins reach Signon in an hour, and six lock the account. */
function locked(_fate: Fate, { world }: Seen): string[] {
  const refused = world.happened.refusedSignIns.length;
  return [
    ...(world.state.account.lockedUntil > 0 ? ['Signon locked it'] : []),
    ...(refused > 3 ? [`${refused} refused sign-ins`] : []),
  ];
}

function defects(_fate: Fate, { troubles, rotations }: Seen): string[] {
  const unexpected = rotations.flatMap(({ standing }) => {
    if (standing.kind === 'ended' && standing.failure) return [standing.failure];
    if (standing.kind !== 'left waiting' || standing.waiting.kind !== 'blocked') return [];
    return standing.waiting.failure === 'Unexpected' ? [standing.waiting.message] : [];
  });
  return [...troubles, ...unexpected];
}

function byWorker(entries: readonly Entry[]): Entry[] {
  return entries.filter(({ byHand }) => !byHand);
}

function isOf(world: World, entry: Entry, { apiUser, application }: Pair): boolean {
  const { user, server } = pairOf(world, apiUser, parameterize(application));
  return entry.apiUserId === user.id && entry.applicationId === server.id;
}

function liveOf(world: World, { apiUser, application }: Pair): World['state']['authorisations'] {
  const { user, server } = pairOf(world, apiUser, application);
  return world.state.authorisations.filter(
    (token) =>
      token.apiUserId === user.id &&
      token.applicationId === server.id &&
      token.revokedAt === undefined &&
      token.expiresAt > world.now(),
  );
}

function unique(rotations: Seen['rotations']): Pair[] {
  return [...new Set(rotations.map(({ pair }) => pair))];
}
