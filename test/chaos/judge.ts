import { isFailure } from '../../domain/rotation/failures.ts';
import { parameterize, tokenSecretName } from '../../domain/text/parameterize.ts';
import { pairOf } from '../../sandbox/seed.ts';
import type { World } from '../../sandbox/world.ts';
import type { Fate } from './fate.ts';
import type { Pair } from './ground.ts';
import type { Sent, Standing } from './people.ts';
import type { Entry, Register } from './register.ts';

/** What a run is judged by: the stand-ins' own record, and what people sent and saw. */
export interface Seen {
  /** In the order they ended; a pair that was rotated twice is there twice. */
  rotations: {
    pair: Pair;
    runId: string;
    /** When it was first and last looked at, ms since the epoch. */
    begun: number;
    ended: number;
    standing: Standing;
  }[];
  sent: readonly Sent[];
  register: Pick<Register, 'issued' | 'revoked' | 'copiedOver' | 'values'>;
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
  return Object.entries(RULES).flatMap(([what, rule]) =>
    rule(fate, seen).map((case_) => `${what}: ${case_}`),
  );
}

/**
 * No call of a running pod is refused, but with tokens that the campaign itself ended or that
 * expired.
 */
function outages(_fate: Fate, { world, register }: Seen): string[] {
  const ended = new Set([
    ...register.revoked.filter(({ byHand }) => byHand).map(({ id }) => id),
    ...world.state.authorisations
      .filter(({ expiresAt }) => expiresAt <= world.now())
      .map(({ id }) => id),
    ...register.copiedOver,
  ]);
  // A value that Signon does not know any more was one of a token that was deleted or copied over.
  const values = new Map(
    register.values.map(({ token, id, expiresAt }) => [token, { id, expiresAt }]),
  );
  const excused = (value: string): boolean => {
    const token = values.get(value);
    return token !== undefined && (ended.has(token.id) || token.expiresAt <= world.now());
  };
  const refused = world.happened.outages.filter(({ token }) => !excused(token));
  const howEnded = (id: number | undefined): string => {
    const entry = register.revoked.find((one) => one.id === id);
    return entry ? `revoked ${entry.byHand ? 'by hand' : 'by the worker'}` : 'not revoked';
  };
  return [
    ...new Set(
      refused.map(({ container, pod, token }) => {
        const id = values.get(token)?.id;
        return `${container} of ${pod}: ${id}, ${howEnded(id)}`;
      }),
    ),
  ];
}

/** Nothing is revoked without an approval sent before that covers it. */
function unapproved(_fate: Fate, { register, sent, world, rotations }: Seen): string[] {
  return byWorker(register.revoked)
    .filter((entry) => {
      const runs = rotations.filter(({ pair }) => isOf(world, entry, pair));
      return !runs.some(({ runId, begun, ended }) =>
        sent.some(
          (one) =>
            one.runId === runId &&
            begun <= entry.at &&
            entry.at <= ended &&
            one.at <= entry.at &&
            one.covers.includes(entry.id),
        ),
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

/**
 * One new token per rotation; more only where a create may have been lost or late, or a token was
 * lost by hand.
 */
function tooMany(fate: Fate, { register, rotations, met, world }: Seen): string[] {
  const lost = createsLost(met);
  const again = fate.force ? 2 : 1; // by force, each rotation issues one of its own
  return unique(rotations).flatMap((pair) => {
    const takenAway =
      register.revoked.filter((entry) => entry.byHand && isOf(world, entry, pair)).length +
      register.copiedOver.size;
    const issued = byWorker(register.issued).filter((entry) => isOf(world, entry, pair)).length;
    return issued > again + lost + takenAway
      ? [`${issued} of ${pair.apiUser}, ${lost} may have been lost`]
      : [];
  });
}

/**
 * Every token that a rotation made and that lives on is in its report, or was looked for in vain
 * and said to be perhaps there.
 */
function unknown(_fate: Fate, { register, rotations, world, met }: Seen): string[] {
  return unique(rotations).flatMap((pair) => {
    const standing = rotations.findLast((one) => one.pair === pair)!.standing;
    if (standing.kind !== 'ended' || !standing.report) return [];
    const { report } = standing;
    const reports = rotations.flatMap((one) =>
      one.pair === pair && one.standing.kind === 'ended' && one.standing.report
        ? [one.standing.report]
        : [],
    );
    const known = new Set(
      reports.flatMap(({ alive, revoked, newToken }) =>
        [...alive, ...revoked, ...(newToken ? [newToken] : [])].map(
          ({ authorisationId }) => authorisationId,
        ),
      ),
    );
    const strangers = byWorker(register.issued)
      .filter((entry) => isOf(world, entry, pair) && !known.has(entry.id))
      .filter(({ id }) => !register.revoked.some((ended) => ended.id === id));
    // the report says that there may be some
    if (report.createsLost && strangers.length <= createsLost(met)) return [];
    return strangers.map(({ id }) => `authorisation ${id} of ${pair.apiUser}`);
  });
}

/**
 * What a report says was revoked was; one that says `rotated` left one live token, which every
 * running container holds.
 */
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
    const [only] = live;
    if (live.length !== 1 || only!.id !== newToken?.authorisationId)
      lies.push(
        `rotated to ${newToken?.authorisationId}, and live are ${live.map(({ id }) => id).join(', ')}`,
      );
    const others = readersOf(world, pair).filter(({ value }) => value !== only?.token);
    return [...lies, ...others.map(({ who }) => `rotated, and ${who} holds another token`)];
  });
}

function stuck({ started }: Fate, { rotations, register, world }: Seen): string[] {
  return rotations.flatMap(({ pair, standing }) => {
    // A sweep leaves alone what an engineer took the last token of before it looked.
    const taken = register.revoked.some((entry) => entry.byHand && isOf(world, entry, pair));
    if (standing.kind === 'none yet' && started === 'by a sweep' && taken) return [];
    if (standing.kind === 'at work' || standing.kind === 'unknown')
      return [`${pair.apiUser} → ${pair.application}`];
    return standing.kind === 'none yet'
      ? [`${pair.apiUser} → ${pair.application} never began`]
      : [];
  });
}

/** At most three refused sign-ins reach Signon in an hour, and six lock the account. */
function locked(_fate: Fate, { world }: Seen): string[] {
  // One sign-in may send two codes: that of now, and that of the step before.
  const refused = new Set(
    world.happened.refusedSignIns.map(({ signIn }, index) => signIn ?? `password ${index}`),
  ).size;
  return [
    ...(world.state.account.lockedUntil > 0 ? ['Signon locked it'] : []),
    ...(refused > 3 ? [`${refused} refused sign-ins`] : []),
  ];
}

function defects(_fate: Fate, { troubles, rotations }: Seen): string[] {
  const unexpected = rotations.flatMap(({ standing }) => {
    if (standing.kind === 'ended' && standing.failure) return [standing.failure];
    if (standing.kind !== 'left waiting' || standing.waiting.kind !== 'blocked') return [];
    const { failure, message } = standing.waiting;
    return !isFailure(failure) || failure === 'Unexpected' ? [`${failure}: ${message}`] : [];
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

/** Running containers that read a pair's Secret, and what they hold. */
function readersOf(
  { state }: World,
  { apiUser, application }: Pair,
): { who: string; value: string | undefined }[] {
  const secret = tokenSecretName(apiUser.split('@')[0]!, application);
  return state.pods
    .filter(({ running }) => running)
    .flatMap((pod) =>
      pod.containers.flatMap((container) => {
        const spec = state.workloads
          .find(({ name }) => name === pod.workload)
          ?.containers.find(({ name }) => name === container.name);
        return (spec?.tokens ?? [])
          .filter((read) => read.secret === secret)
          .map(({ variable }) => ({
            who: `${container.name} of ${pod.name}`,
            value: container.env[variable],
          }));
      }),
    );
}

/** How many creates may have been lost: struck, or under way when something was killed. */
function createsLost(met: readonly string[]): number {
  return met.filter((what) =>
    /^(before|after) create \d+: |the (worker|Temporal server) is killed/.test(what),
  ).length;
}

function unique(rotations: Seen['rotations']): Pair[] {
  return [...new Set(rotations.map(({ pair }) => pair))];
}
