import { ApplicationFailure } from '@temporalio/workflow';
import ms from 'ms';
import { running, type ClusterLook } from '../domain/cluster.ts';
import type { Pair } from '../domain/plan.ts';
import { describeOthers } from '../domain/possession.ts';
import type { Settings } from '../domain/settings.ts';
import type { ListedToken } from '../domain/tokens.ts';
import { awaitRollout } from './activities.ts';
import type { Runbook } from './runbook.ts';
import type { Sync } from './sync.ts';

export interface Expected {
  pair: Pair;
  newToken: ListedToken;
  tokens: ListedToken[];
  settings: Settings;
  /** ISO: when the new token was there for certain. A sync Job made before counts for nothing. */
  issuedAt: string;
  /** Ids that a forced rotation must not fall back to. */
  before: number[];
  /** The sync this rollout follows, if one was needed. */
  followed?: Sync;
}

/**
 * Waits until every running container that reads the Secret holds the new token.
 * A container started after the sync with another token proves that the Secret was not updated: syncs once more, then blocks.
 * So it does where the sync was skipped, since all held the token, and some do not any more.
 */
export async function everyConsumerHolds(
  book: Runbook,
  expected: Expected & { sync: () => Promise<Sync> },
): Promise<ClusterLook> {
  const seen = await rolledOut(expected);
  const syncMayHelp = seen.kind === 'not-updated' || (seen.kind === 'incomplete' && expected.followed === undefined);
  const again = syncMayHelp ? await rolledOut({ ...expected, followed: await expected.sync() }) : seen;
  if (again.kind !== 'held') throw notHeld(again.kind, describeOthers(again.containers, expected.tokens));
  refuseUnprovable(again.look, expected.pair);
  book.note('roll out', `${running(again.look).length} running containers hold ${expected.newToken.masked}`);
  return again.look;
}

/** Blocks where a workload mounts the Secret as files: what it holds cannot be proven. */
export function refuseUnprovable(look: ClusterLook, pair: Pair): void {
  if (look.mountedBy.length > 0)
    throw ApplicationFailure.nonRetryable(
      `${look.mountedBy.join(', ')} mount ${pair.secret} as files`,
      'SecretMountedAsFile',
    );
}

/** One wait for the rollout, bounded by the setting. */
export function rolledOut({ pair, newToken, settings, followed }: Expected): ReturnType<typeof awaitRollout> {
  const deadline = new Date(Date.now() + ms(settings.rolloutLimit)).toISOString();
  return awaitRollout({ secret: pair.secret, token: newToken, sync: followed, deadline });
}

function notHeld(kind: 'not-updated' | 'incomplete', who: string): ApplicationFailure {
  return kind === 'not-updated'
    ? ApplicationFailure.nonRetryable(`started after the second sync: ${who}`, 'SecretNotUpdated')
    : ApplicationFailure.nonRetryable(who, 'RolloutIncomplete');
}
