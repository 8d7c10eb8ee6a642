import { ApplicationFailure, condition, uuid4, workflowInfo } from '@temporalio/workflow';
import ms from 'ms';
import type { SyncCronJob } from '../activities/argo/interface.ts';
import type { Settings } from '../domain/settings.ts';
import { syncTokensId, type SyncRequest } from '../domain/sync-requests.ts';
import { requestSync } from './activities.ts';
import type { Runbook } from './runbook.ts';

/** A sync that was seen to end well. */
export interface Sync {
  job: string;
  /** ISO, by the worker's clock. */
  seenAt: string;
}

/**
 * Brings the newest tokens into the Secrets: asks the environment's `syncTokens`, which serves many rotations by one Job, and waits for
 * its answer. Whoever hears nothing asks again: that queue may have been ended by hand.
 * The first Job serves if it began after the token was there; a later one was asked for because that was not enough, so it must begin now.
 */
export async function synced(
  book: Runbook,
  order: { cronJob: SyncCronJob; issuedAt: string; settings: Settings },
): Promise<Sync> {
  const { syncLimit: limit, syncGathering: gathering } = order.settings;
  const notBefore = book.report.syncJobs.length === 0 ? order.issuedAt : new Date().toISOString();
  const { workflowId } = workflowInfo();
  const request: SyncRequest = { workflowId, ticket: uuid4(), cronJob: order.cronJob, notBefore, limit, gathering };
  const deadline = Date.now() + ms(limit) + ms(gathering.atMost);
  book.note('sync', `asked for a Job, which ${syncTokensId(book.report.environment)} makes for all that ask together`);
  for (;;) {
    await requestSync(request);
    const left = deadline - Date.now();
    const heard = await condition(
      () => book.syncAnswers.has(request.ticket),
      Math.max(1, Math.min(left, ms(gathering.askAgainAfter))),
      { summary: 'Until the sync is asked for again' },
    );
    if (heard) break;
    if (Date.now() >= deadline)
      throw ApplicationFailure.nonRetryable(
        `no sync was heard of in ${limit}: see ${request.cronJob.name}`,
        'SyncJobUnseen',
      );
  }
  const answer = book.syncAnswers.get(request.ticket)!;
  book.syncAnswers.delete(request.ticket);
  const { job } = answer;
  if (job !== undefined && !book.report.syncJobs.includes(job)) book.report.syncJobs.push(job);
  if (answer.kind === 'failed') throw ApplicationFailure.nonRetryable(answer.message, answer.type);
  const { seenAt, seenHealthy } = answer;
  book.note('sync', `Job ${job} ${seenHealthy ? 'is healthy' : 'was deleted before its end was seen'}`);
  return { job: answer.job, seenAt };
}
