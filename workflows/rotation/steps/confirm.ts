import { sleep } from '@temporalio/workflow';
import ms from 'ms';
import {
  type ConsumingContainer,
  describeOthers,
  holds,
  running,
} from '../../../domain/cluster/index.ts';
import { type Proof, unconfirmed } from '../../../domain/evidence/index.ts';
import type { Round } from '../../../domain/rotation/index.ts';
import { isLive, isToken, sameToken } from '../../../domain/tokens/index.ts';
import { blocks, listTokens, lookAtConsumers } from '../../shared/index.ts';
import { restarted, rolledOut } from './rollout.ts';
import type { Runbook } from '../runbook.ts';
import { callAll } from './smoke.ts';

/** How often to look again, within `rolloutLimit`, at what is not confirmed yet. */
const LOOKS = 10;

/**
 * After a revoke, looks at once and again after a soak: every running consumer holds the new token.
 * Server applications cache a token's look-up, so smoke calls come after the soak alone: what
 * passed before the revoke passes still. A failure is an incident. If a later token has become the
 * new one since, and no sync has written it yet, holding the proven token is enough.
 */
export async function confirmed(book: Runbook, round: Round): Promise<Round> {
  const { proof, settings } = round;
  if (!proof || !book.record.hasUnconfirmed(round)) return round;
  const { soak } = settings;
  await book.step('confirm', async () => {
    if (await restarted(book)) await rolledOut({ ...round, sync: undefined });
    await confirmOnce(book, round, proof, { call: false }); // caches would answer calls
    book.note(
      'confirm',
      `every running consumer holds the new token; smoke calls and another look come after ${soak}`,
    );
    await sleep(soak);
    await confirmOnce(book, round, proof, { call: true });
    book.note(
      'confirm',
      `checked again after ${soak}: every running consumer holds the new token, and the smoke calls that passed still pass`,
    );
  });
  return { ...round, confirmedRevokes: book.report.revoked.length };
}

/**
 * Waits for consumers that start or are not ready to call; blocks at once on a token that should
 * not be held.
 */
async function confirmOnce(
  book: Runbook,
  round: Round,
  proof: Proof,
  { call }: { call: boolean },
): Promise<void> {
  const { readers, newToken, tokens, settings } = round;
  for (let looks = 1; ; looks++) {
    const look = await lookAtConsumers(readers);
    const others = running(look).filter((container) => !holds(container, newToken));
    if (others.length > 0 && !(await allHoldProven(others, round, proof)))
      throw blocks('ConfirmFailed', describeOthers(others, tokens), others);
    const called = call ? await callAll(book, { ...round, look }, 'ConfirmFailed') : undefined;
    const missing = unconfirmed(proof, look, called);
    if (missing === undefined) return;
    if (looks > LOOKS) throw blocks('ConfirmFailed', missing.why, missing.containers);
    book.note('confirm', `waits: ${missing.why}`);
    await sleep(ms(settings.rolloutLimit) / LOOKS);
  }
}

/**
 * Whether all hold the token that the round proved, which is live still, though a later one has
 * become the new token.
 */
async function allHoldProven(
  containers: readonly ConsumingContainer[],
  { pair, newToken }: Round,
  { newToken: proven }: Proof,
): Promise<boolean> {
  if (isToken(newToken)(proven) || !containers.every((container) => holds(container, proven)))
    return false;
  const listed = (await listTokens(pair)).find(isToken(proven));
  return listed !== undefined && sameToken(listed, proven) && isLive(listed, Date.now());
}
