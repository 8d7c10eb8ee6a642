import ms from 'ms';
import { type ClusterLook, type Readers } from '../../domain/cluster/cluster.ts';
import type { RetryAccept } from '../../domain/evidence/decisions.ts';
import type { Evidence, SmokeResult } from '../../domain/evidence/evidence.ts';
import { readersAfter, readInCluster, recipientOf } from '../../domain/rotation/holders.ts';
import { disagreements, judgeRollout, type Rollout } from '../../domain/cluster/possession.ts';
import type { Recipient } from '../../domain/settings/settings.ts';
import {
  newestOf,
  successorOf,
  withKnownDigest,
  type ListedToken,
} from '../../domain/tokens/tokens.ts';
import { smokeThatLapsed, voidedBy } from '../../domain/evidence/voided.ts';
import type { Fate } from './fates.ts';
import { ModelledPeople, type Granted, type Shown } from './modelled-people.ts';
import { Blocked, World, type Truth } from './worlds.ts';

const POLLS = 4;
const WAITS_AT_MOST = 3;
const VOIDED =
  /token appeared|revoked by somebody|new consumer|has not started|could not be asked|holds/;

export interface Seen {
  tokens: ListedToken[];
  look: ClusterLook;
}
export interface Fresh extends Seen {
  newToken: ListedToken;
}
/** What a proof is about: where the token is read, and which token is new. */
export interface Expected {
  readers: Readers;
  newToken: ListedToken;
}

/** One revoke, beside what was so in the world at the look right before it. */
export interface Revoke {
  token: ListedToken;
  /** Absent where nothing was ever approved. */
  granted: Granted | undefined;
  truth: Truth;
  /** When the act came. */
  at: number;
  /** Ids whose revoke was begun before this one. */
  begun: number[];
  lastSmoke: SmokeResult[];
}

/** One token that was made, beside what was so before. */
export interface Issue {
  /** Masked values that were listed at the moment of the create. */
  listed: string[];
  recipient: Recipient | undefined;
  /** What people had agreed to by then. */
  granted: Granted[];
}

/**
 * The single steps of `workflows/`, over a simulated world: each asks the rules of `domain/` in the
 * same order.
 */
export class ModelledSteps {
  readonly world: World;
  readonly people: ModelledPeople;
  readonly revokes: Revoke[] = [];
  readonly issues: Issue[] = [];
  /** Why evidence did not hold. */
  readonly voided: string[] = [];
  /** Ids that a forced rotation must not fall back to. */
  protected before: number[] = [];
  protected readonly revoked: ListedToken[] = [];
  protected readonly accepted = new Set<RetryAccept>();
  /** The token whose ciphertext this rotation has. */
  protected sealed?: number;
  private readonly begun: number[] = [];
  private readonly batches: Fate['meanwhile'];
  private readonly vouches: Fate['vouches'];
  private lastSmoke: SmokeResult[] = [];
  private retries: number;

  constructor(protected readonly fate: Fate) {
    this.world = new World(fate);
    this.people = new ModelledPeople(fate, this.world);
    this.batches = [...fate.meanwhile];
    this.vouches = [...fate.vouches];
    this.retries = fate.retries;
  }

  /** One step: blocked, it runs again as often as a person sends `retry`. */
  protected step<T>(act: () => T): T {
    for (;;) {
      this.meanwhile();
      try {
        return act();
      } catch (error) {
        if (!(error instanceof Blocked) || this.retries-- <= 0) throw error;
        for (const once of ['already-handed-over', 'issue-another'] as const)
          this.accepted.delete(once);
        const vouched = error.message === 'CannotHandOver' ? this.vouches.shift() : undefined;
        if (vouched) this.accepted.add(vouched);
      }
    }
  }

  protected ask(
    evidence: Evidence,
    smoke: SmokeResult[],
    { truth, everSeenHeld } = this.snapshot(),
  ): number[] | 'outdated' {
    const shown: Shown = { evidence, smoke, truth, everSeenHeld };
    return this.people.ask(shown, () => this.meanwhile());
  }

  /** What is so in the world as last looked at. */
  protected snapshot(): Pick<Shown, 'truth' | 'everSeenHeld'> {
    return { truth: this.world.seen, everSeenHeld: [...this.world.everSeenHeld] };
  }

  protected assess(): Seen & { readers: Readers } {
    const { world, fate } = this;
    const tokens = world.list();
    const readers: Readers = {
      secret: world.pair.secret,
      holding: tokens,
      also: [],
      ofOtherPairs: [],
    };
    const look = world.look(readers);
    this.refuseReadInCluster(look);
    const { environment, unlisted } = disagreements(look, fate.environment);
    if (environment.length > 0) throw new Blocked('WrongEnvironment');
    if (tokens.length > 0 && unlisted.length > 0 && !fate.acceptsUnlisted)
      throw new Blocked('UnlistedToken');
    return { tokens, look, readers: readersAfter(readers, tokens, look) };
  }

  protected refuseReadInCluster(look: ClusterLook): void {
    const { settings, pair } = this.world;
    if (readInCluster(recipientOf(settings, pair), look) !== undefined)
      throw new Blocked('ReadInCluster');
  }

  protected issue(
    seen: ListedToken[],
    force: boolean,
    recipient: Recipient | undefined,
  ): Omit<Fresh, 'look'> {
    const { world } = this;
    const before = seen.map(({ authorisationId }) => authorisationId);
    const listed = world.list();
    const adopted = newestOf(
      listed.filter(({ authorisationId }) => !before.includes(authorisationId)),
    );
    if (!adopted && listed.length === 0) throw new Blocked('AccessEnded');
    if (!adopted) {
      const granted = [...this.people.granted];
      this.issues.push({ listed: listed.map(({ masked }) => masked), recipient, granted });
    }
    const created = adopted ?? world.issue();
    if (!adopted && recipient) this.sealed = created.authorisationId;
    const tokens = world
      .list()
      .map((token) => (token.authorisationId === created.authorisationId ? created : token));
    const newToken = newestOf(tokens) ?? created;
    if (force && before.includes(newToken.authorisationId)) throw new Blocked('OlderTokenOutlives');
    return { tokens, newToken };
  }

  protected sync(): string {
    this.meanwhile();
    this.world.sync();
    return new Date(this.world.now).toISOString();
  }

  protected everyConsumerHolds(expected: Expected, syncedAt: string | undefined): ClusterLook {
    const first = this.rolledOut(expected, syncedAt);
    const mayHelp =
      first.kind === 'not-updated' || (first.kind === 'incomplete' && syncedAt === undefined);
    const seen = mayHelp ? this.rolledOut(expected, this.sync()) : first;
    if (seen.kind !== 'held')
      throw new Blocked(seen.kind === 'incomplete' ? 'RolloutIncomplete' : 'SecretNotUpdated');
    return seen.look;
  }

  protected smoke({ readers }: Pick<Expected, 'readers'>): SmokeResult[] {
    const results = this.world.smoke(readers);
    this.lastSmoke = results;
    if (this.fate.smokeBlocks && results.some(({ verdict }) => verdict === 'failed'))
      throw new Blocked('SmokeFailed');
    return results;
  }

  protected lookAgain({ readers, newToken }: Expected): Fresh {
    const { world, before } = this;
    const tokens = withKnownDigest(world.list(), newToken);
    const look = world.look(readersAfter(readers, tokens, world.look(readers)));
    this.countRevoked(tokens);
    const successor = successorOf(newToken, tokens, {
      before,
      window: world.settings.window,
      now: world.now,
    });
    if (!successor) throw new Blocked('NewTokenGone');
    return { tokens, look, newToken: successor };
  }

  /** Where the smoke calls are old, they must pass again first. */
  protected revokeProven(
    evidence: Evidence,
    approved: number[],
    expected: Expected,
  ): Fresh | 'done' {
    const settled = (): Fresh => this.untilStarted(() => this.lookUntilSettled(expected), evidence);
    return this.revokeWhileEvidenceHolds(evidence, approved, settled, () =>
      smokeThatLapsed(evidence, this.world.look(expected.readers), this.smoke(expected)),
    );
  }

  /**
   * Containers that were starting, and that nobody accepted as such, are waited for until they can
   * be asked.
   */
  protected untilStarted<T extends Seen>(look: () => T, { census }: Evidence): T {
    for (let looks = 1; ; looks++) {
      const seen = look();
      const news = seen.look.census.starting.filter((one) => !census.starting.includes(one));
      if (news.length === 0 || looks > POLLS) return seen;
      this.world.pass(ms('3 minutes'));
      if (!this.fate.lingers) this.world.settle();
    }
  }

  protected revokeWhileEvidenceHolds<T extends Seen>(
    evidence: Evidence,
    approved: number[],
    look: () => T,
    smokeLapsed?: () => string | undefined,
  ): T | 'done' {
    const { world, begun } = this;
    const lasts = smokeLapsed ? ms(world.settings.evidenceHoldsFor) : Infinity;
    let shownAt = Date.parse(evidence.gatheredAt);
    const left = (): ListedToken[] =>
      evidence.toRevoke.filter(
        ({ authorisationId: id }) => approved.includes(id) && !this.hasRevoked(id),
      );
    for (let looks = 1; ; looks++) {
      this.meanwhile();
      const fresh = look();
      const [token] = left();
      if (!token) return 'done';
      const reason = voidedBy(evidence, {
        ...fresh,
        revoke: approved,
        ended: begun,
        now: world.now,
      });
      if (reason !== undefined) {
        this.voided.push(VOIDED.exec(reason)?.[0] ?? reason);
        return fresh;
      }
      const truth = world.seen;
      if (smokeLapsed && world.now - shownAt > lasts) {
        shownAt = world.now;
        if (smokeLapsed() !== undefined) {
          this.voided.push('smoke lapsed');
          return fresh;
        }
      }
      this.meanwhile();
      if (world.now <= Math.min(truth.at + ms('2 minutes'), shownAt + lasts)) {
        const { lastSmoke } = this;
        const granted = this.people.granted.at(-1);
        if (world.revoke(token))
          this.revokes.push({ token, granted, truth, at: world.now, begun: [...begun], lastSmoke });
        begun.push(token.authorisationId);
        this.revoked.push(token);
      } else {
        begun.push(token.authorisationId);
        if (looks >= 5) throw new Blocked('LookTooOld');
      }
      if (left().length === 0) return 'done';
    }
  }

  /** What was begun and is no longer listed counts as revoked. */
  protected countRevoked(listed: readonly ListedToken[]): void {
    const known = this.people.shown.flatMap(({ evidence }) => evidence.toRevoke);
    for (const id of this.begun)
      if (!this.hasRevoked(id) && !listed.some(({ authorisationId }) => authorisationId === id))
        this.revoked.push(known.find(({ authorisationId }) => authorisationId === id)!);
  }

  protected meanwhile(): void {
    this.world.meanwhile(this.batches.shift() ?? []);
  }

  private rolledOut(
    { readers, newToken }: Expected,
    syncedAt: string | undefined,
  ): Rollout & { look: ClusterLook } {
    for (let polls = 1; ; polls++) {
      this.meanwhile();
      const look = this.world.look(readers);
      const rollout = judgeRollout(look, newToken, syncedAt);
      if (rollout.kind !== 'incomplete' || polls >= POLLS) return { ...rollout, look };
      this.world.settle();
    }
  }

  private lookUntilSettled(expected: Expected): Fresh {
    for (let waits = 1; ; waits++) {
      const fresh = this.lookAgain(expected);
      const { containers } = fresh.look;
      const isStarting = containers.some(({ state }) => state === 'starting');
      if (!isStarting && !containers.some(({ terminating }) => terminating)) return fresh;
      if (waits > WAITS_AT_MOST) {
        if (!isStarting) return fresh;
        throw new Blocked('RolloutIncomplete');
      }
      if (this.rolledOut(expected, undefined).kind !== 'held') waits = WAITS_AT_MOST;
    }
  }

  private hasRevoked(id: number): boolean {
    return this.revoked.some(({ authorisationId }) => authorisationId === id);
  }
}
