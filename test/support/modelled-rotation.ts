import {
  workloadsOf,
  type ClusterLook,
  type Consumer,
  type Readers,
} from '../../domain/cluster/cluster.ts';
import { othersAlive } from '../../domain/evidence/evidence.ts';
import {
  gatherDisused,
  gatherEvidence,
  gatherHandOver,
} from '../../domain/evidence/gather-evidence.ts';
import { readersAfter, readInCluster, recipientOf } from '../../domain/rotation/holders.ts';
import { planFor, type Plan } from '../../domain/rotation/plan.ts';
import { allHold, isHolder, seenHeld, unseenConsumers } from '../../domain/cluster/possession.ts';
import { isRenewed, nextRenewalOver, renewalWarning } from '../../domain/settings/renewal.ts';
import type { Recipient } from '../../domain/settings/settings.ts';
import { isLive, type ListedToken } from '../../domain/tokens/tokens.ts';
import type { Said } from './fates.ts';
import { Unattended } from './modelled-people.ts';
import { ModelledSteps, type Expected, type Fresh, type Seen } from './modelled-steps.ts';
import { Blocked, type Truth } from './worlds.ts';

/** More rounds than any world here has reasons for. */
const ROUNDS_AT_MOST = 50;

/** Who holds the pair's token. */
interface Holders {
  readers: Readers;
  look: ClusterLook;
  recipient: Recipient | undefined;
  disused?: true;
}

/**
 * A rotation over a simulated world, in the order of `workflows/rotation/rotate-token.ts`; what it
 * did is kept beside what was so.
 */
export class ModelledRotation extends ModelledSteps {
  outcome = '';
  plan?: Plan;
  /** How the holders were found: by what a person said, if it came to that. */
  holders?: 'readers' | 'found' | 'as requested' | Said['as'];
  /** The last thing seen of the world. */
  last?: { truth: Truth; at: number };
  /** Containers a person named and was believed, and whether they held a token of the pair. */
  readonly believed: { consumer: Consumer; holdsOne: boolean }[] = [];
  private vouchedFor?: number;
  private isAgreed = false;

  run(): this {
    try {
      this.outcome = this.rotate();
    } catch (error) {
      if (error instanceof Unattended) this.outcome = 'waiting';
      else if (error instanceof Blocked) this.outcome = `blocked: ${error.message}`;
      else throw error;
    }
    this.last = { truth: this.world.seen, at: this.world.now };
    return this;
  }

  private rotate(): string {
    const { world, fate } = this;
    const { settings, pair, request } = world;
    const assessed = this.step(() => this.assess());
    const { tokens } = assessed;
    const plan = planFor({ settings, pair, ...assessed }, request, world.now);
    this.plan = plan;
    if (plan.kind === 'stop') return plan.outcome;
    const { disused, readers, look, recipient } = this.find(assessed);
    if (disused) return this.retire(tokens, readers, look);

    if (plan.kind === 'issue' && recipient) this.agreed(look, readers, recipient);
    this.before = fate.force ? tokens.map(({ authorisationId }) => authorisationId) : [];
    const issued =
      plan.kind === 'adopt'
        ? { tokens, newToken: plan.token }
        : this.step(() => this.issue(tokens, fate.force, recipient));
    return this.prove({ ...issued, look }, readers, recipient);
  }

  private prove(first: Fresh, found: Readers, recipient: Recipient | undefined): string {
    const { world } = this;
    const known = workloadsOf(first.look.consumers);
    let everHeld = seenHeld([], first.look.containers, known);
    let readers = found;
    let syncedFor: number | undefined;
    let confirmed = 0;
    let now = first;
    for (let rounds = 1; rounds < ROUNDS_AT_MOST; rounds++) {
      if (recipient) now = this.delivered(now, readers, recipient);
      const { newToken, tokens } = now;
      readers = readersAfter(readers, tokens, now.look);
      const expected: Expected = { readers, newToken };
      const unseen = syncedFor === newToken.authorisationId ? [] : unseenConsumers(now.look);
      const syncedAt =
        allHold(now.look, newToken) && unseen.length === 0
          ? undefined
          : this.step(() => this.sync());
      syncedFor = newToken.authorisationId;
      const look = this.step(() => {
        const held = this.everyConsumerHolds(expected, syncedAt);
        this.refuseReadInCluster(held);
        return held;
      });
      const shown = this.snapshot();
      const shownAt = world.now;
      const smoke = this.step(() => this.smoke(expected));
      if (othersAlive(tokens, newToken, world.now).length === 0) {
        if (recipient) return 'handed-over';
        return this.revoked.length > 0 ? 'rotated' : 'old-token-expired';
      }
      const { name: application } = world.pair.application;
      const seen = { application, now: shownAt, ...now, look, recipient, everHeld, known, smoke };
      const evidence = gatherEvidence({ round: this.people.nextRound(), ...seen });
      const decision = this.ask(evidence, smoke, shown);
      const fresh =
        decision === 'outdated'
          ? this.step(() => this.lookAgain(expected))
          : this.step(() => this.revokeProven(evidence, decision, expected));
      now = fresh === 'done' ? this.step(() => this.lookAgain(expected)) : fresh;
      everHeld = seenHeld(everHeld, now.look.containers, known);
      if (this.revoked.length === confirmed) continue;
      confirmed = this.revoked.length;
      if (othersAlive(now.tokens, now.newToken, world.now).length === 0)
        return recipient ? 'handed-over' : 'rotated';
    }
    return 'no end';
  }

  /**
   * As `workflows/rotation/steps/holders.ts` does: the consumers of the first look, else whom a
   * person names.
   */
  private find({ tokens, look, readers }: Seen & { readers: Readers }): Holders {
    const { settings, pair, request } = this.world;
    const recipient = recipientOf(settings, pair);
    this.holders = look.containers.some(({ from }) => from === undefined) ? 'readers' : 'found';
    if (look.consumers.length > 0) return { readers, look, recipient };
    const outside: Holders = { readers, look, recipient };
    this.holders = 'as requested';
    if (request.recipient !== undefined) return outside;
    return this.step(() => {
      for (;;) {
        this.meanwhile();
        const said = this.people.nextClassification();
        const holders = this.believe(said, outside, tokens);
        if (!holders) continue;
        this.holders = said.as;
        return holders;
      }
    });
  }

  private believe(said: Said, outside: Holders, tokens: ListedToken[]): Holders | undefined {
    const { world } = this;
    const { recipient } = outside;
    if (said.as === 'disused') return { ...outside, disused: true };
    if (said.as === 'external')
      return recipient && said.recipient === 'the one named' ? outside : undefined;
    const stray = world.strayAt(said.which);
    if (!stray) return undefined;
    const consumer =
      said.named === 'rightly' ? stray : { ...stray, variable: 'ANOTHER_BEARER_TOKEN' };
    const look = world.look(readersAfter(outside.readers, tokens, outside.look));
    if (!isHolder(consumer, look, tokens) || readInCluster(recipient, look) !== undefined)
      return undefined;
    this.believed.push({ consumer, holdsOne: world.isHeldBy(consumer) });
    return { ...outside, readers: readersAfter(outside.readers, tokens, look), look };
  }

  /** As `workflows/rotation/steps/hand-over.ts` does. */
  private agreed(look: ClusterLook, readers: Readers, recipient: Recipient): void {
    if (this.isAgreed) return;
    const round = this.people.nextRound();
    const evidence = gatherHandOver({ round, now: this.world.now, recipient, look });
    const shown = this.snapshot();
    this.step(() => {
      this.ask(evidence, [], shown);
      this.refuseReadInCluster(this.world.look(readers));
    });
    this.isAgreed = true;
  }

  private delivered(now: Fresh, readers: Readers, recipient: Recipient): Fresh {
    const said = this.step(() => this.whether(now.newToken));
    if (said === 'delivered') return now;
    this.agreed(now.look, readers, recipient);
    const issued = this.step(() => this.issue(now.tokens, false, recipient));
    return this.delivered({ ...issued, look: now.look }, readers, recipient);
  }

  private whether({ authorisationId }: ListedToken): 'delivered' | 'issue another' {
    if (this.sealed === authorisationId) return 'delivered';
    if (this.accepted.delete('already-handed-over')) this.vouchedFor = authorisationId;
    if (this.vouchedFor === authorisationId) return 'delivered';
    if (this.accepted.delete('issue-another')) return 'issue another';
    throw new Blocked('CannotHandOver');
  }

  /** As `workflows/rotation/steps/retire.ts` does. */
  private retire(tokens: ListedToken[], readers: Readers, first: ClusterLook): string {
    const { world } = this;
    const { apiUser } = world.pair;
    const { renewal } = world.settings;
    const known = new Map(tokens.map((token) => [token.authorisationId, token]));
    const look = (): Seen => {
      const listed = world.list();
      const seen = {
        tokens: listed,
        look: world.look(readersAfter(readers, [...known.values()], first)),
      };
      this.countRevoked(listed);
      for (const token of listed) known.set(token.authorisationId, token);
      return seen;
    };
    let liveSince = false;
    for (let rounds = 1; rounds < ROUNDS_AT_MOST; rounds++) {
      const now = this.step(() => {
        const seen = look();
        if (seen.look.consumers.length > 0) throw new Blocked('StillInUse');
        return seen;
      });
      const live = now.tokens.filter((token) => isLive(token, world.now));
      if (live.length > 0) liveSince = true;
      if (live.length === 0 && liveSince && isRenewed(apiUser.email, renewal)) {
        this.step(() => world.pass(nextRenewalOver(world.now, renewal) - world.now));
        liveSince = false;
        continue;
      }
      if (live.length === 0)
        return this.revoked.length > 0 ? 'revoked-disused' : 'old-token-expired';
      const warning = renewalWarning(apiUser, [...known.values()], renewal, world.now);
      const warnings = warning === undefined ? [] : [warning];
      const recipient = recipientOf(world.settings, world.pair);
      const evidence = gatherDisused({
        round: this.people.nextRound(),
        now: world.now,
        ...now,
        recipient,
        watched: { wanted: '0 ms' },
        warnings,
      });
      const decision = this.ask(evidence, []);
      if (decision === 'outdated') continue;
      const untilStarted = (): Seen => this.untilStarted(look, evidence);
      this.step(() => this.revokeWhileEvidenceHolds(evidence, decision, untilStarted));
    }
    return 'no end';
  }
}
