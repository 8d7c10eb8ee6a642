import { ApplicationFailure, patched, sleep } from '@temporalio/workflow';
import ms from 'ms';
import { running, type ClusterLook, type ConsumingContainer } from '../domain/cluster.ts';
import type { Proof, SmokeResult } from '../domain/evidence.ts';
import { describeOthers, holds } from '../domain/possession.ts';
import { listTokens, lookAtConsumers } from './activities.ts';
import { standsInTheWay } from './failure-of.ts';
import { isLive, sameToken } from '../domain/tokens.ts';
import { unconfirmed } from '../domain/voided.ts';
import { restarted, rolledOut, type Expected } from './rollout.ts';
import type { Runbook } from './runbook.ts';
import { smokeCalls } from './smoke.ts';

/** What is not confirmed yet is looked at again, so often within the limit of a rollout. */
const LOOKS = 10;

/**
 * Looks at once and again after a soak: every running consumer holds the new token, and what passed its smoke call before the revoke
 * passes it still. A failure is an incident.
 * @param evidence what the round proved; its token is as good as a later one that has become the new one since, and that no sync has written yet
 */
export async function confirmed(book: Runbook, expected: Expected, evidence: Proof): Promise<void> {
  const { restart } = book.takeRemedy();
  if (restart) {
    await restarted(restart);
    await rolledOut({ ...expected, followed: undefined });
  }
  await confirmOnce(book, expected, evidence);
  book.note('confirm', `at once: well; again after ${expected.settings.soak}`);
  await sleep(expected.settings.soak);
  await confirmOnce(book, expected, evidence);
  book.note('confirm', `at once and after ${expected.settings.soak}: well`);
}

/** Consumers that start, or are not ready to call, are waited for; a token that should not be there is not. */
async function confirmOnce(book: Runbook, expected: Expected, evidence: Proof): Promise<void> {
  const { readers, newToken, tokens, settings } = expected;
  for (let looks = 1; ; looks++) {
    const look = await lookAtConsumers(readers);
    const others = running(look).filter((container) => !holds(container, newToken));
    if (others.length > 0 && !(await allHoldProven(others, expected, evidence)))
      throw standsInTheWay('ConfirmFailed', describeOthers(others, tokens), others);
    const missing = unconfirmed(evidence, look, await smokeOrIncident(book, look, expected));
    if (missing === undefined || !patched('confirm-waits')) return; // one that was confirmed before goes on as it did
    if (looks > LOOKS) throw standsInTheWay('ConfirmFailed', missing.why, missing.containers);
    book.note('confirm', `waits: ${missing.why}`);
    await sleep(ms(settings.rolloutLimit) / LOOKS);
  }
}

async function smokeOrIncident(book: Runbook, look: ClusterLook, expected: Expected): Promise<SmokeResult[]> {
  try {
    return await smokeCalls(book, look, expected);
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
  { newToken: proven }: Proof,
): Promise<boolean> {
  if (newToken.authorisationId === proven.authorisationId) return false;
  if (!containers.every((container) => holds(container, proven))) return false;
  if (!patched('confirm-by-proven')) return false; // one that blocked here before goes on as it did
  return (await listTokens(pair)).some(
    (token) =>
      token.authorisationId === proven.authorisationId && sameToken(token, proven) && isLive(token, Date.now()),
  );
}
