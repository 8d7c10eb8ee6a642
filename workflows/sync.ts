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

/**
 * Brings the newest tokens into the Secrets: one Job of the sync CronJob, waited for to its end.
 * The first serves if it began after the token was there; a later one was asked for because that was not enough, so it must begin now.
 */
export async function synced(
  book: Runbook,
  order: { cronJob: SyncCronJob; issuedAt: string; settings: Settings },
): Promise<Sync> {
  const deadline = new Date(Date.now() + ms(order.settings.syncLimit)).toISOString();
  const notBefore = book.report.syncJobs.length === 0 ? order.issuedAt : new Date().toISOString();
  const job = await createSyncJob({ cronJob: order.cronJob, notBefore, deadline });
  if (!book.report.syncJobs.includes(job.name)) book.report.syncJobs.push(job.name);
  book.note('sync', `Job ${job.name}`);
  const { seenAt, seenHealthy } = await awaitSyncJob({ job, deadline });
  book.note('sync', `Job ${job.name} ${seenHealthy ? 'is healthy' : 'was deleted before its end was seen'}`);
  return { job: job.name, seenAt };
}
