import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import { heldTokens } from '../domain/possession.ts';
import type { ClusterLook } from '../domain/cluster.ts';
import type { Evidence } from '../domain/evidence.ts';
import { isLive, newestOf, outlives, type ListedToken } from '../domain/tokens.ts';
import { voidedBy } from '../domain/voided.ts';
import { listTokens, lookAtConsumers, revokeToken } from './activities.ts';
import { rolledOut, type Expected } from './rollout.ts';
import type { Runbook } from './runbook.ts';

/** What a fresh look found. */
export interface Fresh {
  tokens: ListedToken[];
  look: ClusterLook;
  newToken: ListedToken;
}

/** Lists tokens and looks at every consumer afresh; which token is new is determined anew. */
export async function lookAgain(book: Runbook, { pair, newToken, settings }: Expected): Promise<Fresh> {
  const [listed, look] = await Promise.all([listTokens(pair), lookAtConsumers(pair.secret)]);
  const tokens = listed.map((token) =>
    token.authorisationId === newToken.authorisationId ? { ...token, sha256: newToken.sha256 } : token,
  );
  book.report.alive = tokens.filter((token) => isLive(token, Date.now()));
  const newest = newestOf(tokens);
  if (
    !newest ||
    (newest.authorisationId !== newToken.authorisationId && !outlives(newest, Date.now(), settings.window))
  )
    throw ApplicationFailure.nonRetryable(
      `${newToken.masked} (authorisation ${newToken.authorisationId}) is no longer listed, and no other token outlives ${settings.window}`,
      'NewTokenGone',
    );
  return { tokens, look, newToken: newest };
}

/**
 * Looks again right before the act, then revokes what the approval covers. Once the first revoke has begun, all run to their end.
 * Where the evidence no longer holds, nothing (more) is revoked and what was found is returned.
 */
export async function revokeWhileEvidenceHolds(
  book: Runbook,
  order: Expected & { evidence: Evidence; revoke: number[] },
): Promise<'done' | Fresh> {
  const { pair, evidence } = order;
  const fresh = await lookAgain(book, order);
  const ended = book.report.revoked.map(({ authorisationId }) => authorisationId);
  const why = () => voidedBy(evidence, { ...fresh, ended, now: Date.now() });
  const startsOrEnds = fresh.look.containers.some(({ state, terminating }) => state === 'starting' || terminating);
  if (why() !== undefined && startsOrEnds) {
    const settled = await rolledOut(order);
    if (settled.kind === 'held') fresh.look = settled.look;
  }
  const reason = why();
  if (reason !== undefined) {
    book.remark(`The evidence of round ${evidence.round} no longer holds: ${reason}`);
    return fresh;
  }
  const covered = evidence.toRevoke.filter(
    ({ authorisationId }) => order.revoke.includes(authorisationId) && !ended.includes(authorisationId),
  );
  const held = heldTokens(fresh.look, covered);
  if (held.length > 0) return fresh;
  await CancellationScope.nonCancellable(async () => {
    for (const token of covered) {
      await revokeToken({ pair, token });
      book.report.revoked.push(token);
      book.report.alive = book.report.alive.filter(({ authorisationId }) => authorisationId !== token.authorisationId);
      book.note('revoke', `revoked ${book.report.revoked.map(({ masked }) => masked).join(', ')}`);
    }
  });
  return 'done';
}
