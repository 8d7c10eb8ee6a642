import axios, { type AxiosRequestConfig } from 'axios';
import type { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';

/**
 * A connection that says nothing may be dead without anybody knowing: another is opened after so
 * long.
 */
const LONGEST_MS = 10 * 60_000;
const AGAIN_AFTER_MS = 1000;
/** After refusals, the pause doubles up to this. */
const LONGEST_PAUSE_MS = 60_000;
const NEWLINE = 10;

/**
 * Follows an answer that never ends, line by line, until stopped; one that ends or fails is asked
 * for again. Says only that there was a line: nothing is read of it and nothing kept, so whoever is
 * told looks for themselves.
 * @param ask makes the request, each time anew
 * @param opened told when an answer begins, and when it has ended
 */
export function follow(
  ask: () => Promise<AxiosRequestConfig>,
  changed: () => void,
  signal: AbortSignal,
  opened: (isOpen: boolean) => void = () => undefined,
): void {
  void (async () => {
    for (let pauseMs = AGAIN_AFTER_MS; !signal.aborted;) {
      const followed = await followOnce(ask, changed, signal, opened).catch(() => false);
      opened(false);
      pauseMs = followed ? AGAIN_AFTER_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      await after(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  })();
}

/** @returns false where it was refused */
async function followOnce(
  ask: () => Promise<AxiosRequestConfig>,
  changed: () => void,
  signal: AbortSignal,
  opened: (isOpen: boolean) => void,
): Promise<boolean> {
  const cut = new AbortController();
  const stop = (): void => cut.abort();
  const timer = setTimeout(stop, LONGEST_MS).unref();
  signal.addEventListener('abort', stop);
  let data: Readable | undefined;
  try {
    const answer = await axios.request<Readable>({
      ...(await ask()),
      responseType: 'stream',
      maxRedirects: 0,
      validateStatus: () => true,
      proxy: false,
      signal: cut.signal,
    });
    data = answer.data;
    if (answer.status !== 200) return false;
    opened(true);
    for await (const chunk of data as AsyncIterable<Buffer>) if (chunk.includes(NEWLINE)) changed();
    return true;
  } finally {
    data?.destroy(); // one that was refused is not read, and would keep its connection
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
