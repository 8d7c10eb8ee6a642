import { sleep } from '@temporalio/workflow';
import ms from 'ms';
import {
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
  describeOthers,
  holds,
  running,
  sameConsumer,
} from '../../../domain/cluster/index.ts';
import { type Proof, unconfirmed } from '../../../domain/evidence/index.ts';
import { observe, type Round } from '../../../domain/rotation/index.ts';
import { isLive, isToken, type ListedToken, sameToken } from '../../../domain/tokens/index.ts';
import { activities, blocks } from '../../shared/index.ts';
import { lookAgain } from './look-again.ts';
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
  if (!proof || !book.record.hasUnconfirmedRevokes(round)) return round;
  const { soak } = settings;
  const last = await book.step('confirm', async () => {
    if (await restarted(book)) await rolledOut({ ...round, sync: undefined });
    await confirmOnce(book, round, proof, { call: false }); // caches would answer calls
    book.note(
      'confirm',
      `every running consumer holds the new token; checking again in ${soak}, with smoke calls`,
    );
    await sleep(soak);
    const seen = await confirmOnce(book, round, proof, { call: true });
    book.note(
      'confirm',
      `healthy: after ${soak}, every running consumer holds the new token, and the smoke calls that passed still pass`,
    );
    return lookAgain(book, seen); // a token may have come or gone meanwhile
  });
  return { ...last, confirmedRevokes: book.report.revoked.length };
}

/**
 * Waits for consumers that start or are not ready to call; blocks at once on a token that should
 * not be held. A later token that has become the new one is as good as the one that was proven,
 * while Signon lists that as live.
 * @returns the round, with the later token where there is one
 */
export async function confirmOnce(
  book: Runbook,
  round: Round,
  proof: Proof,
  { call }: { call: boolean },
): Promise<Round> {
  const { pair, settings } = round;
  let now = round;
  let good: ListedToken[] = [round.newToken];
  for (let looks = 1; ; looks++) {
    const others = ({ containers }: ClusterLook): ConsumingContainer[] =>
      running({ containers }).filter((one) => !good.some((token) => holds(one, token)));
    let look = await activities.lookAtConsumers(now.readers);
    if (others(look).length > 0) {
      const tokens = await activities.listTokens(pair);
      const later = observe(round, { tokens, look }, Date.now());
      now = later ?? round;
      good = tokens.filter(
        (token) =>
          isLive(token, Date.now()) &&
          ((later && isToken(later.newToken)(token)) ||
            (isToken(proof.newToken)(token) && sameToken(token, proof.newToken))),
      );
      look = await activities.lookAtConsumers(now.readers);
      if (others(look).length > 0)
        throw blocks(
          'ConfirmFailed',
          describeOthers(others(look), [...tokens, ...round.tokens]),
          others(look),
        );
    }
    const mustPass = (one: Consumer): boolean =>
      proof.consumers.some((known) => known.smoke === 'passed' && sameConsumer(known, one));
    const called = call
      ? await callAll(book, { ...now, look }, { failure: 'ConfirmFailed', tokens: good, mustPass })
      : undefined;
    const missing = unconfirmed(proof, look, called);
    if (missing === undefined) return now;
    if (looks > LOOKS) throw blocks('ConfirmFailed', missing.why, missing.containers);
    book.note('confirm', `waits: ${missing.why}`);
    await sleep(ms(settings.rolloutLimit) / LOOKS);
  }
}
