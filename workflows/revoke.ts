import { ActivityFailure, ApplicationFailure, CancellationScope, sleep } from '@temporalio/workflow';
import ms from 'ms';
import type { Revoked } from '../activities/signon/interface.ts';
import type { ClusterLook } from '../domain/cluster.ts';
import type { Evidence, TokenToRevoke } from '../domain/evidence.ts';
import type { Pair } from '../domain/plan.ts';
import { describeOthers } from '../domain/possession.ts';
import type { Settings } from '../domain/settings.ts';
import { isLive, successorOf, withKnownDigest, type ListedToken } from '../domain/tokens.ts';
import { smokeThatLapsed, voidedBy } from '../domain/voided.ts';
import { listTokens, lookAtConsumers, revokeToken } from './activities.ts';
import { refuseUnprovable, rolledOut, type Expected } from './rollout.ts';
import type { Runbook } from './runbook.ts';
import { smokeCalls } from './smoke.ts';

/** A revoke follows its look within this time, or looks again. */
const LOOK_HOLDS_FOR = ms('2 minutes');
const LOOKS_AT_MOST = 5;
/** How many looks one approval takes, however many tokens it covers. */
const LOOKS_FOR_ALL = 20;
/** How often, while pods may take to start, is looked whether they have. */
const STARTS_LOOKED_FOR = 10;
/** Rollouts come one after the other: how many are waited for before a look. */
const WAITS_AT_MOST = 3;

/** What a fresh look found. */
export interface Fresh {
  tokens: ListedToken[];
  look: ClusterLook;
  newToken: ListedToken;
  /** ISO: when the new token was there for certain. */
  issuedAt: string;
}

/** All that an approval covers is revoked. */
export interface Done {
  done: true;
  /** The pair's tokens as listed right after the last revoke. */
  listed?: Pick<Revoked, 'tokens' | 'listedAt'>;
}

/** Lists tokens, unless they just were, and looks at every consumer afresh; which token is new is determined anew. */
export async function lookAgain(book: Runbook, expected: Expected, listedBefore?: Done['listed']): Promise<Fresh> {
  const { pair, readers, newToken, settings, before } = expected;
  const stillHolds = listedBefore && Date.now() - Date.parse(listedBefore.listedAt) <= LOOK_HOLDS_FOR;
  const [listed, look] = await Promise.all([
    stillHolds ? listedBefore.tokens : listTokens(pair),
    lookAtConsumers(readers),
  ]);
  refuseUnprovable(look, pair);
  const tokens = withKnownDigest(listed, newToken);
  book.report.alive = tokens.filter((token) => isLive(token, Date.now()));
  book.countRevoked(tokens);
  const successor = successorOf(newToken, tokens, { before, window: settings.window, now: Date.now() });
  if (!successor)
    throw ApplicationFailure.nonRetryable(
      `${newToken.masked} (authorisation ${newToken.authorisationId}) is no longer listed, and no other token can take its place`,
      'NewTokenGone',
    );
  const same = successor.authorisationId === newToken.authorisationId;
  if (!same) {
    book.remark(`${successor.masked} (authorisation ${successor.authorisationId}) has become the new token`);
    book.report.origin = 'adopted';
  }
  book.report.newToken = successor;
  return { tokens, look, newToken: successor, issuedAt: same ? expected.issuedAt : new Date().toISOString() };
}

/**
 * Revokes what the approval covers, each token right after a fresh look; of more than twenty, several after each look, for every look stays
 * in the history. Once the first revoke has begun, all run to their end.
 * Where the evidence no longer holds, nothing (more) is revoked and what was found is returned.
 */
export async function revokeWhileEvidenceHolds<Seen extends Pick<Fresh, 'tokens' | 'look'>>(
  book: Runbook,
  order: {
    pair: Pair;
    evidence: Evidence;
    revoke: number[];
    /** Lists the tokens and looks at every consumer. */
    lookAfresh: () => Promise<Seen>;
  },
): Promise<Done | Seen> {
  const { evidence, revoke } = order;
  const left = (): TokenToRevoke[] =>
    evidence.toRevoke.filter(
      ({ authorisationId }) => revoke.includes(authorisationId) && !book.hasRevoked(authorisationId),
    );
  const begunBefore = book.revokesBegun.length;
  const perLook = Math.ceil(left().length / LOOKS_FOR_ALL);
  for (let tooOld = 0; ;) {
    // Once the first is sent, all that was approved runs to its end, looks included.
    const begun = book.revokesBegun.length > begunBefore;
    const fresh = await (begun ? CancellationScope.nonCancellable(order.lookAfresh) : order.lookAfresh());
    if (left().length === 0) return { done: true };
    const reasonNow = (seen: Pick<Fresh, 'tokens' | 'look'>): string | undefined => {
      const ended = book.revokesBegun.map(({ authorisationId }) => authorisationId);
      return voidedBy(evidence, { ...seen, ended, now: Date.now() });
    };
    const reason = reasonNow(fresh);
    if (reason !== undefined) {
      book.remark(`The evidence of round ${evidence.round} no longer holds: ${reason}`);
      return fresh;
    }
    const notAfter = new Date(Date.parse(fresh.look.at) + LOOK_HOLDS_FOR).toISOString();
    for (const token of left().slice(0, perLook)) {
      const revoked = await CancellationScope.nonCancellable(async () => {
        if (book.report.revoked.length === 0) book.stopIfAsked(); // before the first, a stop still counts
        book.revokesBegun.push(token);
        return revokeToken({ pair: order.pair, token, notAfter }).catch(unlessTooOld);
      });
      if (!revoked && ++tooOld >= LOOKS_AT_MOST)
        throw ApplicationFailure.nonRetryable(`${tooOld} looks grew too old before the revoke`, 'LookTooOld');
      if (!revoked) break;
      tooOld = 0;
      book.countRevoked([], [token]);
      if (left().length === 0) return { done: true, listed: revoked };
      // What the page listed after this revoke may end the approval before the next.
      if (reasonNow({ ...fresh, tokens: revoked.tokens }) !== undefined) break;
    }
  }
}

/** Looks until containers that were starting have started, and can be asked; those that the evidence names were accepted. */
export async function untilStarted<Seen extends Pick<Fresh, 'look'>>(
  look: () => Promise<Seen>,
  { rolloutLimit }: Settings,
  { searched }: Evidence,
): Promise<Seen> {
  for (let looks = 1; ; looks++) {
    const seen = await look();
    const news = (seen.look.searched?.starting ?? []).filter((one) => !searched?.starting.includes(one));
    if (news.length === 0 || looks > STARTS_LOOKED_FOR) return seen;
    await sleep(ms(rolloutLimit) / STARTS_LOOKED_FOR);
  }
}

/** Revokes what the approval of a proven rollout covers; where the evidence is old, the smoke calls must pass again first. */
export async function revokeProven(
  book: Runbook,
  order: Expected & { evidence: Evidence; revoke: number[] },
): Promise<Done | Fresh> {
  const lapsed = await smokeLapsed(book, order);
  if (lapsed === undefined)
    return revokeWhileEvidenceHolds(book, {
      ...order,
      lookAfresh: () => untilStarted(() => lookUntilSettled(book, order), order.settings, order.evidence),
    });
  book.remark(`The evidence of round ${order.evidence.round} no longer holds: ${lapsed}`);
  return lookAgain(book, order);
}

/** Repeats the smoke calls where the evidence is old: what passed must pass again. Says what did not, undefined where all did. */
async function smokeLapsed(book: Runbook, order: Expected & { evidence: Evidence }): Promise<string | undefined> {
  const { evidence, settings } = order;
  if (Date.now() - Date.parse(evidence.gatheredAt) <= ms(settings.evidenceHoldsFor)) return undefined;
  const { look } = await lookUntilSettled(book, order);
  const lapsed = smokeThatLapsed(evidence, await smokeCalls(book, look, order));
  if (lapsed === undefined) book.note('revoke', 'the smoke calls passed again');
  return lapsed;
}

/** A revoke that came too late after its look asks for another look; any other failure is one. */
function unlessTooOld(error: unknown): undefined {
  if (
    error instanceof ActivityFailure &&
    error.cause instanceof ApplicationFailure &&
    error.cause.type === 'LookTooOld'
  )
    return undefined;
  throw error;
}

/** Looks again; containers that start or end are waited for first, the approval kept. */
async function lookUntilSettled(book: Runbook, order: Expected): Promise<Fresh> {
  for (let waits = 1; ; waits++) {
    const fresh = await lookAgain(book, order);
    const starting = fresh.look.containers.filter(({ state }) => state === 'starting');
    const moving = fresh.look.containers.filter((one) => starting.includes(one) || one.terminating);
    if (moving.length === 0) return fresh;
    if (waits > WAITS_AT_MOST) {
      if (starting.length === 0) return fresh;
      throw ApplicationFailure.nonRetryable(describeOthers(starting, fresh.tokens), 'RolloutIncomplete');
    }
    book.note('revoke', `waits for ${moving.length} containers that start or end`);
    const settled = await rolledOut({ ...order, followed: undefined });
    if (settled.kind !== 'held') waits = WAITS_AT_MOST; // its limit is over: one more look
  }
}
