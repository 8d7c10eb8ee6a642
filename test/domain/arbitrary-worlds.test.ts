import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import ms from 'ms';
import { judgeApproval } from '../../domain/approval.ts';
import type { ClusterLook } from '../../domain/cluster.ts';
import type { Approve } from '../../domain/decisions.ts';
import { evidenceCode, gatherEvidence, othersAlive, type Proof, type SmokeResult } from '../../domain/evidence.ts';
import { planFor } from '../../domain/plan.ts';
import {
  allHold,
  disagreements,
  heldTokens,
  judgeRollout,
  unseenConsumers,
  type Rollout,
} from '../../domain/possession.ts';
import { endOfDay, newestOf, successorOf, withKnownDigest, type ListedToken } from '../../domain/tokens.ts';
import { smokeThatLapsed, voidedBy } from '../../domain/voided.ts';
import { SETTINGS } from '../support/builders.ts';
import { aFate, ALMOST, ASKER, World, type Fate, type Sent, type Truth } from '../support/worlds.ts';

const RUN = '0197a7b2-0000-7000-8000-000000000001';
const PAIR = {
  apiUser: { id: 1, name: 'Short URL Manager', email: 'short-url-manager@alphagov.co.uk', suspended: false },
  application: { id: 2, name: 'Publishing API' },
  secret: 'signon-token-short-url-manager-publishing-api',
};
const POLLS = 4;
const REFUSED = /evidence has changed|not among|given up|not shown|second person/;
const VOIDED = /token appeared|revoked by somebody|new consumer|holds/;

/** What worlds must come to, or the model shows little. */
const ENDS = [
  'rotated',
  'old-token-expired',
  'nothing-to-do',
  'waiting',
  ...['NoConsumers', 'UnlistedToken', 'AccessEnded', 'RolloutIncomplete', 'SmokeFailed', 'NewTokenGone'].map(
    (failure) => `blocked: ${failure}`,
  ),
  ...['evidence has changed', 'not among', 'given up', 'not shown', 'second person'].map((why) => `refused: ${why}`),
  ...['token appeared', 'revoked by somebody', 'new consumer', 'holds', 'smoke lapsed'].map((why) => `voided: ${why}`),
  ...['in integration', 'in production', 'given-up', 'holder-unknown', 'in a later round', 'after another'].map(
    (kind) => `revoked: ${kind}`,
  ),
  ...['with no pod seen', 'not smoke-tested'].map((kind) => `revoked: ${kind}`),
];

const londonDay = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London' });

class Blocked extends Error {}

interface Fresh {
  tokens: ListedToken[];
  look: ClusterLook;
  newToken: ListedToken;
}

/** What a person was shown, beside what was so in the world at that moment. */
interface Shown {
  evidence: Proof;
  truth: Truth;
  everSeenHeld: string[];
  smoke: SmokeResult[];
  at: number;
}

/** A rotation over a simulated world: the rules of `domain/` in the order of `workflows/`, every revoke examined. */
class Rotation {
  readonly world: World;
  outcome = '';
  readonly tally: string[] = [];
  private readonly shown: Shown[] = [];
  /** Approvals that were sent, by the round whose code they quote. */
  private readonly sent: { approval: Approve; identity: string; round: number | undefined }[] = [];
  private readonly begun: number[] = [];
  private readonly revoked: ListedToken[] = [];
  private readonly batches: Fate['meanwhile'];
  private readonly people: Sent[];
  private lastSmoke: SmokeResult[] = [];
  private retries: number;
  private before: number[] = [];

  constructor(private readonly fate: Fate) {
    this.world = new World(fate);
    this.batches = [...fate.meanwhile];
    this.people = [...fate.approvals];
    this.retries = fate.retries;
  }

  run(): this {
    try {
      this.outcome = this.rotate();
    } catch (error) {
      if (!(error instanceof Blocked)) throw error;
      this.outcome = `blocked: ${error.message}`;
    }
    return this;
  }

  private rotate(): string {
    const { world } = this;
    const { request } = world;
    const [tokens, assessed] = this.step(() => this.assess());
    const plan = planFor({ settings: SETTINGS, pair: PAIR, tokens, look: assessed }, request, world.now);
    if (tokens.length === 0) expect(plan).toMatchObject({ kind: 'stop', outcome: 'nothing-to-do' });
    if (request.force) expect(plan.kind).not.toBe('adopt');
    if (plan.kind === 'stop') return plan.outcome;

    this.before = request.force ? tokens.map(({ authorisationId }) => authorisationId) : [];
    const issued = plan.kind === 'adopt' ? { tokens, newToken: plan.token } : this.step(() => this.issue(tokens));
    const everHeld = heldTokens(assessed, tokens);
    let syncedFor: number | undefined;
    let confirmed = 0;
    let now: Fresh = { ...issued, look: assessed };
    for (let round = 1; ; round++) {
      expect(round).toBeLessThan(50); // a world in which so little happens lets it end
      const unseen = syncedFor === now.newToken.authorisationId ? [] : unseenConsumers(now.look);
      const needless = allHold(now.look, now.newToken) && unseen.length === 0;
      const syncedAt = needless ? undefined : this.sync();
      syncedFor = now.newToken.authorisationId;
      const look = this.step(() => this.everyConsumerHolds(now.newToken, syncedAt));
      const shown = { truth: world.seen, everSeenHeld: [...world.everSeenHeld] };
      const smoke = this.step(() => this.smoke());
      if (othersAlive(now.tokens, now.newToken, world.now).length === 0)
        return this.revoked.length > 0 ? 'rotated' : 'old-token-expired';
      const { name: application } = PAIR.application;
      const evidence = gatherEvidence({ round, application, now: world.now, ...now, look, everHeld, smoke });
      this.shown.push({ ...shown, evidence, smoke, at: world.now });
      const decision = this.ask(evidence);
      if (decision === 'nobody') return 'waiting';
      if (decision === 'ended') now = this.step(() => this.lookAgain(now.newToken));
      else {
        const fresh = this.step(() => this.revokeWhileEvidenceHolds(evidence, decision, now.newToken));
        now = fresh === 'done' ? this.step(() => this.lookAgain(now.newToken)) : fresh;
      }
      everHeld.push(...heldTokens(now.look, now.tokens));
      if (this.revoked.length === confirmed) continue;
      confirmed = this.revoked.length;
      if (othersAlive(now.tokens, now.newToken, world.now).length === 0) return 'rotated';
    }
  }

  /** One step: blocked, it runs again as often as a person sends `retry`. */
  private step<T>(act: () => T): T {
    for (;;) {
      this.meanwhile();
      try {
        return act();
      } catch (error) {
        if (!(error instanceof Blocked) || this.retries-- <= 0) throw error;
      }
    }
  }

  private meanwhile(): void {
    this.world.meanwhile(this.batches.shift() ?? []);
  }

  private assess(): [ListedToken[], ClusterLook] {
    const tokens = this.world.list();
    const look = this.world.look();
    if (tokens.length > 0 && look.consumers.length === 0) throw new Blocked('NoConsumers');
    const { environment, unlisted } = disagreements(look, tokens, this.fate.environment);
    if (environment.length > 0) throw new Blocked('WrongEnvironment');
    if (tokens.length > 0 && unlisted.length > 0 && !this.fate.acceptsUnlisted) throw new Blocked('UnlistedToken');
    return [tokens, look];
  }

  private issue(seen: ListedToken[]): { tokens: ListedToken[]; newToken: ListedToken } {
    const before = seen.map(({ authorisationId }) => authorisationId);
    const isNew = ({ authorisationId }: ListedToken): boolean => !before.includes(authorisationId);
    const listed = this.world.list();
    const adopted = newestOf(listed.filter(isNew));
    if (!adopted && listed.every(isNew)) throw new Blocked('AccessEnded');
    if (!adopted) expect(seen).not.toEqual([]);
    const created = adopted ?? this.world.issue();
    const tokens = this.world
      .list()
      .map((token) => (token.authorisationId === created.authorisationId ? created : token));
    return { tokens, newToken: newestOf(tokens) ?? created };
  }

  private sync(): number {
    this.meanwhile();
    this.world.sync();
    return this.world.now;
  }

  private everyConsumerHolds(newToken: ListedToken, syncedAt: number | undefined): ClusterLook {
    const first = this.rolledOut(newToken, syncedAt);
    const mayHelp = first.kind === 'not-updated' || (first.kind === 'waiting' && syncedAt === undefined);
    const seen = mayHelp ? this.rolledOut(newToken, this.sync()) : first;
    if (seen.kind !== 'held') throw new Blocked(seen.kind === 'waiting' ? 'RolloutIncomplete' : 'SecretNotUpdated');
    return seen.look;
  }

  private rolledOut(token: ListedToken, syncedAt: number | undefined): Rollout & { look: ClusterLook } {
    for (let polls = 1; ; polls++) {
      this.meanwhile();
      const look = this.world.look();
      const rollout = judgeRollout(look, token, syncedAt);
      if (rollout.kind !== 'waiting' || polls >= POLLS) return { ...rollout, look };
      this.world.settle();
    }
  }

  private smoke(): SmokeResult[] {
    const results = this.world.smoke();
    this.lastSmoke = results;
    if (this.fate.smokeBlocks && results.some(({ verdict }) => verdict === 'failed')) throw new Blocked('SmokeFailed');
    return results;
  }

  private ask(evidence: Proof): number[] | 'nobody' | 'ended' {
    const { world } = this;
    const ends = Math.min(...evidence.toRevoke.map(({ expires }) => endOfDay(expires)));
    for (;;) {
      this.meanwhile();
      if (world.now >= ends) return 'ended';
      const person = this.people.shift();
      if (!person) return 'nobody';
      const approval = this.write(person, evidence);
      const verdict = judgeApproval(approval, {
        request: world.request,
        evidence,
        code: evidenceCode(RUN, evidence),
        starter: { identity: this.fate.starter },
        sender: { identity: person.identity },
      });
      if (verdict.counts) {
        const offered = evidence.toRevoke.map(({ authorisationId }) => authorisationId);
        expect(offered).toEqual(expect.arrayContaining(verdict.revoke));
        world.meanwhile(this.fate.afterApproval);
        return verdict.revoke;
      }
      this.tally.push(`refused: ${REFUSED.exec(verdict.why)?.[0]}`);
    }
  }

  private write({ by, identity, quotes, names, accept }: Sent, evidence: Proof): Approve {
    const earlier = this.shown.at(-2)?.evidence;
    const codes = {
      shown: evidenceCode(RUN, evidence),
      'earlier round': earlier ? evidenceCode(RUN, earlier) : 'none yet',
      'other run': evidenceCode('another run', evidence),
      nonsense: 'deadbeef',
    };
    const ids = evidence.toRevoke.map(({ authorisationId }) => authorisationId);
    const named = {
      nothing: {},
      all: { revoke: ids },
      first: { revoke: ids.slice(0, 1) },
      'new token': { revoke: [...ids, evidence.newToken.authorisationId] },
      stranger: { revoke: [...ids, 4711] },
    };
    const approval = { by, evidence: codes[quotes], ...named[names], accept: accept as Approve['accept'] };
    const rounds = {
      shown: evidence.round,
      'earlier round': earlier?.round,
      'other run': undefined,
      nonsense: undefined,
    };
    this.sent.push({ approval, identity, round: rounds[quotes] });
    return approval;
  }

  private lookAgain(newToken: ListedToken): Fresh {
    const { world, before } = this;
    const tokens = withKnownDigest(world.list(), newToken);
    const look = world.look();
    for (const id of this.begun) {
      const token = this.shown.flatMap(({ evidence }) => evidence.toRevoke).find((it) => it.authorisationId === id)!;
      if (!tokens.some(({ authorisationId }) => authorisationId === id) && !this.hasRevoked(id))
        this.revoked.push(token);
    }
    const successor = successorOf(newToken, tokens, { before, window: SETTINGS.window, now: world.now });
    if (!successor) throw new Blocked('NewTokenGone');
    return { tokens, look, newToken: successor };
  }

  private hasRevoked(id: number): boolean {
    return this.revoked.some(({ authorisationId }) => authorisationId === id);
  }

  private lookUntilSettled(newToken: ListedToken): Fresh {
    const fresh = this.lookAgain(newToken);
    if (!fresh.look.containers.some(({ state, terminating }) => state === 'starting' || terminating)) return fresh;
    const settled = this.rolledOut(newToken, undefined);
    const again = this.lookAgain(newToken);
    if (settled.kind !== 'held' && again.look.containers.some(({ state }) => state === 'starting'))
      throw new Blocked('RolloutIncomplete');
    return again;
  }

  private revokeWhileEvidenceHolds(evidence: Proof, approved: number[], newToken: ListedToken): Fresh | 'done' {
    const { world } = this;
    const left = (): ListedToken[] =>
      evidence.toRevoke.filter(({ authorisationId: id }) => approved.includes(id) && !this.hasRevoked(id));
    if (world.now - Date.parse(evidence.gatheredAt) > ms(SETTINGS.evidenceHoldsFor)) {
      this.lookUntilSettled(newToken);
      if (smokeThatLapsed(evidence, this.smoke()) !== undefined) {
        this.tally.push('voided: smoke lapsed');
        return this.lookAgain(newToken);
      }
    }
    for (let looks = 1; ; looks++) {
      this.meanwhile();
      const fresh = this.lookUntilSettled(newToken);
      const [token] = left();
      if (!token) return 'done';
      const reason = voidedBy(evidence, { ...fresh, ended: this.begun, now: world.now });
      if (reason !== undefined) {
        this.tally.push(`voided: ${VOIDED.exec(reason)?.[0]}`);
        return fresh;
      }
      const truth = world.seen;
      this.meanwhile();
      this.begun.push(token.authorisationId);
      if (world.now <= truth.at + ms('2 minutes')) {
        this.examine(token, truth);
        if (world.revoke(token)) this.tally.push(...this.kindsOf(token).map((kind) => `revoked: ${kind}`));
        this.revoked.push(token);
      } else if (looks >= 5) throw new Blocked('LookTooOld');
      if (left().length === 0) return 'done';
    }
  }

  /** Compares one revoke with what was so in the world, by masked values and names alone. */
  private examine(token: ListedToken, truth: Truth): void {
    const shown = this.shown.at(-1)!;
    const { newToken, round } = shown.evidence;
    // 1. Nobody runs with it, by the look right before; nor did anybody with any but the new one, then or when evidence was taken.
    expect(truth.held).not.toContain(token.masked);
    const acceptable = [newToken.masked, ...(newToken.sha256 === undefined ? [`${ALMOST}${newToken.masked}`] : [])];
    expect(acceptable).toEqual(expect.arrayContaining([...truth.held, ...shown.truth.held]));
    expect(shown.truth.starting).toBe(0);
    expect(shown.truth.consumers.map(({ name }) => name)).toEqual(truth.consumers.map(({ name }) => name));

    // 2. Somebody approved its end, quoting what was shown, and took what was not shown upon themselves.
    const mayEnd = (sent: (typeof this.sent)[number]): boolean => this.covers(sent, token, shown);
    expect(this.sent.filter(({ round: quoted }) => quoted === round).some(mayEnd)).toBe(true);
    expect(shown.evidence.toRevoke.map(({ masked }) => masked)).toContain(token.masked);

    // 3. The new token lives on beside it, and is the one that a sync would write.
    const today = londonDay.format(truth.at);
    const live = (tokens: ListedToken[]): ListedToken[] => tokens.filter((it) => it.expires >= today);
    const untouched = (tokens: ListedToken[]): string[] =>
      live(tokens)
        .filter(({ authorisationId }) => !this.begun.includes(authorisationId))
        .map(({ masked }) => masked)
        .toSorted();
    expect(untouched(truth.listed)).toEqual(untouched([newToken, ...shown.evidence.toRevoke]));
    const latest = truth.listed.toSorted((a, b) =>
      a.expires === b.expires ? b.authorisationId - a.authorisationId : a.expires < b.expires ? 1 : -1,
    )[0];
    expect(token.masked).not.toBe(newToken.masked);
    expect(latest?.masked).toBe(newToken.masked);
    if (token.expires >= today) expect(live(truth.listed).map(({ masked }) => masked)).toContain(newToken.masked);

    // What passed its smoke call passed it also when last tried.
    const passed = (smoke: SmokeResult[]): string[] =>
      smoke.flatMap(({ workload, verdict }) => (verdict === 'passed' ? [workload] : []));
    const seen = shown.truth.consumers.flatMap(({ name, pods }) => (pods > 0 ? [name] : []));
    expect(passed(this.lastSmoke)).toEqual(
      expect.arrayContaining(passed(shown.smoke).filter((name) => seen.includes(name))),
    );
  }

  /** What is particular about a revoke, so that none of it goes untried. */
  private kindsOf({ authorisationId: id }: ListedToken): string[] {
    const { evidence, truth } = this.shown.at(-1)!;
    const standing = evidence.toRevoke.find(({ authorisationId }) => authorisationId === id)?.standing;
    return [
      `in ${this.fate.environment}`,
      `${standing}`,
      ...(evidence.round > 1 ? ['in a later round'] : []),
      ...(this.revoked.length > 0 ? ['after another'] : []),
      ...(truth.consumers.some(({ pods }) => pods === 0) ? ['with no pod seen'] : []),
      ...(evidence.shortfalls.some(({ code }) => code === 'not-smoke-tested') ? ['not smoke-tested'] : []),
    ];
  }

  private covers({ approval, identity }: (typeof this.sent)[number], token: ListedToken, shown: Shown): boolean {
    const plain = (name: string): string => name.trim().toLowerCase();
    const emails = (names: string[]): string[] => names.map(plain).filter((name) => name.endsWith('@example.org'));
    const asked = emails([ASKER, this.fate.starter]);
    // 4. In production, a second person.
    if (this.fate.environment === 'production' && emails([approval.by, identity]).some((name) => asked.includes(name)))
      return false;
    const givenUp = shown.everSeenHeld.includes(token.masked) && !shown.truth.held.includes(token.masked);
    if (!(approval.revoke?.includes(token.authorisationId) ?? givenUp)) return false;
    return shown.truth.consumers.every(({ name, pods }) => {
      const verdict = shown.smoke.find(({ workload }) => workload === name)?.verdict;
      if (pods === 0) return approval.accept?.includes('no-pod-seen');
      if (verdict === 'failed') return false;
      return verdict === 'passed' || approval.accept?.includes('not-smoke-tested');
    });
  }
}

test('in whatever world, a token is revoked only when nobody runs with it, a person approved exactly that, and the new one lives on', () => {
  fc.assert(
    fc.property(aFate, (fate) => {
      const { outcome } = new Rotation(fate).run(); // examines each revoke
      expect(outcome).toMatch(/^(rotated|old-token-expired|nothing-to-do|waiting|blocked: .+)$/);
    }),
    { numRuns: 2000 },
  );
});

test('a pair without any listed token gets none, whatever runs and whatever happens meanwhile', () => {
  const listsNone = aFate.map((fate) => ({ ...fate, tokens: [], meanwhile: [[], ...fate.meanwhile] }));
  fc.assert(
    fc.property(listsNone, (fate) => {
      const rotation = new Rotation(fate).run();
      expect([rotation.outcome, rotation.world.issued]).toEqual(['nothing-to-do', 0]);
    }),
  );
});

test('a token is shown as given up only if a container was seen holding it and none holds it any more, rolled out or not', () => {
  fc.assert(
    fc.property(aFate, fc.nat(3), (fate, choice) => {
      const world = new World(fate);
      const everHeld = heldTokens(world.look(), world.list());
      for (const batch of fate.meanwhile) world.meanwhile(batch);
      const before = [...world.everSeenHeld];
      const look = world.look();
      const tokens = world.list();
      const newToken = tokens[choice % Math.max(1, tokens.length)];
      if (!newToken) return;
      const seen = { round: 1, application: 'Publishing API', now: world.now, look, tokens, newToken, everHeld };
      const givenUp = gatherEvidence({ ...seen, smoke: world.smoke() })
        .toRevoke.filter(({ standing }) => standing === 'given-up')
        .map(({ masked }) => masked);
      expect(before).toEqual(expect.arrayContaining(givenUp));
      expect(givenUp.filter((masked) => world.seen.held.includes(masked))).toEqual([]);
    }),
  );
});

test('rotations over a fixed sample of worlds come to every end: revoked, voided, refused and blocked for each reason', () => {
  const counts: Record<string, number> = {};
  for (const fate of fc.sample(aFate, { numRuns: 2500, seed: 20260901 })) {
    const { outcome, tally } = new Rotation(fate).run();
    for (const what of [outcome, ...tally]) counts[what] = (counts[what] ?? 0) + 1;
  }
  const rare = ENDS.filter((end) => (counts[end] ?? 0) < 3);
  expect(rare).toEqual([]);
  expect(counts['revoked: in production']).toBeGreaterThan(50);
  expect(counts['revoked: given-up']).toBeGreaterThan(50);
});
