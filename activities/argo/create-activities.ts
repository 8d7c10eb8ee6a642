import ms from 'ms';
import { redact } from '../../domain/redact.ts';
import { failure } from '../failure.ts';
import { lookUntil } from '../polling.ts';
import type { ArgoAccount, ArgoClient, TreeNode } from './client.ts';
import type { ArgoActivities, SyncCronJob, SyncJob } from './interface.ts';

/** A Job that was there first serves a token only if it is this much younger: whole seconds, two clocks. */
const TAKE_OVER_AFTER_MS = ms('5 seconds');
const LOG_LINES = 20;

export function createArgoActivities(argo: ArgoClient, account: ArgoAccount, everyMs: number): ArgoActivities {
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

    async createSyncJob({ cronJob, issuedAt, deadline }) {
      const youngEnough = (job: SyncJob): boolean =>
        Date.parse(job.createdAt) >= Date.parse(issuedAt) + TAKE_OVER_AFTER_MS;
      const before = jobsOf(await argo.tree(), cronJob);
      const takenOver = before.findLast(youngEnough);
      if (takenOver) return takenOver;
      const isNew = (job: SyncJob): boolean => !before.some(({ uid }) => uid === job.uid);

      const made = await lookUntil<SyncJob | 'accepted'>(
        async () => {
          const answer = await argo.createJob(cronJob.name);
          if (answer.kind === 'accepted') return 'accepted';
          // Argo CD names Jobs by the minute: the name is free again in the next, unless the Job that has it serves us.
          return jobsOf(await argo.tree(), cronJob).find((job) => job.name === answer.job && youngEnough(job));
        },
        { everyMs: Math.max(everyMs, ms('1 second')), deadline },
      );
      if (made !== undefined && made !== 'accepted') return made;
      const shown = await lookUntil(async () => jobsOf(await argo.tree(), cronJob).find(isNew), {
        everyMs: 100,
        deadline: earlier(deadline, ms('2 minutes')),
        nudges: (nudge, signal) => argo.watchTree(nudge, signal),
      });
      if (!shown)
        throw failure('SyncJobUnseen', `Argo CD took create-job for ${cronJob.name}, but its tree shows no new Job`);
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
        { everyMs, deadline, nudges: (nudge, signal) => argo.watchTree(nudge, signal) },
      );
      if (end === 'Healthy') return { seenAt: new Date().toISOString() };
      if (end === 'Degraded')
        throw failure('SyncJobFailed', `Job ${job.name} failed. ${await quoteLog(argo, job.name)}`);
      const how = end === 'Gone' ? 'was deleted before its end was seen' : 'did not end in time';
      throw failure('SyncJobUnseen', `Job ${job.name} ${how}. ${await quoteLog(argo, job.name)}`);
    },
  };
}

function jobsOf(nodes: TreeNode[], cronJob: SyncCronJob): SyncJob[] {
  return nodes.flatMap(({ kind, name, uid, createdAt, parentRefs }) =>
    kind === 'Job' &&
    uid !== undefined &&
    createdAt !== undefined &&
    parentRefs?.some((parent) => parent.kind === 'CronJob' && parent.name === cronJob.name)
      ? [{ name, uid, createdAt }]
      : [],
  );
}

async function quoteLog(argo: ArgoClient, job: string): Promise<string> {
  const tail = await argo.logTail(job, LOG_LINES).catch(() => '');
  return tail === '' ? 'Its log is not to be had.' : `Its log ends: ${redact(tail, [job])}`;
}

function earlier(deadline: string, withinMs: number): string {
  return new Date(Math.min(Date.parse(deadline), Date.now() + withinMs)).toISOString();
}
