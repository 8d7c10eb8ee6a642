import type { SyncCronJob } from '../../../activities/argo/interface.ts';
import { blocks, cronJobUid, findSyncCronJob } from '../../shared/index.ts';

/** The sync CronJob as Argo CD shows it, with the uid that Kubernetes gives the one of its name. */
export interface FoundCronJob extends SyncCronJob {
  inKubernetes?: string;
}

export async function findCronJob(): Promise<FoundCronJob> {
  const cronJob = await findSyncCronJob();
  return { ...cronJob, inKubernetes: await cronJobUid(cronJob.name) };
}

/** Blocks where Argo CD and Kubernetes are of two clusters. */
export function refuseOtherCluster({ name, uid, inKubernetes }: FoundCronJob): void {
  if (uid !== inKubernetes)
    throw blocks(
      'WrongEnvironment',
      `CronJob ${name} has uid ${uid} in Argo CD and ${inKubernetes ?? 'is not there'} in Kubernetes`,
    );
}
