import { activityInfo, Context, heartbeat } from '@temporalio/activity';
import { setTimeout as after } from 'node:timers/promises';
import { failure } from './failure.ts';

/** Something that may shorten a wait: calls back when the outside changes, until stopped. May fail or stay silent: polling carries the wait. */
export type Nudges = (nudge: () => void, signal: AbortSignal) => void;

/**
 * Looks until there is an answer, every `everyMs` or as soon as nudged. Heartbeats at each look, and gives way at once on shutdown or cancel.
 * @returns the answer, or undefined at the deadline
 * @throws WaitInterrupted (retried) when the worker shuts down
 */
export async function lookUntil<T>(
  look: () => Promise<T | undefined>,
  { everyMs, deadline, nudges }: { everyMs: number; deadline: string; nudges?: Nudges },
): Promise<T | undefined> {
  const { cancellationSignal, cancelled } = Context.current();
  const over = new AbortController();
  let wake = (): void => undefined;
  let nudged = false;
  nudges?.(() => {
    nudged = true;
    wake();
  }, over.signal);
  try {
    for (;;) {
      nudged = false;
      const answer = await look();
      if (answer !== undefined) return answer;
      if (Date.now() >= Date.parse(deadline)) return undefined;
      heartbeat();
      if (!nudged) {
        const pause = new AbortController();
        wake = () => pause.abort();
        await Promise.race([after(everyMs, undefined, { signal: pause.signal }).catch(() => undefined), cancelled]);
        wake = () => undefined;
        pause.abort();
      }
      cancellationSignal.throwIfAborted();
    }
  } catch (error) {
    if (
      cancellationSignal.aborted &&
      activityInfo().heartbeatTimeoutMs !== undefined &&
      isShutdown(cancellationSignal.reason)
    )
      throw failure('WaitInterrupted', 'the worker is shutting down', '1 second');
    throw error;
  } finally {
    over.abort();
  }
}

function isShutdown(reason: unknown): boolean {
  return reason instanceof Error && /WORKER_SHUTDOWN/.test(reason.message);
}
