import ms from 'ms';
import { redact } from '../../domain/text/index.ts';
import { failure, failedWith } from '../failure.ts';
import { keepForNextAttempt, keptByLastAttempt } from '../heartbeat.ts';
import type { CronJobsJob, KubernetesClient } from '../kubernetes/client.ts';
import { lookUntil, type Waits } from '../polling.ts';
import type { ArgoClient } from './client.ts';
import type { ArgoActivities, SyncCronJob } from './interface.ts';

/**
 * A Job that was there first serves a token only if it is this much younger: whole seconds, two
 * clocks.
 */
const TAKE_OVER_AFTER_MS = ms('5 seconds');
const LOG_LINES = 20;
const LOOKS_EVERY_MS = ms('1 second');
/** How long a Job that Argo CD made may take to be listed. */
const LISTED_WITHIN_MS = ms('2 minutes');

/**
 * Argo CD makes the Job. Kubernetes says what becomes of it: it is of the same cluster, as the
 * CronJob's uid shows, and Argo CD's tree lags behind, for ever where its controller is down.
 */
export function createArgoActivities(
  argo: ArgoClient,
  kubernetes: Pick<KubernetesClient, 'jobsOf' | 'jobState' | 'podWatch'>,
  waits: Waits,
): ArgoActivities {
  const jobWaits = {
    ...waits,
    everyMs: Math.max(waits.everyMs, LOOKS_EVERY_MS),
    soonestMs: LOOKS_EVERY_MS,
    nudges: kubernetes.podWatch.nudges, // the Job's pod changes when the Job does
  };
  /** The Job that was just made: no other is made where it is not listed. */
  const listed = async (
    cronJob: SyncCronJob,
    before: readonly CronJobsJob[],
    latest: string,
  ): Promise<CronJobsJob> => {
    const until = Math.min(Date.parse(latest), Date.now() + LISTED_WITHIN_MS);
    const deadline = new Date(until).toISOString();
    const made = await lookUntil(
      async () => {
        const now = await kubernetes.jobsOf(cronJob);
        return now.find(({ uid }) => before.every((one) => one.uid !== uid));
      },
      { ...jobWaits, deadline },
    );
    if (made) return made;
    throw failure(
      'SyncJobUnseen',
      `Argo CD took create-job for ${cronJob.name}, but Kubernetes lists no new Job of it`,
    );
  };
  return {
    findSyncCronJob: () => argo.syncCronJob(),

    async createSyncJob({ cronJobUid, notBefore, deadline }) {
      const cronJob = await argo.syncCronJob();
      if (cronJob.uid !== cronJobUid)
        throw failure(
          'SyncCronJobChanged',
          `CronJob ${cronJob.name} has uid ${cronJob.uid} in Argo CD, but the rotation expected ${cronJobUid}: somebody replaced it. No Job was made`,
        );
      let after = (keptByLastAttempt() as number | undefined) ?? Date.parse(notBefore);
      const isLater = ({ createdAt }: CronJobsJob): boolean =>
        Date.parse(createdAt) >= after + TAKE_OVER_AFTER_MS;
      let running: string | undefined;
      const made = await lookUntil(
        async () => {
          const before = await kubernetes.jobsOf(cronJob);
          // A Job that read the tokens earlier could write older ones over those of a later Job.
          running = before.find((job) => job.state === 'running' && !isLater(job))?.name;
          if (running !== undefined) {
            after = Math.max(after, Date.now());
            keepForNextAttempt(after);
            return undefined;
          }
          // One that ended after a later Job began may have written older tokens over its own.
          const there = before.findLast(
            (job) =>
              job.state !== 'failed' &&
              isLater(job) &&
              before.every((other) => isLater(other) || hasEndedBefore(other, job)),
          );
          if (there) return there;
          // Argo CD names Jobs by the minute: a name that is taken is free again in the next.
          if (!(await argo.createJob(cronJob.name))) return undefined;
          return listed(cronJob, before, deadline);
        },
        { ...jobWaits, deadline },
      );
      if (made) return { name: made.name, uid: made.uid, createdAt: made.createdAt };
      throw failure(
        'SyncJobUnseen',
        running === undefined
          ? `no new Job of ${cronJob.name} was made: its name was in use until the deadline`
          : `Job ${running} of ${cronJob.name} still runs. A second Job could overwrite new tokens with older ones, so none was made`,
      );
    },

    async awaitSyncJob({ job, deadline }) {
      const end = await lookUntil(
        async () => {
          const state = await kubernetes.jobState(job);
          if (state === 'suspended')
            throw failure('SyncJobSuspended', `Job ${job.name} is suspended`);
          return state === 'running' ? undefined : state;
        },
        { ...jobWaits, deadline },
      );
      if (end === 'failed')
        throw failure('SyncJobFailed', `Job ${job.name} failed. ${await quoteLog(argo, job.name)}`);
      if (end === undefined)
        throw failure(
          'SyncJobUnseen',
          `Job ${job.name} did not end in time. ${await quoteLog(argo, job.name)}`,
        );
      return { seenAt: new Date().toISOString(), seenHealthy: end === 'complete' };
    },
  };
}

/** A Job that does not say when it ended may have gone on. */
function hasEndedBefore({ endedAt }: CronJobsJob, { createdAt }: CronJobsJob): boolean {
  return endedAt !== undefined && Date.parse(endedAt) <= Date.parse(createdAt);
}

async function quoteLog(argo: ArgoClient, job: string): Promise<string> {
  let why = '';
  const tail = await argo.logTail(job, LOG_LINES).catch((error: unknown) => {
    if (failedWith(error, 'NotPermitted')) why = ` ${error.message}`;
    return '';
  });
  if (why !== '') return `Its log may not be read.${why}`;
  return tail === '' ? 'Its log is not available.' : `Its log ends: ${redact(tail, [job])}`;
}
