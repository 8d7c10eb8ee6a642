import ms from 'ms';
import { redact } from '../../domain/redact.ts';
import { failure } from '../failure.ts';
import { keepForNextAttempt, keptByLastAttempt } from '../heartbeat.ts';
import { lookUntil, type Waits } from '../polling.ts';
import type { ArgoAccount, ArgoClient, TreeNode } from './client.ts';
import type { ArgoActivities, SyncCronJob, SyncJob } from './interface.ts';

/** A Job that was there first serves a token only if it is this much younger: whole seconds, two clocks. */
const TAKE_OVER_AFTER_MS = ms('5 seconds');
const LOG_LINES = 20;
const TREE_LOOKS_EVERY_MS = 200;
/** A new Job is absent from the tree for 0.1–0.4 s; where Argo CD's controller is down, for ever. */
const TREE_SHOWS_WITHIN_MS = ms('2 minutes');

/** What a create keeps for its next attempt, should its worker die: the Jobs seen before it asked. */
interface Asked {
  before: string[];
}

export function createArgoActivities(argo: ArgoClient, account: ArgoAccount, waits: Waits): ArgoActivities {
  return {
    async findSyncCronJob() {
      const nodes = await argo.tree();
      const found = account.cronJobs
        .map((name) =>
          nodes.find((node) => node.kind === 'CronJob' && node.name === name && node.namespace === account.namespace),
        )
        .find((node) => node?.uid !== undefined);
      if (!found)
        throw failure(
          'SyncCronJobMissing',
          `Argo CD’s application ${account.application} has none of ${account.cronJobs.join(', ')}`,
        );
      return { name: found.name, uid: found.uid! };
    },

    async createSyncJob({ cronJob, notBefore, deadline }) {
      const serves = (job: SyncJob & { failed: boolean }): boolean =>
        !job.failed && Date.parse(job.createdAt) >= Date.parse(notBefore) + TAKE_OVER_AFTER_MS;
      const jobs = jobsOf(await argo.tree(), cronJob);
      const asked = keptByLastAttempt() as Asked | undefined;
      const before = asked?.before ?? jobs.map(({ uid }) => uid);
      const isNew = (job: SyncJob): boolean => !before.includes(job.uid);
      const there = jobs.findLast(serves) ?? (asked && jobs.findLast(isNew));
      if (there) return there;
      keepForNextAttempt({ before } satisfies Asked);

      const made = await lookUntil<SyncJob | 'accepted'>(
        async () => {
          const answer = await argo.createJob(cronJob.name);
          if (answer.kind === 'accepted') return 'accepted';
          // Argo CD names Jobs by the minute: the name is free again in the next, unless the Job that has it serves us.
          const holder = jobsOf(await argo.tree(), cronJob).find((job) => job.name === answer.job);
          if (!holder || serves(holder)) return holder;
          before.push(holder.uid);
          keepForNextAttempt({ before } satisfies Asked);
          return undefined;
        },
        { ...waits, everyMs: Math.max(waits.everyMs, ms('1 second')), deadline },
      );
      if (made === undefined)
        throw failure('SyncJobUnseen', `the name of a new Job of ${cronJob.name} stayed taken until the deadline`);
      if (made !== 'accepted') return made;
      const shown = await lookUntil(async () => jobsOf(await argo.tree(), cronJob).findLast(isNew), {
        ...waits,
        everyMs: Math.min(waits.everyMs, TREE_LOOKS_EVERY_MS),
        deadline: earlier(deadline, TREE_SHOWS_WITHIN_MS),
        nudges: (nudge, signal) => argo.watchTree(nudge, signal),
      });
      if (!shown)
        throw failure(
          'SyncJobUnseen',
          `Argo CD took create-job for ${cronJob.name}, but its tree shows no new Job: its application controller may be down. The Job may have run`,
        );
      return shown;
    },

    async awaitSyncJob({ job, deadline }) {
      const end = await lookUntil(
        async () => {
          const found = (await argo.tree()).find((node) => node.kind === 'Job' && node.uid === job.uid);
          if (!found) return 'Gone'; // it was seen when it was made
          const status = found.health?.status;
          return status === 'Healthy' || status === 'Degraded' ? status : undefined;
        },
        { ...waits, deadline, nudges: (nudge, signal) => argo.watchTree(nudge, signal) },
      );
      if (end === 'Degraded')
        throw failure('SyncJobFailed', `Job ${job.name} failed. ${await quoteLog(argo, job.name)}`);
      if (end === undefined)
        throw failure('SyncJobUnseen', `Job ${job.name} did not end in time. ${await quoteLog(argo, job.name)}`);
      return { seenAt: new Date().toISOString(), seenHealthy: end === 'Healthy' };
    },
  };
}

/** The CronJob's Jobs, oldest first. */
function jobsOf(nodes: TreeNode[], cronJob: SyncCronJob): (SyncJob & { failed: boolean })[] {
  return nodes
    .flatMap(({ kind, name, uid, createdAt, parentRefs, health }) =>
      kind === 'Job' &&
      uid !== undefined &&
      createdAt !== undefined &&
      parentRefs?.some((parent) => parent.kind === 'CronJob' && parent.name === cronJob.name)
        ? [{ name, uid, createdAt, failed: health?.status === 'Degraded' }]
        : [],
    )
    .toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
}

async function quoteLog(argo: ArgoClient, job: string): Promise<string> {
  const tail = await argo.logTail(job, LOG_LINES).catch(() => '');
  return tail === '' ? 'Its log is not to be had.' : `Its log ends: ${redact(tail, [job])}`;
}

function earlier(deadline: string, withinMs: number): string {
  return new Date(Math.min(Date.parse(deadline), Date.now() + withinMs)).toISOString();
}
