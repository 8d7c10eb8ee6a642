import { isGrpcServiceError, type Connection } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { DeploymentVersion } from '../domain/deployment.ts';

const NOT_FOUND = 5; // gRPC's

/** A versioned worker's part of the options: rotations wait for weeks, so they move on to whichever version is current. */
export function deploymentOptions(
  version: DeploymentVersion | undefined,
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (!version) return {};
  return {
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' },
  };
}

/** Whether a version is the one that gets tasks. A deployment that no worker has polled for yet has none. */
export async function isCurrent(
  { workflowService }: Connection,
  namespace: string,
  { deploymentName, buildId }: DeploymentVersion,
): Promise<boolean> {
  try {
    const { workerDeploymentInfo } = await workflowService.describeWorkerDeployment({ namespace, deploymentName });
    const { currentDeploymentVersion: current } = workerDeploymentInfo?.routingConfig ?? {};
    return current?.deploymentName === deploymentName && current.buildId === buildId;
  } catch (error) {
    if (isGrpcServiceError(error) && (error.code as number) === NOT_FOUND) return false;
    throw error;
  }
}
