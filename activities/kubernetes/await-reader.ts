import type { V1Pod } from '@kubernetes/client-node';
import type { Interruption, SeenReader, Workload } from '../../domain/cluster/index.ts';
import { failure } from '../failure.ts';
import { keepForNextAttempt, keptByLastAttempt } from '../heartbeat.ts';
import { givingWay, pause, type Waits } from '../polling.ts';
import type { KubernetesClient } from './client.ts';
import type { ReaderOrder } from './interface.ts';
import { filesOf, pairSecretsOf } from './consumers.ts';
import { VersionGone } from './pod-watch.ts';
import { ownerOf } from './pods.ts';

/** A watch that begins so long after it was to begin was interrupted; what came and went is unseen. */
const BEGINS_WITHIN_MS = 10_000;
/** For so long, a watch that is refused or cut is opened again, as while the API server is upgraded. */
const UNTOLD_AT_MOST_MS = 600_000;
/** A server that tells of gaps without end is not asked without end. */
const AGAIN_AFTER_MS = 1000;
/** Stands for a variable where the Secret is mounted. */
const FILES = 'files of a volume';

/**
 * Waits for a pod that reads the pair's Secret, or one that the sync wrote for no pair that is
 * known (it may have the pair's token, under an older name of the API user), however short it lives: Kubernetes tells every change of
 * every pod, and each watch goes on where the one before ended, also in the next attempt. Lists the
 * pods where a watch told nothing.
 * @returns the pod; or that some changes were told to nobody
 * @throws NotPermitted (not retried) where no watch can be had for ten minutes, Unreachable
 * (retried) where not even a list can be had at first; WaitInterrupted (retried) when the worker
 * shuts down
 */
export function awaitReader(
  cluster: KubernetesClient,
  order: ReaderOrder,
  { draining, everyMs }: Waits,
  untoldAtMostMs = UNTOLD_AT_MOST_MS,
): Promise<SeenReader | Interruption> {
  /** The version up to which every change was told. */
  let { version } = (keptByLastAttempt() ?? order) as { version?: string };
  let toldAt = Date.now();
  let isTold = false;
  const told = (upTo: string): void => {
    version = upTo;
    toldAt = Date.now();
    isTold = true;
    keepForNextAttempt({ version });
  };
  const interrupted = (): Interruption => ({ interrupted: new Date().toISOString() });
  return givingWay(draining, async (ends, giveWay) => {
    for (;;) {
      giveWay();
      try {
        if (!isTold) {
          const isLate = Date.now() - Date.parse(order.from) > BEGINS_WITHIN_MS;
          const pods = await cluster.podsNow();
          const reader = pods.items.find((pod) => readerIn(pod, order));
          if (reader) return await seen(cluster, reader, order, pods.version);
          if (version === undefined ? isLate : isBefore(pods.version, version))
            return interrupted();
          if (version === undefined) told(pods.version);
        }
        isTold = false;
        for await (const event of cluster.podWatch.events(version!, ends)) {
          if (event.pod && readerIn(event.pod, order))
            return await seen(cluster, event.pod, order, event.version);
          told(event.version);
        }
        toldAt = Date.now();
      } catch (error) {
        if (!ends.aborted && error instanceof VersionGone) {
          await pause(AGAIN_AFTER_MS, ends);
          return interrupted();
        }
        if (version === undefined) throw error;
        // Days without a watch must not pass for days with one.
        if (!ends.aborted && Date.now() - toldAt > untoldAtMostMs)
          throw failure(
            'NotPermitted',
            `no watch of pods could be had for ten minutes: ${error instanceof Error ? error.message : ''}`,
          );
      }
      await pause(everyMs, ends); // nothing is lost meanwhile: the next watch goes on from here
    }
  });
}

/** Whether one version of the cluster is older than another, as after a restore. */
function isBefore(version: string, other: string): boolean {
  const are = [version, other].every((one) => /^\d+$/.test(one));
  return are && BigInt(version) < BigInt(other);
}

async function seen(
  cluster: KubernetesClient,
  pod: V1Pod,
  order: ReaderOrder,
  version: string,
): Promise<SeenReader> {
  // Without Jobs its workload is named less exactly; that it reads the Secret counts.
  const workload = ownerOf(pod, await cluster.jobs().catch(() => []));
  return { ...readerIn(pod, order)!, workload, version, at: new Date().toISOString() };
}

/** What of a pod reads such a Secret: through a variable, or as files. */
function readerIn(
  { metadata, spec }: V1Pod,
  { secret: own, ofOtherPairs }: ReaderOrder,
): Omit<SeenReader, 'at' | 'workload' | 'version'> | undefined {
  const pod = metadata?.name ?? '';
  const workload: Workload = `Pod/${pod}`;
  const isWanted = (secret: string): boolean => !ofOtherPairs.includes(secret);
  const readers = pairSecretsOf({ workload, spec }).filter(({ secret }) => isWanted(secret));
  const reader = readers.find(({ secret }) => secret === own) ?? readers[0];
  if (reader) {
    const { container, variable, secret } = reader;
    return { container, variable, pod, secret };
  }
  const [first] = spec?.containers ?? [];
  const mounted = filesOf(spec).filter(isWanted);
  const secret = mounted.includes(own) ? own : mounted[0];
  return first && secret !== undefined
    ? { container: first.name, variable: FILES, pod, secret }
    : undefined;
}
