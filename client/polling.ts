import type { Client } from '@temporalio/client';
import { isDeepStrictEqual } from 'node:util';
import {
  type DeploymentVersion,
  type Environment,
  makeCurrent,
  nameVersion,
  taskQueueOf,
} from '../domain/request/index.ts';

/** A live poller asks again at least once a minute; the server remembers pollers for longer. */
const LIVES_FOR_MS = 90_000;
const ANSWERS_WITHIN_MS = 5000;

/**
 * Why nothing moves in an environment, one sentence: no worker polls its task queue, or those that
 * do are of a version that is not current and get no tasks. Undefined where one gets tasks.
 */
export async function whyNothingMoves(
  client: Client,
  environment: Environment,
): Promise<string | undefined> {
  const queue = taskQueueOf(environment);
  const { pollers, versioningInfo } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: queue },
  });
  const polling = (pollers ?? [])
    .filter(
      ({ lastAccessTime }) =>
        Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < LIVES_FOR_MS,
    )
    .map(({ deploymentOptions: options }) =>
      Number(options?.workerVersioningMode) === VERSIONED ? versionOf(options) : undefined,
    );
  // Undefined: workers without a version get the tasks.
  const current = versionOf(versioningInfo?.currentDeploymentVersion);
  if (polling.some((version) => isDeepStrictEqual(version, current))) return undefined;
  if (polling.length === 0)
    return `No worker polls ${queue}: nothing moves and nothing answers until one does. Start a worker (docs/operations.md).`;
  const version = polling.find((one) => one !== undefined);
  const idle = `The worker that polls ${queue} gets no tasks:`;
  if (!version)
    return `${idle} version ${nameVersion(current!)} is current, and this worker has no version. Give it TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID.`;
  return `${idle} its version ${nameVersion(version)} is not current. Once it may take over: ${makeCurrent(version)}`;
}

/**
 * Whether a worker gets the tasks of an environment: without one nothing moves, and no query is
 * answered. Temporal has 5 s to say so.
 */
export function isPolled(client: Client, environment: Environment): Promise<boolean> {
  return client.withDeadline(
    Date.now() + ANSWERS_WITHIN_MS,
    async () => (await whyNothingMoves(client, environment)) === undefined,
  );
}

const VERSIONED = 2; // WorkerVersioningMode of Temporal's API

/** A version as the server names it; undefined where there is none. */
function versionOf(
  given: { deploymentName?: string | null; buildId?: string | null } | null | undefined,
): DeploymentVersion | undefined {
  return given?.deploymentName && given.buildId
    ? { deploymentName: given.deploymentName, buildId: given.buildId }
    : undefined;
}
