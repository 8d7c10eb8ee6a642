import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import { describeOthers } from '../domain/possession.ts';
import type { ClusterLook } from '../domain/cluster.ts';
import type { Evidence } from '../domain/evidence.ts';
import { isLive, successorOf, type ListedToken } from '../domain/tokens.ts';
import { voidedBy } from '../domain/voided.ts';
import { listTokens, lookAtConsumers, revokeToken } from './activities.ts';
import { rolledOut, type Expected } from './rollout.ts';
import type { Runbook } from './runbook.ts';

/** What a fresh look found. */
export interface Fresh {
  tokens: ListedToken[];
  look: ClusterLook;
  newToken: ListedToken;
  /** ISO: when the new token was there for certain. */
  issuedAt: string;
}

/** Lists tokens and looks at every consumer afresh; which token is new is determined anew. */
export async function lookAgain(book: Runbook, expected: Expected): Promise<Fresh> {
  const { pair, newToken, settings, before } = expected;
  const [listed, look] = await Promise.all([listTokens(pair), lookAtConsumers(pair.secret)]);
  const tokens = listed.map((token) =>
    token.authorisationId === newToken.authorisationId ? { ...token, sha256: newToken.sha256 } : token,
  );
  book.report.alive = tokens.filter((token) => isLive(token, Date.now()));
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
 * Looks again right before the act, then revokes what the approval covers. Once the first revoke has begun, all run to their end.
 * Containers that start or end are waited for first, the approval kept. Where the evidence no longer holds, nothing (more) is revoked and what was found is returned.
 */
export async function revokeWhileEvidenceHolds(
  book: Runbook,
  order: Expected & { evidence: Evidence; revoke: number[] },
): Promise<'done' | Fresh> {
  const { pair, evidence } = order;
  let fresh = await lookAgain(book, order);
  if (fresh.look.containers.some(({ state, terminating }) => state === 'starting' || terminating)) {
    const settled = await rolledOut({ ...order, followed: undefined });
    fresh = await lookAgain(book, order);
    const starting = fresh.look.containers.filter(({ state }) => state === 'starting');
    if (settled.kind !== 'held' && starting.length > 0)
      throw ApplicationFailure.nonRetryable(describeOthers(starting, fresh.tokens), 'RolloutIncomplete');
  }
  const reason = voidedBy(evidence, { ...fresh, ended: book.revokesBegun, now: Date.now() });
  if (reason !== undefined) {
    book.remark(`The evidence of round ${evidence.round} no longer holds: ${reason}`);
    return fresh;
  }
  const covered = evidence.toRevoke.filter(
    ({ authorisationId }) =>
      order.revoke.includes(authorisationId) &&
      !book.report.revoked.some((revoked) => revoked.authorisationId === authorisationId),
  );
  await CancellationScope.nonCancellable(async () => {
    for (const token of covered) {
      book.revokesBegun.push(token.authorisationId);
      await revokeToken({ pair, token });
      book.report.revoked.push(token);
      book.report.alive = book.report.alive.filter(({ authorisationId }) => authorisationId !== token.authorisationId);
      book.note('revoke', `revoked ${book.report.revoked.map(({ masked }) => masked).join(', ')}`);
    }
  });
  return 'done';
}
