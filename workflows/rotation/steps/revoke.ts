import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import ms from 'ms';
import type { Revoked } from '../../../activities/signon/interface.ts';
import {
  type Evidence,
  joinedSince,
  type Proof,
  smokeThatLapsed,
  type TokenToRevoke,
  voidedBy,
} from '../../../domain/evidence/index.ts';
import {
  type Pair,
  type Round,
  type Observation,
  withPassing,
} from '../../../domain/rotation/index.ts';
import { allReady, describeOthers } from '../../../domain/cluster/index.ts';
import type { Settings } from '../../../domain/settings/index.ts';
import { activities, blocks, failedWith, isNotSent } from '../../shared/index.ts';
import { confirmOnce } from './confirm.ts';
import { lookAgain, LOOK_HOLDS_FOR } from './look-again.ts';
import { rolledOut } from './rollout.ts';
import type { Runbook } from '../runbook.ts';
import { callAll } from './smoke.ts';

/** A revoke blocks after this many looks in a row that were too old. */
const LOOKS_AT_MOST = 5;
/** How many looks one approval takes, however many tokens it covers. */
const LOOKS_FOR_ALL = 20;
/** How often to look, within `rolloutLimit`, whether pods have started. */
const STARTS_LOOKED_FOR = 10;
/** Rollouts in a row that a look waits for. */
const WAITS_AT_MOST = 3;

/** All that an approval covers is revoked. */
interface Done {
  done: true;
  /** The last revoke, with the pair's tokens as listed right after it. */
  last?: Revoked;
}

/**
 * Revokes what an approval of a proven rollout covers, for as long as the evidence holds; where the
 * smoke calls are old, they must pass again first.
 * @param approved ids to revoke
 * @returns the round as seen afterwards
 */
export async function revokeWhileEvidenceHolds(
  book: Runbook,
  round: Round,
  evidence: Proof,
  approved: number[],
): Promise<Round> {
  const { pair, settings } = round;
  const approvedRound = { ...round, proof: evidence };
  // If the run continues as new after a revoke, the next one begins by confirming it.
  book.keep(approvedRound);
  const after = await book.step('revoke', () =>
    revokeEach(book, {
      pair,
      evidence,
      revoke: approved,
      lookAfresh: () =>
        untilStarted(() => lookUntilSettled(book, approvedRound), settings, evidence),
      shown: {
        validFor: settings.evidenceHoldsFor,
        repeat: async ({ look }) => {
          const results = await callAll(book, { ...round, look });
          const lapsed =
            smokeThatLapsed(evidence, look, results) &&
            // A run that has ended since that look has nothing to lapse.
            smokeThatLapsed(evidence, await activities.lookAtConsumers(round.readers), results);
          if (lapsed === undefined) book.note('revoke', 'the smoke calls passed again');
          return lapsed;
        },
      },
    }).catch(async (error: unknown) => {
      // What was revoked by now is confirmed at once, whatever keeps the rest.
      if (!isCancellation(error) && book.record.hasUnconfirmedRevokes(approvedRound))
        await confirmOnce(book, approvedRound, evidence, { call: false });
      throw error;
    }),
  );
  if (!('done' in after)) book.revokeLeftUndone();
  return 'done' in after
    ? book.step('revoke', () => lookAgain(book, approvedRound, after.last))
    : after;
}

/**
 * Revokes what the approval covers, each token right after a fresh look; of more than twenty,
 * several after each look, for every look stays in the history. Once the first revoke has begun,
 * all run to their end. Where the evidence no longer holds, nothing (more) is revoked and what was
 * found is returned.
 */
export async function revokeEach<S extends Observation>(
  book: Runbook,
  order: {
    pair: Pair;
    evidence: Evidence;
    revoke: number[];
    /** Lists the tokens and looks at every consumer. */
    lookAfresh: () => Promise<S>;
    /**
     * The smoke calls: `repeat` makes them anew where they are older than `validFor`, and says why they
     * no longer pass.
     */
    shown?: { validFor: ms.StringValue; repeat: (seen: S) => Promise<string | undefined> };
    /** Why the evidence no longer holds, beside what looks show. */
    voids?: () => string | undefined;
  },
): Promise<Done | S> {
  const { evidence, revoke, shown } = order;
  let shownAt = Date.parse(evidence.gatheredAt);
  const left = (): TokenToRevoke[] =>
    evidence.toRevoke.filter(
      ({ authorisationId }) =>
        revoke.includes(authorisationId) && !book.record.hasRevoked({ authorisationId }),
    );
  /** Something of this approval was sent: all of it runs to its end, looks included. */
  let begun = false;
  const uncut = <T>(act: () => Promise<T>): Promise<T> =>
    begun ? CancellationScope.nonCancellable(act) : act();
  const perLook = Math.max(1, Math.ceil(left().length / LOOKS_FOR_ALL));
  for (let tooOld = 0; ;) {
    const fresh = await uncut(order.lookAfresh);
    if (left().length === 0) return { done: true };
    const reasonNow = (seen: Observation): string | undefined => {
      const ended = book.record.revokesBegun.map(({ authorisationId }) => authorisationId);
      return order.voids?.() ?? voidedBy(evidence, { ...seen, revoke, ended, now: Date.now() });
    };
    let reason = reasonNow(fresh);
    if (reason === undefined && shown && Date.now() - shownAt > ms(shown.validFor)) {
      shownAt = Date.now();
      reason = await uncut(() => shown.repeat(fresh));
    }
    if (reason !== undefined) {
      book.remark(`The evidence of round ${evidence.round} no longer holds: ${reason}`);
      return fresh;
    }
    book.record.joined(joinedSince(evidence, fresh.look));
    // The activity that revokes compares this with its own clock: however long it waited, neither
    // look nor smoke calls are older.
    const lookEnds = Date.parse(fresh.look.at) + LOOK_HOLDS_FOR;
    const notAfter = new Date(
      Math.min(lookEnds, shown ? shownAt + ms(shown.validFor) : lookEnds),
    ).toISOString();
    for (const token of left().slice(0, perLook)) {
      const revoked = await CancellationScope.nonCancellable(async () => {
        // Before the first revoke of this approval, a stop still counts.
        if (!begun) await book.stops.stopIfJustAsked();
        const [wasBegun, isNew] = [begun, book.record.revokeBegins(token)];
        begun = true;
        return activities
          .revokeToken({ pair: order.pair, token, notAfter })
          .catch((error: unknown) => {
            if (isNotSent(error)) begun = wasBegun;
            if (isNotSent(error) && isNew) book.record.revokeNotSent(token);
            if (!failedWith(error, 'LookTooOld')) throw error;
            return undefined; // it looks again
          });
      });
      if (!revoked && ++tooOld >= LOOKS_AT_MOST)
        throw blocks(
          'LookTooOld',
          `${tooOld} times, no revoke was sent within 2 minutes of the look before it; the token is not revoked`,
        );
      if (!revoked) break;
      tooOld = 0;
      book.record.revoked(token);
      if (left().length === 0) return { done: true, last: revoked };
      // What the page listed after this revoke may end the approval before the next.
      if (reasonNow({ ...fresh, tokens: revoked.tokens }) !== undefined) break;
    }
  }
}

/**
 * Looks until containers that were starting have started, and can be asked; those that the evidence
 * names were accepted.
 */
export async function untilStarted<S extends Pick<Observation, 'look'>>(
  look: () => Promise<S>,
  { rolloutLimit }: Settings,
  { census }: Evidence,
): Promise<S> {
  for (let looks = 1; ; looks++) {
    const seen = await look();
    const news = seen.look.census.starting.filter((one) => !census.starting.includes(one));
    if (news.length === 0 || looks > STARTS_LOOKED_FOR) return seen;
    await sleep(ms(rolloutLimit) / STARTS_LOOKED_FOR);
  }
}

/**
 * Looks again; containers that start or end, or are not ready to be called from, are waited for
 * first, the approval kept.
 */
async function lookUntilSettled(book: Runbook, round: Round): Promise<Round> {
  let { readers } = round;
  for (let waits = 1; ; waits++) {
    const seen = await lookAgain(book, { ...round, readers });
    ({ readers } = seen); // whoever was seen meanwhile stays a consumer
    const { containers } = seen.look;
    const starting = containers.filter(({ state }) => state === 'starting');
    const moving = containers.filter((one) => starting.includes(one) || one.terminating);
    if (moving.length === 0 && allReady(seen.look)) return seen;
    if (waits > WAITS_AT_MOST) {
      if (starting.length === 0) return seen;
      throw blocks('RolloutIncomplete', describeOthers(starting, seen.tokens));
    }
    book.note('revoke', 'waits for containers that start, end or are not ready');
    const settled = await rolledOut({ ...round, readers, sync: undefined });
    readers = withPassing(readers, settled.passing);
    if (settled.kind !== 'held') waits = WAITS_AT_MOST; // its limit is over: one more look
  }
}
