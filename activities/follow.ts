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

/** An answer that is to be followed is another than 200. */
export class NotFollowed extends Error {
  constructor(readonly status: number) {
    super(`answered with ${status}`);
  }
}

/**
 * Follows an answer that never ends, line by line, until stopped; one that ends or fails is asked
 * for again. Says only that there was a line: nothing is read of it and nothing kept, so whoever is
 * told looks for themselves.
 * @param ask makes the request, each time anew
 */
export function follow(
  ask: () => Promise<AxiosRequestConfig>,
  changed: () => void,
  signal: AbortSignal,
): void {
  void (async () => {
    for (let pauseMs = AGAIN_AFTER_MS; !signal.aborted;) {
      try {
        for await (const chunk of chunksOf(await ask(), signal))
          if (chunk.includes(NEWLINE)) changed();
        pauseMs = AGAIN_AFTER_MS;
      } catch (error) {
        const isRefused = error instanceof NotFollowed;
        pauseMs = isRefused ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : AGAIN_AFTER_MS;
      }
      await after(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  })();
}

/**
 * What an answer brings, until it ends.
 * @param longestMs then it is cut, in ms
 * @throws NotFollowed where it is no 200
 */
export async function* chunksOf(
  request: AxiosRequestConfig,
  signal: AbortSignal,
  longestMs = LONGEST_MS,
): AsyncGenerator<Buffer> {
  const cut = new AbortController();
  const stop = (): void => cut.abort();
  const timer = setTimeout(stop, longestMs).unref();
  signal.addEventListener('abort', stop);
  let data: Readable | undefined;
  try {
    signal.throwIfAborted();
    const answer = await axios.request<Readable>({
      ...request,
      responseType: 'stream',
      maxRedirects: 0,
      validateStatus: () => true,
      proxy: false,
      signal: cut.signal,
    });
    data = answer.data;
    if (answer.status !== 200) throw new NotFollowed(answer.status);
    yield* data as AsyncIterable<Buffer>;
  } finally {
    data?.destroy(); // one that was refused is not read, and would keep its connection
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
