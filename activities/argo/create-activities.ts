import ms from 'ms';
import { redact } from '../../domain/text/index.ts';
import { failure, failedWith } from '../failure.ts';
import { keepForNextAttempt, keptByLastAttempt } from '../heartbeat.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { lookUntil, type Waits } from '../polling.ts';
import type { ArgoAccount, ArgoClient, TreeNode } from './client.ts';
import type { ArgoActivities, SyncCronJob, SyncJob } from './interface.ts';

/**
 * A Job that was there first serves a token only if it is this much younger: whole seconds, two
 * clocks.
 */
const TAKE_OVER_AFTER_MS = ms('5 seconds');
const LOG_LINES = 20;
const TREE_LOOKS_EVERY_MS = 200;
/**
 * A new Job is absent from the tree for 0.1–0.4 s; where Argo CD's controller is down, for ever.
 */
const TREE_SHOWS_WITHIN_MS = ms('2 minutes');

/**
 * For this long after a Job's start, Argo CD's tree alone counts; then Kubernetes is asked, too, at
 * this interval.
 */
const TREE_IS_BELIEVED_MS = ms('1 minute');
const ASKS_KUBERNETES_EVERY_MS = ms('15 seconds');

/**
 * What a create keeps for its next attempt, should its worker die: the Jobs seen before it asked.
 */
interface LastAttempt {
  before: string[];
}

export function createArgoActivities(
  argo: ArgoClient,
  account: ArgoAccount,
  /** Knows of a Job, too: Argo CD's tree may show what is gone. */
  kubernetes: Pick<KubernetesClient, 'jobState'>,
  waits: Waits,
): ArgoActivities {
  /** The first Job that runs now: Kubernetes is asked too, for the tree may show what is over. */
  const stillRunning = async (jobs: readonly CronJobsJob[]): Promise<string | undefined> => {
    for (const job of jobs.filter(({ isOver }) => !isOver)) {
      const state = await kubernetes.jobState(job).catch(() => 'running' as const);
      if (state === 'running') return job.name;
    }
    return undefined;
  };
  return {
    async findSyncCronJob() {
      return cronJobIn(await argo.tree(), account);
    },

    async createSyncJob({ cronJobUid, notBefore, deadline }) {
      const serves = (job: SyncJob & { failed: boolean }): boolean =>
        !job.failed && Date.parse(job.createdAt) >= Date.parse(notBefore) + TAKE_OVER_AFTER_MS;
      const nodes = await argo.tree();
      const cronJob = cronJobIn(nodes, account);
      if (cronJob.uid !== cronJobUid)
        throw failure(
          'SyncCronJobChanged',
          `CronJob ${cronJob.name} has uid ${cronJob.uid} in Argo CD, the request says ${cronJobUid}`,
        );
      const jobs = jobsOf(nodes, cronJob);
      const asked = keptByLastAttempt() as LastAttempt | undefined;
      const before = asked?.before ?? jobs.map(({ uid }) => uid);
      const isNew = (job: SyncJob): boolean => !before.includes(job.uid);
      const there = jobs.findLast(serves) ?? (asked && jobs.findLast(isNew));
      if (there) return there;
      keepForNextAttempt({ before } satisfies LastAttempt);

      let running: string | undefined;
      const made = await lookUntil<SyncJob | 'accepted'>(
        async () => {
          // A Job that read the tokens earlier could write older ones over those of ours.
          const seen = jobsOf(await argo.tree(), cronJob);
          const late = seen.findLast(serves) ?? (asked && seen.findLast(isNew));
          if (late) return late;
          running = await stillRunning(seen);
          if (running !== undefined) return undefined;
          before.push(...seen.filter(isNew).map(({ uid }) => uid));
          keepForNextAttempt({ before } satisfies LastAttempt);
          const answer = await argo.createJob(cronJob.name);
          if (answer.kind === 'accepted') return 'accepted';
          // Argo CD names Jobs by the minute: the name is free again in the next, unless the Job
          // that has it serves us.
          const holder = jobsOf(await argo.tree(), cronJob).find((job) => job.name === answer.job);
          if (!holder || serves(holder)) return holder;
          before.push(holder.uid);
          keepForNextAttempt({ before } satisfies LastAttempt);
          return undefined;
        },
        {
          ...waits,
          everyMs: Math.max(waits.everyMs, ms('1 second')),
          soonestMs: ms('1 second'),
          deadline,
          nudges: (nudge, signal) => argo.watchTree(nudge, signal),
        },
      );
      if (made === undefined)
        throw failure(
          'SyncJobUnseen',
          running === undefined
            ? `the name of a new Job of ${cronJob.name} stayed taken until the deadline`
            : `Job ${running} of ${cronJob.name} runs on, and another beside it could write older tokens`,
        );
      if (made !== 'accepted') return made;
      const shown = await lookUntil(
        async () => jobsOf(await argo.tree(), cronJob).findLast(isNew),
        {
          ...waits,
          everyMs: Math.min(waits.everyMs, TREE_LOOKS_EVERY_MS),
          deadline: earlier(deadline, TREE_SHOWS_WITHIN_MS),
          nudges: (nudge, signal) => argo.watchTree(nudge, signal),
        },
      );
      if (!shown)
        throw failure(
          'SyncJobUnseen',
          `Argo CD took create-job for ${cronJob.name}, but its tree shows no new Job: its application controller may be down. The Job may have run`,
        );
      return shown;
    },

    async awaitSyncJob({ job, deadline }) {
      let asksKubernetesFrom = Date.parse(job.createdAt) + TREE_IS_BELIEVED_MS;
      const end = await lookUntil(
        async (): Promise<'complete' | 'failed' | 'gone' | undefined> => {
          const found = (await argo.tree()).find(
            (node) => node.kind === 'Job' && node.uid === job.uid,
          );
          const { status, message } = found?.health ?? {};
          if (!found) return 'gone'; // it was seen when it was made
          if (status === 'Healthy') return 'complete';
          if (status === 'Degraded') return 'failed';
          if (status === 'Suspended')
            throw failure(
              'SyncJobSuspended',
              `Job ${job.name} is suspended: ${redact(message ?? '', [job.name])}`,
            );
          if (Date.now() < asksKubernetesFrom) return undefined;
          asksKubernetesFrom = Date.now() + ASKS_KUBERNETES_EVERY_MS;
          // Without access, the tree carries the wait.
          const state = await kubernetes.jobState(job).catch(() => 'running' as const);
          return state === 'running' ? undefined : state;
        },
        { ...waits, deadline, nudges: (nudge, signal) => argo.watchTree(nudge, signal) },
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

/** The first of the configured CronJobs that the application has. */
export function cronJobIn(
  nodes: TreeNode[],
  { cronJobs, namespace, application }: ArgoAccount,
): SyncCronJob {
  for (const name of cronJobs) {
    const uid = nodes.find(
      (node) => node.kind === 'CronJob' && node.name === name && node.namespace === namespace,
    )?.uid;
    if (uid !== undefined) return { name, uid };
  }
  throw failure(
    'SyncCronJobMissing',
    `Argo CD’s application ${application} has none of ${cronJobs.join(', ')} in ${namespace}`,
  );
}

interface CronJobsJob extends SyncJob {
  failed: boolean;
  /** It has ended, or is suspended. */
  isOver: boolean;
}

/** The CronJob's Jobs, oldest first. */
export function jobsOf(nodes: TreeNode[], cronJob: SyncCronJob): CronJobsJob[] {
  return nodes
    .flatMap(({ kind, name, uid, createdAt, parentRefs, health }) =>
      kind === 'Job' &&
      uid !== undefined &&
      createdAt !== undefined &&
      parentRefs?.some((parent) => parent.kind === 'CronJob' && parent.name === cronJob.name)
        ? [
            {
              name,
              uid,
              createdAt,
              failed: health?.status === 'Degraded',
              isOver: OVER.includes(health?.status ?? ''),
            },
          ]
        : [],
    )
    .toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
}

/** Argo CD's words for a Job that does nothing any more. */
const OVER = ['Healthy', 'Degraded', 'Suspended'];

async function quoteLog(argo: ArgoClient, job: string): Promise<string> {
  let why = '';
  const tail = await argo.logTail(job, LOG_LINES).catch((error: unknown) => {
    if (failedWith(error, 'NotPermitted')) why = ` ${error.message}`;
    return '';
  });
  if (why !== '') return `Its log may not be read.${why}`;
  return tail === '' ? 'Its log is not available.' : `Its log ends: ${redact(tail, [job])}`;
}

function earlier(deadline: string, withinMs: number): string {
  return new Date(Math.min(Date.parse(deadline), Date.now() + withinMs)).toISOString();
}
