import { Context } from '@temporalio/activity';
import { setTimeout as after } from 'node:timers/promises';
import { failure } from './failure.ts';

/**
 * Something that may shorten a wait: calls back when the outside changes, until stopped. May fail
 * or stay silent: polling carries the wait.
 */
export type Nudges = (nudge: () => void, signal: AbortSignal) => void;

export interface Waits {
  /** Time between looks, in ms. */
  everyMs: number;
  /**
   * Aborted when the worker begins to shut down: waits give way at once, another worker goes on
   * with them.
   */
  draining: AbortSignal;
}

/**
 * However often the outside changes, no sooner than this after the last look, unless told
 * otherwise.
 */
const SHORTEST_PAUSE_MS = 100;

/**
 * Looks until there is an answer: every `everyMs`, or as soon as nudged. A look is told how old its
 * data may be (a moment of `performance.now()`), so that many waits share one. Ends at once on
 * shutdown or cancel.
 * @returns the answer, or undefined at the deadline
 * @throws WaitInterrupted (retried) when the worker shuts down
 */
export async function lookUntil<T>(
  look: (since: number) => Promise<T | undefined>,
  {
    everyMs,
    soonestMs = SHORTEST_PAUSE_MS,
    draining,
    deadline,
    nudges,
  }: Waits & { soonestMs?: number; deadline?: string; nudges?: Nudges },
): Promise<T | undefined> {
  let nudged = new AbortController();
  let since = performance.now();
  return givingWay(draining, async (ends, giveWay) => {
    const over = new AbortController();
    ends.addEventListener('abort', () => nudged.abort());
    nudges?.(() => {
      since = performance.now(); // what was seen before says nothing any more
      nudged.abort();
    }, over.signal);
    try {
      for (;;) {
        giveWay();
        nudged = new AbortController();
        const answer = await look(since);
        if (answer !== undefined) return answer;
        if (deadline !== undefined && Date.now() >= Date.parse(deadline)) return undefined;
        const shortest = Math.min(soonestMs, everyMs);
        await pause(shortest, ends);
        await pause(everyMs - shortest, nudged.signal);
        since = Math.max(since, performance.now() - everyMs);
      }
    } finally {
      over.abort();
    }
  });
}

/**
 * Runs a wait that gives way at once when the worker shuts down or the activity is cancelled.
 * @param wait is told by a signal of its own, for on Node 20 whatever is derived from `draining`
 * stays in memory; `giveWay` throws once it is time
 */
export async function givingWay<T>(
  draining: AbortSignal,
  wait: (ends: AbortSignal, giveWay: () => void) => Promise<T>,
): Promise<T> {
  const { cancellationSignal } = Context.current();
  const ends = new AbortController();
  const end = (): void => ends.abort();
  for (const signal of [draining, cancellationSignal]) signal.addEventListener('abort', end);
  try {
    return await wait(ends.signal, () => {
      if (draining.aborted) throw shuttingDown();
      cancellationSignal.throwIfAborted();
    });
  } finally {
    for (const signal of [draining, cancellationSignal]) signal.removeEventListener('abort', end);
  }
}

/** What is given up so that another worker does it. */
export function shuttingDown(): Error {
  return failure('WaitInterrupted', 'the worker is shutting down', '1 second');
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return after(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}
