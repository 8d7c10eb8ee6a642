import ms from 'ms';

/** What a rotation asks of the environment's sync. */
export interface SyncRequest {
  /** The rotation that is answered. */
  workflowId: string;
  /** Told apart by this: asked twice, it counts once. */
  ticket: string;
  cronJob: { name: string; uid: string };
  /** ISO: a Job that was created before does not serve it. */
  notBefore: string;
  /** How long a Job may take, and how requests gather: the rotation's settings. */
  limit: ms.StringValue;
  gathering: Gathering;
}

/** How requests gather before a Job is made, so that many are served by one. */
export interface Gathering {
  /** Until none came for so long, */
  quietFor: ms.StringValue;
  /** but no longer than this after the first. */
  atMost: ms.StringValue;
  /** A rotation that hears nothing for so long asks again. */
  askAgainAfter: ms.StringValue;
}

/** What became of a request. */
export type SyncAnswer = { ticket: string } & (
  | { kind: 'synced'; job: string; seenAt: string; seenHealthy: boolean }
  /** `job` where one was made. */
  | { kind: 'failed'; type: string; message: string; job?: string }
);

/** A request and when it came, ms since the epoch. */
export interface Queued {
  request: SyncRequest;
  at: number;
}

/** A Job that was not made for a request serves it only if it is this much younger: whole seconds, two clocks. */
export const SERVES_AFTER_MS = ms('5 seconds');

/** When the next Job is due: the queue has been quiet, or its first has waited long enough. Undefined where nobody waits. */
export function nextSyncAt(queue: readonly Queued[]): number | undefined {
  const [first] = queue;
  const last = queue.at(-1);
  if (!first || !last) return undefined;
  const { quietFor, atMost } = first.request.gathering;
  return Math.min(last.at + ms(quietFor), first.at + ms(atMost));
}

/** The requests that a Job about to be made is for: all that ask for the same CronJob as the first. */
export function batchOf(queue: readonly Queued[]): Queued[] {
  const [first] = queue;
  return first ? queue.filter(({ request }) => request.cronJob.uid === first.request.cronJob.uid) : [];
}

/** Whether a Job serves a request that came while it was being made. */
export function serves(job: { createdAt: string }, batch: readonly Queued[], one: Queued): boolean {
  if (batch.includes(one)) return true;
  const same = batch[0]?.request.cronJob.uid === one.request.cronJob.uid;
  return same && Date.parse(job.createdAt) >= Date.parse(one.request.notBefore) + SERVES_AFTER_MS;
}

/** The latest moment before which a Job must not have been created, for all of a batch. */
export function latestOf(batch: readonly Queued[]): string {
  return batch.map(({ request }) => request.notBefore).reduce((a, b) => (Date.parse(a) > Date.parse(b) ? a : b));
}

/** Reads what came as a request strictly: anybody who may signal can send anything. Undefined where it is none. */
export function parseSyncRequest(input: unknown): SyncRequest | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const given = input as Record<string, unknown>;
  const { cronJob, gathering } = given as { cronJob?: Record<string, unknown>; gathering?: Record<string, unknown> };
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '' && value.length <= 1000;
  const isDuration = (value: unknown): boolean =>
    isText(value) && Number.isFinite(ms(value as ms.StringValue)) && ms(value as ms.StringValue) >= 0;
  const isRequest =
    [given.workflowId, given.ticket, cronJob?.name, cronJob?.uid].every(isText) &&
    isText(given.notBefore) &&
    Number.isFinite(Date.parse(given.notBefore as string)) &&
    [given.limit, gathering?.quietFor, gathering?.atMost, gathering?.askAgainAfter].every(isDuration);
  return isRequest ? (input as SyncRequest) : undefined;
}

/** Reads what came as an answer strictly. Undefined where it is none. */
export function parseSyncAnswer(input: unknown): SyncAnswer | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const given = input as Record<string, unknown>;
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '' && value.length <= 10_000;
  const isAnswer =
    isText(given.ticket) &&
    (given.kind === 'synced'
      ? isText(given.job) &&
        isText(given.seenAt) &&
        Number.isFinite(Date.parse(given.seenAt as string)) &&
        typeof given.seenHealthy === 'boolean'
      : given.kind === 'failed' &&
        isText(given.type) &&
        isText(given.message) &&
        (given.job === undefined || isText(given.job)));
  return isAnswer ? (input as SyncAnswer) : undefined;
}

/** The workflow that serves all syncs of an environment. */
export function syncTokensId(environment: string): string {
  return `sync-tokens/${environment}`;
}
