import { ApplicationFailure } from '@temporalio/workflow';
import ms from 'ms';
import type { RolloutSeen } from '../activities/kubernetes/interface.ts';
import { running, type ClusterLook, type Readers, type Workload } from '../domain/cluster.ts';
import type { Pair } from '../domain/plan.ts';
import { describeOthers } from '../domain/possession.ts';
import type { Settings } from '../domain/settings.ts';
import type { ListedToken } from '../domain/tokens.ts';
import { awaitRollout, restartDeployments } from './activities.ts';
import { standsInTheWay } from './failure-of.ts';
import type { Runbook } from './runbook.ts';
import type { Sync } from './sync.ts';

export interface Expected {
  pair: Pair;
  readers: Readers;
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
  const { restart, sync } = book.takeRemedy();
  if (restart) await restarted(restart);
  const followed = sync ? await expected.sync() : expected.followed;
  const seen = await rolledOut({ ...expected, followed });
  const syncMayHelp = seen.kind === 'not-updated' || (seen.kind === 'incomplete' && followed === undefined);
  const again = syncMayHelp ? await rolledOut({ ...expected, followed: await expected.sync() }) : seen;
  if (again.kind !== 'held') throw notHeld(again, describeOthers(again.containers, expected.tokens));
  refuseUnprovable(again.look, expected.pair);
  const holding = running(again.look).length;
  book.note(
    'roll out',
    holding === 0
      ? 'no container that reads the token runs'
      : `${holding} running containers hold ${expected.newToken.masked}`,
  );
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
export function rolledOut({ readers, newToken, settings, followed }: Expected): ReturnType<typeof awaitRollout> {
  const deadline = new Date(Date.now() + ms(settings.rolloutLimit)).toISOString();
  return awaitRollout({ readers, token: newToken, sync: followed, deadline });
}

/** Restarts Deployments as `kubectl rollout restart` does; what else stands in the way is left. One moment for all tries, so that none restarts twice. */
export async function restarted(workloads: Workload[]): Promise<void> {
  const deployments = workloads.filter((workload) => workload.startsWith('Deployment/'));
  await restartDeployments({ deployments, at: new Date().toISOString() });
}

function notHeld(seen: Exclude<RolloutSeen, { kind: 'held' }>, who: string): ApplicationFailure {
  return seen.kind === 'not-updated'
    ? standsInTheWay('SecretNotUpdated', `started after the second sync: ${who}`, seen.containers)
    : standsInTheWay('RolloutIncomplete', who, seen.containers);
}
