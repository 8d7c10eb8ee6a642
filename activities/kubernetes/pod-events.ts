import type { V1Pod } from '@kubernetes/client-node';
import { failure } from '../failure.ts';

/** One event of a watch: a pod as it is now, or a bookmark, which says only how far it came. */
export interface PodEvent {
  pod?: V1Pod;
  /** The next watch goes on from here. */
  version: string;
}

/** Kubernetes remembers no changes from so long ago. */
export class VersionGone extends Error {}

/** etcd takes no object of more than 1.5 MB. */
const LONGEST_LINE = 4 * 1024 * 1024;

/** @throws ContractChanged (retried) where a line is longer than any object */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
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
export function eventOf(line: string): PodEvent {
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
