import { word } from './commands.ts';

/** A version of Temporal's Worker Deployment: which build of the worker gets which tasks. */
export interface DeploymentVersion {
  deploymentName: string;
  buildId: string;
}

export function nameVersion({ deploymentName, buildId }: DeploymentVersion): string {
  return `${deploymentName}/${buildId}`;
}

/** The command that makes a version current: until then its workers get no tasks. */
export function makeCurrent({ deploymentName, buildId }: DeploymentVersion): string {
  return `temporal worker deployment set-current-version --deployment-name ${word(deploymentName)} --build-id ${word(buildId)}`;
}
