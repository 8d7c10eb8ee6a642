import { isGrpcServiceError, type Connection } from '@temporalio/client';
import { Runtime, type WorkerOptions } from '@temporalio/worker';
import { makeCurrent, nameVersion, type DeploymentVersion } from '../domain/request/index.ts';

const NOT_FOUND = 5; // gRPC's
const ANSWERS_WITHIN_MS = 10_000;

/**
 * A versioned worker's part of the options: rotations wait for weeks, so they move on to whichever
 * version is current.
 */
export function deploymentOptions(
  version: DeploymentVersion | undefined,
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (!version) return {};
  return {
    workerDeploymentOptions: {
      version,
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}

/**
 * Warns at start that a version gets no tasks, and says what to do. Best effort: a failed check
 * stops no worker.
 */
export async function warnUnlessCurrent(
  connection: Connection,
  namespace: string,
  version: DeploymentVersion,
): Promise<void> {
  const { logger } = Runtime.instance();
  try {
    if (
      await connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () =>
        isCurrent(connection, namespace, version),
      )
    )
      return;
    logger.warn(
      `version ${nameVersion(version)} is not current, so this worker gets no tasks. Once it may take over: ${makeCurrent(version)}`,
    );
  } catch {
    logger.warn(`Temporal does not say whether version ${nameVersion(version)} is current`);
  }
}

/**
 * Whether a version is the one that gets tasks. A deployment that no worker has polled for yet has
 * none.
 */
async function isCurrent(
  { workflowService }: Connection,
  namespace: string,
  { deploymentName, buildId }: DeploymentVersion,
): Promise<boolean> {
  try {
    const { workerDeploymentInfo } = await workflowService.describeWorkerDeployment({
      namespace,
      deploymentName,
    });
    const { currentDeploymentVersion: current } = workerDeploymentInfo?.routingConfig ?? {};
    return current?.deploymentName === deploymentName && current.buildId === buildId;
  } catch (error) {
    if (isGrpcServiceError(error) && (error.code as number) === NOT_FOUND) return false;
    throw error;
  }
}
