import type { ArgoClient } from '../activities/argo/client.ts';
import type { SyncCronJob } from '../activities/argo/interface.ts';
import type { KubernetesClient } from '../activities/kubernetes/client.ts';
import {
  allNotChecked,
  examined,
  notChecked,
  reasonOf,
  well,
  wrong,
  type Finding,
} from './finding.ts';

export const ARGO_CHECKS = [
  'Argo CD',
  'sync CronJob',
  'Argo CD logs',
  'Argo CD create-job',
] as const;
const [APPLICATION, CRON_JOB, LOGS, CREATE_JOB] = ARGO_CHECKS;

const RBAC = 'Give its account the lines of deploy/argocd-rbac.csv.';

/**
 * Whether Argo CD shows the application to the worker's token, and its sync.
 * @returns the sync's CronJob too, where there is one
 */
export async function examineArgo(
  argo: ArgoClient,
  application: string,
  kubernetes: Pick<KubernetesClient, 'jobsOf'>,
): Promise<{ findings: Finding[]; cronJob?: SyncCronJob }> {
  try {
    await argo.tree();
  } catch (error) {
    const findings = [
      wrong(
        APPLICATION,
        reasonOf(error),
        `Check ARGOCD_URL, ARGOCD_TOKEN, and the application’s names. ${RBAC}`,
      ),
      ...allNotChecked([CRON_JOB, LOGS, CREATE_JOB], 'the application is not shown'),
    ];
    return { findings };
  }
  const seen = well(APPLICATION, `shows ${application}`);
  let cronJob: SyncCronJob;
  try {
    cronJob = await argo.syncCronJob();
  } catch (error) {
    const todo = 'Check ARGOCD_SYNC_CRONJOBS and KUBERNETES_NAMESPACE.';
    const missing = wrong(CRON_JOB, reasonOf(error), todo);
    return {
      findings: [seen, missing, ...allNotChecked([LOGS, CREATE_JOB], 'there is no sync CronJob')],
    };
  }
  const jobs = await kubernetes.jobsOf(cronJob).catch(() => []);
  const job = jobs.at(-1);
  const logs = job
    ? await examined(LOGS, RBAC, async () => {
        await argo.logTail(job.name, 1);
        return `of ${job.name} can be read`;
      })
    : notChecked(LOGS, `${cronJob.name} has no Job now whose log could be read`);
  const findings = [
    seen,
    well(CRON_JOB, cronJob.name),
    logs,
    notChecked(
      CREATE_JOB,
      'a check would create a Job; deploy/argocd-rbac.csv has the line that allows it',
    ),
  ];
  return { findings, cronJob };
}
