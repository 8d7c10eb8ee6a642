import ms from 'ms';
import {
  FLAG,
  listOf,
  matching,
  MOMENT,
  object,
  oneOf,
  optional,
  type Read,
  reader,
  textUpTo,
  TIMESTAMP,
} from '../shape/index.ts';
import { MOST_CARRIED, sizeOf } from '../text/index.ts';

const TEXT = textUpTo(10_000);

/**
 * What a rotation asks of the environment's sync. Says nothing of how it is done: that stands in
 * the worker's settings.
 */
const REQUEST = {
  /** The rotation that is answered. */
  workflowId: matching(/^rotate-token\/[^\p{C}]{1,600}$/u),
  /** Told apart by this: asked twice, it counts once. */
  ticket: textUpTo(100),
  /**
   * The CronJob that the rotation saw in Argo CD and in Kubernetes: a Job of another does not serve
   * it.
   */
  cronJobUid: textUpTo(100),
  /** A Job that was created before does not serve it. */
  notBefore: TIMESTAMP,
};
export type SyncRequest = Read<typeof REQUEST>;
const readRequest = reader(REQUEST);

const SYNCED = {
  kind: oneOf(['synced']),
  job: TEXT,
  seenAt: TIMESTAMP,
  seenHealthy: FLAG,
};
/** `job` where one was made. */
const FAILED = {
  kind: oneOf(['failed']),
  type: TEXT,
  message: TEXT,
  job: optional(TEXT),
};
/** What became of a sync, for all requests that it serves. */
export type SyncResult = Read<typeof SYNCED> | Read<typeof FAILED>;
export type SyncAnswer = SyncResult & { ticket: string };
const readSynced = reader({ ...SYNCED, ticket: TEXT });
const readFailed = reader({ ...FAILED, ticket: TEXT });
export function parseSyncAnswer(input: unknown): SyncAnswer | undefined {
  return readSynced(input) ?? readFailed(input);
}

/** How requests gather before a Job is made, so that many are served by one. */
export interface Gathering {
  /** A Job is made once no request came for this long. */
  quietFor: ms.StringValue;
  /** A Job is made at the latest this long after the first request. */
  atMost: ms.StringValue;
  /** A rotation that hears nothing for so long asks again. */
  askAgainAfter: ms.StringValue;
}

export interface SyncSettings {
  /** How long a Job may take, from the request to its end. */
  limit: ms.StringValue;
  gathering: Gathering;
}

/** A request and when it came. */
const QUEUED = { request: object(REQUEST), at: MOMENT };
export type Queued = Read<typeof QUEUED>;

/**
 * A Job made for others serves a request only if created this long after its `notBefore`: times are
 * whole seconds of two clocks.
 */
const SERVES_AFTER_MS = ms('5 seconds');
/** Requests that wait at the same time. */
export const MOST_REQUESTS = 5000;
/**
 * Tickets of one rotation that wait at the same time: it has one, and a forged one must not take
 * its place.
 */
const TICKETS_EACH = 4;

/**
 * When the next Job is due: the queue has been quiet, or its first has waited long enough.
 * Undefined where nobody waits.
 */
export function nextSyncAt(
  queue: readonly Queued[],
  { quietFor, atMost }: Gathering,
): number | undefined {
  const [first] = queue;
  const last = queue.at(-1);
  if (!first || !last) return undefined;
  return Math.min(last.at + ms(quietFor), first.at + ms(atMost));
}

/** Whether a request is taken. One that is not is asked again by its rotation, if there is one. */
export function isTaken(queue: readonly Queued[], request: SyncRequest): boolean {
  const own = queue.filter(({ request: { workflowId } }) => workflowId === request.workflowId);
  return (
    !own.some(({ request: { ticket } }) => ticket === request.ticket) &&
    own.length < TICKETS_EACH &&
    queue.length < MOST_REQUESTS
  );
}

/**
 * As many requests as the server lets continue-as-new take, the first to come first. The rest is
 * asked again.
 */
export function carriable(queue: readonly Queued[]): Queued[] {
  let left = MOST_CARRIED;
  return queue.filter((one) => (left -= sizeOf(one)) > 0);
}

/**
 * The requests that a Job about to be made is for: all that ask for the same CronJob as the first.
 */
export function batchOf(queue: readonly Queued[]): Queued[] {
  const [first] = queue;
  return first
    ? queue.filter(({ request }) => request.cronJobUid === first.request.cronJobUid)
    : [];
}

/** Whether a Job serves a request that came while it was being made. */
export function serves(job: { createdAt: string }, batch: readonly Queued[], one: Queued): boolean {
  if (batch.includes(one)) return true;
  const same = batch[0]?.request.cronJobUid === one.request.cronJobUid;
  return same && Date.parse(job.createdAt) >= Date.parse(one.request.notBefore) + SERVES_AFTER_MS;
}

/** The latest moment before which a Job must not have been created, for all of a batch. */
export function latestOf(batch: readonly Queued[]): string {
  return batch
    .map(({ request }) => request.notBefore)
    .reduce((a, b) => (Date.parse(a) > Date.parse(b) ? a : b));
}

/**
 * Reads what came as a request strictly: anybody who may signal can send anything. Undefined where
 * it is none. A `notBefore` in the future becomes now: the token existed when the request came.
 * @param now ms since the epoch
 */
export function parseSyncRequest(input: unknown, now: number): SyncRequest | undefined {
  const request = readRequest(input);
  return (
    request && {
      ...request,
      notBefore: new Date(Math.min(Date.parse(request.notBefore), now)).toISOString(),
    }
  );
}

const QUEUE = listOf(object(QUEUED), undefined, MOST_REQUESTS);

/** Reads the requests that the run before passed on. Undefined where one of them is none. */
export function parseQueue(input: unknown, now: number): Queued[] | undefined {
  if (!QUEUE.is(input)) return undefined;
  return input.map(({ request, at }) => ({
    request: parseSyncRequest(request, now)!,
    at: Math.min(at, now),
  }));
}
