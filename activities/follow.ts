import axios, { type AxiosRequestConfig } from 'axios';
import { setTimeout as after } from 'node:timers/promises';

/** A connection that says nothing may be dead without anybody knowing: another is opened after so long. */
const LONGEST_MS = 10 * 60_000;
const AGAIN_AFTER_MS = 1000;
const NEWLINE = 10;

/**
 * Follows an answer that never ends, line by line, until stopped; one that ends or fails is asked for again. Says only that there was a
 * line: nothing is read of it and nothing kept, so whoever is told looks for themselves.
 * @param ask makes the request, each time anew
 */
export function follow(ask: () => Promise<AxiosRequestConfig>, changed: () => void, signal: AbortSignal): void {
  void (async () => {
    while (!signal.aborted) {
      await followOnce(ask, changed, signal).catch(() => undefined);
      await after(AGAIN_AFTER_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  })();
}

async function followOnce(
  ask: () => Promise<AxiosRequestConfig>,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  const cut = new AbortController();
  const stop = (): void => cut.abort();
  const timer = setTimeout(stop, LONGEST_MS).unref();
  signal.addEventListener('abort', stop);
  try {
    const { data } = await axios.request<AsyncIterable<Buffer>>({
      ...(await ask()),
      responseType: 'stream',
      maxRedirects: 0,
      proxy: false,
      signal: cut.signal,
    });
    for await (const chunk of data) if (chunk.includes(NEWLINE)) changed();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
