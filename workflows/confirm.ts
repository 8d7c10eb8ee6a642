import { ApplicationFailure, patched, sleep } from '@temporalio/workflow';
import { running, type ConsumingContainer } from '../domain/cluster.ts';
import { describeOthers, holds } from '../domain/possession.ts';
import { listTokens, lookAtConsumers } from './activities.ts';
import { standsInTheWay } from './failure-of.ts';
import { isLive, sameToken, type ListedToken } from '../domain/tokens.ts';
import { restarted, rolledOut, type Expected } from './rollout.ts';
import type { Runbook } from './runbook.ts';
import { smokeCalls } from './smoke.ts';

/**
 * Looks at once and again after a soak: every running consumer holds the new token and its smoke call passes. A failure is an incident.
 * @param proven what the round proved; as good as a later token that has become the new one since, and that no sync has written yet
 */
export async function confirmed(book: Runbook, expected: Expected, proven: ListedToken): Promise<void> {
  const { restart } = book.takeRemedy();
  if (restart) {
    await restarted(restart);
    await rolledOut({ ...expected, followed: undefined });
  }
  await confirmOnce(book, expected, proven);
  book.note('confirm', `at once: well; again after ${expected.settings.soak}`);
  await sleep(expected.settings.soak);
  await confirmOnce(book, expected, proven);
  book.note('confirm', `at once and after ${expected.settings.soak}: well`);
}

async function confirmOnce(book: Runbook, expected: Expected, proven: ListedToken): Promise<void> {
  const { readers, newToken, tokens } = expected;
  const look = await lookAtConsumers(readers);
  const others = running(look).filter((container) => !holds(container, newToken));
  if (others.length > 0 && !(await allHoldProven(others, expected, proven)))
    throw standsInTheWay('ConfirmFailed', describeOthers(others, tokens), others);
  try {
    await smokeCalls(book, look, expected);
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'SmokeFailed')
      throw ApplicationFailure.nonRetryable(error.message, 'ConfirmFailed');
    throw error;
  }
}

/** Whether they hold what the round proved, while a later token has become the new one, and it is live still. */
async function allHoldProven(
  containers: readonly ConsumingContainer[],
  { pair, newToken }: Expected,
  proven: ListedToken,
): Promise<boolean> {
  if (newToken.authorisationId === proven.authorisationId) return false;
  if (!containers.every((container) => holds(container, proven))) return false;
  if (!patched('confirm-by-proven')) return false; // one that blocked here before goes on as it did
  return (await listTokens(pair)).some(
    (token) =>
      token.authorisationId === proven.authorisationId && sameToken(token, proven) && isLive(token, Date.now()),
  );
}
