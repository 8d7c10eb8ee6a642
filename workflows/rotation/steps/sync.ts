import { condition, uuid4, workflowInfo } from '@temporalio/workflow';
import ms from 'ms';
import { isFailure, type Round, type Sync, whyNoSync } from '../../../domain/rotation/index.ts';
import type { SyncAnswer, SyncRequest } from '../../../domain/sync/index.ts';
import { activities, blocks } from '../../shared/index.ts';
import { findCronJob } from './cron-job.ts';
import type { Runbook } from '../runbook.ts';
import { syncTokensId } from '../../../domain/names/index.ts';

/** Brings the newest tokens into the Secrets, where that is needed. */
export async function synced(book: Runbook, before: Round): Promise<Round> {
  // A run that held another token shows that the last sync did not bring this one.
  const isDisproved = book.sightings.wantsSync(before);
  const round = isDisproved
    ? { ...before, syncedFor: undefined, inSecretSince: undefined }
    : before;
  const needless = whyNoSync(round);
  if (needless !== undefined) book.skip('sync', needless);
  const sync =
    needless === undefined ? await book.step('sync', () => syncOnce(book, round)) : undefined;
  const { authorisationId } = round.newToken;
  return { ...round, sync, syncedFor: authorisationId };
}

/**
 * Asks the environment's `syncTokens`, which serves many rotations by one Job, and waits for its
 * answer. A CronJob that was made anew meanwhile is compared in Argo CD and Kubernetes again, once.
 */
export async function syncOnce(book: Runbook, round: Round): Promise<Sync> {
  let answer = await requestSync(book, round);
  if (answer.kind === 'failed' && answer.type === 'SyncCronJobChanged') {
    answer = await requestSync(book, { ...round, cronJob: await findCronJob() });
  }
  if (answer.job !== undefined) book.record.synced(answer.job);
  if (answer.kind === 'failed')
    throw blocks(isFailure(answer.type) ? answer.type : 'Unexpected', answer.message);
  const { job, seenAt, seenHealthy } = answer;
  book.note(
    'sync',
    `Job ${job} ${seenHealthy ? 'is healthy' : 'was deleted before its end was seen'}`,
  );
  return { job, seenAt, ...(!seenHealthy && { isUnsure: true }) };
}

/**
 * Asks until it is answered: somebody may have ended the workflow that syncs.
 * The first request accepts a Job that began after the token was there; a later one needs a new
 * Job, since the first was not enough.
 */
async function requestSync(
  book: Runbook,
  { cronJob, issuedAt, settings }: Round,
): Promise<SyncAnswer> {
  const { syncLimit: limit, syncGathering: gathering } = settings;
  const notBefore = book.report.syncJobs.length === 0 ? issuedAt : new Date().toISOString();
  const { workflowId } = workflowInfo();
  const request: SyncRequest = { workflowId, ticket: uuid4(), cronJobUid: cronJob.uid, notBefore };
  const queue = syncTokensId(book.report.environment);
  // It may queue behind a Job that takes all its time.
  const deadline = Date.now() + 3 * ms(limit) + ms(gathering.atMost);
  book.note('sync', `waiting for a sync Job; ${queue} makes one for all rotations that wait`);
  book.syncAnswers.set(request.ticket, undefined);
  for (;;) {
    await activities.requestSync(request);
    const left = deadline - Date.now();
    const heard = await condition(
      () => book.syncAnswers.get(request.ticket) !== undefined,
      Math.max(1, Math.min(left, ms(gathering.askAgainAfter))),
      { summary: 'Until the sync is asked for again' },
    );
    if (heard) break;
    if (Date.now() >= deadline)
      throw blocks(
        'SyncJobUnseen',
        `no sync was heard of in three times ${limit}: see the workflow ${queue}, and CronJob ${cronJob.name}`,
      );
  }
  const answer = book.syncAnswers.get(request.ticket)!;
  book.syncAnswers.delete(request.ticket);
  return answer;
}
