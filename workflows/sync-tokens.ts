import {
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import ms from 'ms';
import { escapeMarkdown as text } from '../domain/markdown.ts';
import {
  batchOf,
  latestOf,
  nextSyncAt,
  parseSyncRequest,
  serves,
  type Queued,
  type SyncAnswer,
  type SyncRequest,
} from '../domain/sync-requests.ts';
import { awaitSyncJob, createSyncJob } from './activities.ts';
import { failureOf } from './failure-of.ts';
import { syncAnswered, syncRequested } from './messages.ts';

/** Histories are cut after so many Jobs, or when the server says so. */
const JOBS_PER_RUN = 100;

/** The outcome of one Job, for whoever it serves. */
type Result = SyncAnswer extends infer Answer ? (Answer extends SyncAnswer ? Omit<Answer, 'ticket'> : never) : never;

/**
 * Syncs an environment's tokens for all rotations that ask: one Job at a time, and every request that came before a Job was made is
 * served by it. Answers each by a signal. Started with the first request, ends when idle.
 * @param carried requests that a cut history hands on
 */
export async function syncTokens(carried: Queued[] = [], jobsPerRun = JOBS_PER_RUN): Promise<void> {
  let queue = [...carried];
  let came = 0;
  let said = '';
  const show = (): void => setCurrentDetails(drawQueue(queue, said));
  setHandler(
    syncRequested,
    (input) => {
      const request = parseSyncRequest(input);
      if (!request || underWay(queue, request)) return;
      queue.push({ request, at: Date.now() });
      came++;
      show();
    },
    { description: 'Sent by rotations, not by people' },
  );
  setDefaultSignalHandler(() => undefined);

  for (let jobs = 0; ; jobs++) {
    // Gather: one Job for all that come together.
    for (let due = nextSyncAt(queue); due !== undefined && due > Date.now(); due = nextSyncAt(queue)) {
      const known = came;
      await condition(() => came !== known, due - Date.now(), { summary: 'Until the requests have gathered' });
    }
    if (queue.length === 0) return;
    if (jobs >= jobsPerRun || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof syncTokens>(queue, jobsPerRun);

    const batch = batchOf(queue);
    said = `A sync Job is being made for ${batch.length} rotations.`;
    show();
    const { result, served } = await syncOnce(
      batch,
      () => queue,
      (job) => {
        said = `Job ${job} runs, for ${batch.length} rotations.`;
        show();
      },
    );
    queue = queue.filter((one) => !served.includes(one));
    said = result.kind === 'synced' ? `Job ${result.job} ended well.` : `The last sync failed: ${result.type}.`;
    show();
    await Promise.all(served.map(({ request }) => answer(request, result)));
  }
}

/** One Job from request to end. Serves its batch, and whoever came while it was being made and is old enough for it. */
async function syncOnce(
  batch: Queued[],
  queued: () => Queued[],
  made: (job: string) => void,
): Promise<{ result: Result; served: Queued[] }> {
  const [{ request }] = batch as [Queued];
  const deadline = new Date(Date.now() + ms(request.limit)).toISOString();
  let served = batch;
  let name: string | undefined;
  try {
    const job = await createSyncJob({ cronJob: request.cronJob, notBefore: latestOf(batch), deadline });
    name = job.name;
    made(name);
    served = queued().filter((one) => serves(job, batch, one));
    const { seenAt, seenHealthy } = await awaitSyncJob({ job, deadline });
    return { result: { kind: 'synced', job: job.name, seenAt, seenHealthy }, served };
  } catch (error) {
    const { type, message } = failureOf(error);
    return { result: { kind: 'failed', type, message, ...(name && { job: name }) }, served };
  }
}

/** Tells a rotation. One that is gone needs no answer. */
async function answer({ workflowId, ticket }: SyncRequest, result: Result): Promise<void> {
  await getExternalWorkflowHandle(workflowId)
    .signal(syncAnswered, { ticket, ...result })
    .catch(() => undefined);
}

function underWay(queue: readonly Queued[], { ticket }: SyncRequest): boolean {
  return queue.some(({ request }) => request.ticket === ticket);
}

function drawQueue(queue: readonly Queued[], said: string): string {
  const shown = queue.slice(0, 20).map(({ request }) => `· ${text(request.workflowId)}`);
  const more = queue.length > shown.length ? [`· and ${queue.length - shown.length} more`] : [];
  return [
    said,
    queue.length > 0 ? [`**Asked for a sync:** ${queue.length}`, ...shown, ...more].join('\n') : 'Nobody waits.',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
