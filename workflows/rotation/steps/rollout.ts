import ms from 'ms';
import {
  describeOthers,
  distinctConsumers,
  running,
  seenHeld,
} from '../../../domain/cluster/index.ts';
import {
  readersAfter,
  type Round,
  type Sync,
  withPassing,
} from '../../../domain/rotation/index.ts';
import { isToken, successorOf } from '../../../domain/tokens/index.ts';
import { activities, blocks } from '../../shared/index.ts';
import { refuseReadInCluster, refuseUnprovable } from './assess.ts';
import type { Runbook } from '../runbook.ts';
import { lookAtHolders } from './look-at-holders.ts';
import { syncOnce } from './sync.ts';

/**
 * Waits until every running container that reads the Secret holds the new token. Undefined where
 * another token has become the new one, so that the containers hold that, or something changed just
 * now.
 * A container started after the sync with another token proves that the Secret was not updated:
 * syncs once more, then blocks. So it does where the sync was skipped, since all held the token,
 * and some do not any more.
 */
export function everyConsumerHolds(book: Runbook, before: Round): Promise<Round | undefined> {
  // Kept over a retry: who passed by meanwhile; the last sync; and that it did not bring the token,
  // so that its end tells nothing of the Secret.
  let round = before;
  let isNotUpdated = false;
  const wait = async (sync: Sync | undefined): ReturnType<typeof rolledOut> => {
    const seen = await rolledOut({ ...round, sync });
    round = { ...round, readers: withPassing(round.readers, seen.passing) };
    // A run with a fresh history syncs anew: it knows nothing of what came of this sync.
    book.keep({ ...round, syncedFor: undefined });
    return seen;
  };
  return book.step('roll out', async () => {
    book.sightings.refuseWhatWasSeen(round);
    await restarted(book);
    const isAsked = book.retries.takeRemedy('sync') === true;
    if (isAsked || isNotUpdated) round = { ...round, sync: await syncOnce(book, round) };
    let { sync } = round;
    let seen = await wait(sync);
    const isUnsure = sync?.isUnsure === true && !showsToken(seen);
    if (seen.kind === 'not-updated' || (seen.kind === 'incomplete' && !sync) || isUnsure) {
      if (seen.kind === 'not-updated') round = { ...round, inSecretSince: undefined };
      const first = sync?.seenAt;
      sync = { ...(await syncOnce(book, round)), firstSeenAt: first };
      round = { ...round, sync }; // after a retry, the first counts for nothing
      seen = await wait(sync);
      isNotUpdated = seen.kind === 'not-updated';
    }
    if (seen.kind !== 'held') {
      if (await isSuperseded(round)) return undefined;
      const who = describeOthers(seen.containers, round.tokens);
      if (seen.kind === 'not-updated')
        throw blocks('SecretNotUpdated', `started after the second sync: ${who}`, seen.containers);
      const how =
        seen.kind === 'stale'
          ? 'started with the Secret’s old value, which their nodes had kept: '
          : '';
      throw blocks('RolloutIncomplete', how + who, seen.containers);
    }
    const { readers } = round;
    if (seen.look.census.otherSecrets.length > 0)
      round = { ...round, readers: (await lookAtHolders(readers)).readers };
    if (round.readers !== readers) seen = await wait(sync);
    if (seen.kind !== 'held') return undefined; // it changed right now: another round looks again
    const { look, inSecretSince } = seen;
    refuseUnprovable(look, round.pair);
    refuseReadInCluster(look, round.recipient);
    const holding = running(look);
    const all = `${holding.length} running containers (of ${distinctConsumers(holding).length} consumers) hold ${round.newToken.masked}`;
    book.note(
      'roll out',
      holding.length === 0 ? 'no container that can be asked reads the token' : all,
    );
    return {
      ...round,
      sync,
      look,
      inSecretSince,
      readers: readersAfter(round.readers, round.tokens, look, round.newToken),
      everHeld: seenHeld(round.everHeld, look.containers, round.known),
    };
  });
}

/**
 * Whether a rollout shows that the Secret has the token, or nobody is to have it. An answer of the
 * version that knew no unsure sync always says since when, so that its histories replay.
 */
function showsToken(seen: Awaited<ReturnType<typeof rolledOut>>): boolean {
  if (seen.inSecretSince !== undefined) return true;
  return seen.kind === 'held' && seen.look.consumers.length === 0;
}

/** Whether Signon lists the round's token no more, or a later one that the sync writes. */
async function isSuperseded({ pair, newToken, before, settings }: Round): Promise<boolean> {
  const about = { before, window: settings.window, now: Date.now() };
  const successor = successorOf(newToken, await activities.listTokens(pair), about);
  return !successor || !isToken(newToken)(successor);
}

/** One wait for the rollout, bounded by the setting. */
export function rolledOut(round: Round): ReturnType<typeof activities.awaitRollout> {
  const { readers, newToken: token, inSecretSince, settings, sync } = round;
  const deadline = new Date(Date.now() + ms(settings.rolloutLimit)).toISOString();
  return activities.awaitRollout({ readers, token, inSecretSince, sync, deadline });
}

/**
 * Restarts the Deployments that a retry asked for, as `kubectl rollout restart` does. One moment
 * for all tries, so that none restarts twice.
 */
export async function restarted(book: Runbook): Promise<boolean> {
  const deployments = book.retries.takeRemedy('restart');
  if (deployments)
    await activities.restartDeployments({ deployments, at: new Date().toISOString() });
  return deployments !== undefined;
}
