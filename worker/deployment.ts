import type { Connection } from '@temporalio/client';
import { Runtime } from '@temporalio/worker';
import { makeCurrent, nameVersion, type DeploymentVersion } from '../domain/request/index.ts';

const ANSWERS_WITHIN_MS = 10_000;

/**
 * Warns at start that a version does not get the tasks of its queue, and says what to do. Best
 * effort: a failed check stops no worker.
 */
export async function warnUnlessCurrent(
  connection: Connection,
  queue: { namespace: string; taskQueue: { name: string } },
  version: DeploymentVersion,
): Promise<void> {
  const { logger } = Runtime.instance();
  try {
    const { versioningInfo } = await connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () =>
      connection.workflowService.describeTaskQueue(queue),
    );
    const { deploymentName, buildId } = versioningInfo?.currentDeploymentVersion ?? {};
    if (deploymentName === version.deploymentName && buildId === version.buildId) return;
    logger.warn(
      `version ${nameVersion(version)} is not current, so this worker gets no tasks. Once it may take over: ${makeCurrent(version)}`,
    );
  } catch {
    logger.warn(`Temporal does not say whether version ${nameVersion(version)} is current`);
  }
}
