import {
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import ms from 'ms';
import { escapeMarkdown as text, paragraphs } from '../../domain/text/index.ts';
import {
  batchOf,
  carriable,
  isTaken,
  latestOf,
  nextSyncAt,
  parseQueue,
  parseSyncRequest,
  serves,
  type Queued,
  type SyncRequest,
  type SyncResult,
} from '../../domain/sync/index.ts';
import {
  activities,
  carriedOver,
  failureOf,
  isHistoryLong,
  syncAnswered,
  syncRequested,
} from '../shared/index.ts';

/** Histories are cut after so many Jobs, or when the server says so. */
const JOBS_PER_RUN = 50;
/**
 * Rotations looked up, or answered, at once: the server bounds what is under way and what one call
 * may hold.
 */
const AT_ONCE = 500;

/**
 * Syncs an environment's tokens for all rotations that ask: one Job at a time, and every request
 * that came before a Job was made is served by it. Answers each by a signal. Started with the first
 * request, ends when idle. Anybody may send a request, so how to sync stands in the worker's
 * settings, and only running rotations get a Job.
 * @param carried requests that the run before passed on; believed only after continue-as-new
 */
export async function syncTokens(carried?: unknown): Promise<void> {
  let queue = carriedOver(carried, (given) => parseQueue(given, Date.now())) ?? [];
  let came = 0;
  let jobs = 0;
  let said = '';
  const show = (): void => setCurrentDetails(drawQueue(queue, said));
  const isToBeCut = (): boolean => jobs >= JOBS_PER_RUN || isHistoryLong();
  setHandler(
    syncRequested,
    (input) => {
      const request = parseSyncRequest(input, Date.now());
      if (!request || !isTaken(queue, request)) return;
      queue.push({ request, at: Date.now() });
      came++;
      show();
    },
    { description: 'Sent by rotations, not by people' },
  );
  setDefaultSignalHandler(() => undefined);
  const { limit, gathering } = await activities.syncSettings();
  const nextAt = (): number => nextSyncAt(queue, gathering) ?? -Infinity;

  for (; ; jobs++) {
    // Gather: one Job for all that come together.
    for (let due = nextAt(); due > Date.now() && !isToBeCut(); due = nextAt()) {
      const known = came;
      const changed = (): boolean => came !== known || isToBeCut();
      await condition(changed, due - Date.now(), { summary: 'Until the requests have gathered' });
    }
    if (queue.length === 0) return;
    if (isToBeCut()) await continueAsNew<typeof syncTokens>(carriable(queue));

    const asking = batchOf(queue);
    const batch = await ofRotations(asking);
    queue = queue.filter((one) => !asking.includes(one) || batch.includes(one));
    if (batch.length === 0) continue;
    said = `A sync Job is being made for ${batch.length} rotations.`;
    show();
    const { result, served } = await syncOnce(
      { batch, limit },
      () => queue,
      (job) => {
        said = `Job ${job} runs, for ${batch.length} rotations.`;
        show();
      },
    );
    queue = queue.filter((one) => !served.includes(one));
    said =
      result.kind === 'synced'
        ? `Job ${result.job} ended well.`
        : `The last sync failed: ${result.type}.`;
    show();
    for (const some of inParts(await ofRotations(served)))
      await Promise.all(some.map(({ request }) => answer(request, result)));
  }
}

/**
 * One Job from request to end. Serves its batch, and whoever came while it was being made and is
 * old enough for it.
 */
async function syncOnce(
  { batch, limit }: { batch: Queued[]; limit: ms.StringValue },
  queued: () => Queued[],
  made: (job: string) => void,
): Promise<{ result: SyncResult; served: Queued[] }> {
  const [{ request }] = batch as [Queued];
  const deadline = (): string => new Date(Date.now() + ms(limit)).toISOString();
  let served = batch;
  let name: string | undefined;
  try {
    const job = await activities.createSyncJob({
      cronJobUid: request.cronJobUid,
      notBefore: latestOf(batch),
      deadline: deadline(), // another Job may have to end first
    });
    name = job.name;
    made(name);
    served = queued().filter((one) => serves(job, batch, one));
    const { seenAt, seenHealthy } = await activities.awaitSyncJob({ job, deadline: deadline() });
    return { result: { kind: 'synced', job: name, seenAt, seenHealthy }, served };
  } catch (error) {
    const { failure: type, message } = failureOf(error);
    return { result: { kind: 'failed', type, message, job: name }, served };
  }
}

/**
 * The requests of rotations that run. Where the server does not say, all of them: a Job too many
 * does no harm, a rotation left waiting does.
 */
async function ofRotations(asking: readonly Queued[]): Promise<Queued[]> {
  const ids = [...new Set(asking.map(({ request }) => request.workflowId))];
  const running = new Set<string>();
  for (const some of inParts(ids))
    for (const id of await activities.runningRotations(some).catch(() => some)) running.add(id);
  return asking.filter(({ request }) => running.has(request.workflowId));
}

/** Tells a rotation. One that is gone needs no answer. */
async function answer({ workflowId, ticket }: SyncRequest, result: SyncResult): Promise<void> {
  await getExternalWorkflowHandle(workflowId)
    .signal(syncAnswered, { ticket, ...result })
    .catch(() => undefined);
}

function inParts<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / AT_ONCE) }, (_, part) =>
    list.slice(part * AT_ONCE, (part + 1) * AT_ONCE),
  );
}

function drawQueue(queue: readonly Queued[], said: string): string {
  const shown = queue.slice(0, 20).map(({ request }) => `· ${text(request.workflowId)}`);
  const more = queue.length > shown.length ? [`· and ${queue.length - shown.length} more`] : [];
  const waiting = [`**Asked for a sync:** ${queue.length}`, ...shown, ...more].join('\n');
  return paragraphs(said, queue.length > 0 ? waiting : 'Nobody waits.');
}
