import type { SyncCronJob } from '../../../activities/argo/interface.ts';
import { activities, blocks } from '../../shared/index.ts';

/**
 * Finds the sync CronJob in Argo CD. Blocks where the CronJob of that name has another uid in
 * Kubernetes: Argo CD and Kubernetes are then two clusters.
 */
export async function findCronJob(): Promise<SyncCronJob> {
  const cronJob = await activities.findSyncCronJob();
  const { name, uid } = cronJob;
  const inKubernetes = await activities.cronJobUid(name);
  if (uid !== inKubernetes)
    throw blocks(
      'WrongEnvironment',
      `CronJob ${name} has uid ${uid} in Argo CD and ${inKubernetes ?? 'is not there'} in Kubernetes`,
    );
  return cronJob;
}
