import ms from 'ms';
import type { SyncCronJob } from '../activities/argo/interface.ts';
import type { Settings } from '../domain/settings.ts';
import { awaitSyncJob, createSyncJob } from './activities.ts';
import type { Runbook } from './runbook.ts';

/** A sync that was seen to end well. */
export interface Sync {
  job: string;
  /** ISO, by the worker's clock. */
  seenAt: string;
}

/** Brings the newest tokens into the Secrets: one Job of the sync CronJob, waited for to its end. */
export async function synced(
  book: Runbook,
  order: { cronJob: SyncCronJob; issuedAt: string; settings: Settings },
): Promise<Sync> {
  const deadline = new Date(Date.now() + ms(order.settings.syncLimit)).toISOString();
  const job = await createSyncJob({ cronJob: order.cronJob, issuedAt: order.issuedAt, deadline });
  if (!book.report.syncJobs.includes(job.name)) book.report.syncJobs.push(job.name);
  book.note('sync', `Job ${job.name}`);
  const { seenAt } = await awaitSyncJob({ job, deadline });
  return { job: job.name, seenAt };
}
