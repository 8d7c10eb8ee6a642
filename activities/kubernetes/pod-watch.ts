import { ApiException, type V1Pod } from '@kubernetes/client-node';
import { ApplicationFailure } from '@temporalio/common';
import axios, { type AxiosRequestConfig } from 'axios';
import type { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import { failure, failedWith } from '../failure.ts';
import type { Nudges } from '../polling.ts';

/** One event of a watch: a pod as it is now, or a bookmark, which says only how far it came. */
export interface PodEvent {
  pod?: V1Pod;
  /** The next watch goes on from here. */
  version: string;
}

/** Kubernetes remembers no changes from so long ago. */
export class VersionGone extends Error {}

const WATCHES_FOR_S = 300;
const AGAIN_AFTER_MS = 1000;
/** After refusals, the pause doubles up to this. */
const LONGEST_PAUSE_MS = 60_000;
/** A connection that died says nothing: every event is known at most so much later. */
const EVENTS_FOR_S = 30;

export class PodWatch {
  /** Told of every change of a pod, by one watch for all. */
  private readonly watchers = new Set<() => void>();
  private watching?: AbortController;

  constructor(
    private readonly api: {
      /** A request for the pods, with the credential. */
      request: (query: Record<string, string>) => Promise<AxiosRequestConfig>;
      version: () => Promise<string>;
      /** The failure that an error stands for. */
      rebuilt: (error: unknown) => Error;
    },
  ) {}

  /**
   * Calls back whenever a pod changes, until stopped. A watch that was cut is opened again;
   * meanwhile this is silent.
   */
  readonly nudges: Nudges = (changed, signal) => {
    if (signal.aborted) return;
    this.watchers.add(changed);
    signal.addEventListener('abort', () => {
      this.watchers.delete(changed);
      if (this.watchers.size > 0) return;
      this.watching?.abort();
      this.watching = undefined;
    });
    if (this.watching) return;
    this.watching = new AbortController();
    void this.tellOfChanges(this.watching.signal);
  };

  private async tellOfChanges(signal: AbortSignal): Promise<void> {
    for (let pauseMs = AGAIN_AFTER_MS; !signal.aborted;) {
      try {
        for await (const _ of this.events(await this.api.version(), signal, WATCHES_FOR_S))
          for (const watcher of this.watchers) watcher();
        pauseMs = AGAIN_AFTER_MS;
      } catch (error) {
        const isRefused = failedWith(error, 'NotPermitted');
        pauseMs = isRefused ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : AGAIN_AFTER_MS;
      }
      await after(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /**
   * Every pod that changed since a version, as Kubernetes tells it, until it ends the watch after
   * half a minute. None is left out: the next watch goes on from the version that came last.
   * @throws VersionGone where Kubernetes no longer remembers that version
   */
  async *events(
    since: string,
    signal: AbortSignal,
    seconds = EVENTS_FOR_S,
  ): AsyncGenerator<PodEvent> {
    const cut = new AbortController();
    const stop = (): void => cut.abort();
    const timer = setTimeout(stop, (seconds + 5) * 1000).unref();
    signal.addEventListener('abort', stop);
    let data: Readable | undefined;
    try {
      signal.throwIfAborted();
      const answer = await axios.request<Readable>({
        ...(await this.api.request({
          watch: 'true',
          resourceVersion: since,
          allowWatchBookmarks: 'true',
          timeoutSeconds: String(seconds),
        })),
        responseType: 'stream',
        maxRedirects: 0,
        validateStatus: () => true,
        proxy: false,
        signal: cut.signal,
      });
      data = answer.data;
      if (answer.status === 410) throw new VersionGone();
      if (answer.status !== 200) throw new ApiException(answer.status, '', undefined, {});
      for await (const line of linesOf(data as AsyncIterable<Buffer>)) yield eventOf(line);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof VersionGone || error instanceof ApplicationFailure
        ? error
        : this.api.rebuilt(error);
    } finally {
      data?.destroy(); // one that was refused is not read, and would keep its connection
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }
}

/** etcd takes no object of more than 1.5 MB. */
const LONGEST_LINE = 4 * 1024 * 1024;

/** @throws ContractChanged (retried) where a line is longer than any object */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > LONGEST_LINE)
      throw failure('ContractChanged', 'Kubernetes sent a line of more than 4 MB in a watch');
  }
}

/**
 * Reads one line of a watch.
 * @throws VersionGone; ContractChanged where it is no event
 */
function eventOf(line: string): PodEvent {
  let event: { type?: unknown; object?: V1Pod & { code?: unknown } } | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch {
    event = null;
  }
  const { type, object } = event ?? {};
  if (type === 'ERROR' && object?.code === 410) throw new VersionGone();
  const version = object?.metadata?.resourceVersion;
  if (typeof type !== 'string' || type === 'ERROR' || typeof version !== 'string')
    throw failure('ContractChanged', 'Kubernetes sent no event in a watch');
  return type === 'BOOKMARK' ? { version } : { pod: object, version };
}
