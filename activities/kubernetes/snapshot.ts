import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { Consumer, Workload } from '../../domain/cluster/index.ts';
import {
  containersIn,
  containersOf,
  isAlive,
  ownerOf,
  readersIn,
  sourcesOf,
  type PodContainer,
  type Source,
  type Template,
} from './consumers.ts';

/** A pod with the workload it belongs to. */
interface OwnedPod extends Template {
  pod: V1Pod;
}

/** A container of a workload of which nothing runs or starts, and where its variables come from. */
export interface IdleContainer {
  workload: Workload;
  spec: PodContainer['spec'];
  sources: Source[];
}

/**
 * All workloads and pods of the namespace at one moment. What many looks need of it is worked out
 * once.
 */
export class Snapshot {
  /** Every container that runs or may start. */
  readonly containers: readonly PodContainer[];
  /** What workloads would start next, where nothing of them runs. */
  readonly idle: readonly IdleContainer[];
  /** The templates of workloads, and pods that may run something. */
  readonly specs: readonly Template[];
  private readonly sources = new Map<PodContainer, Source[]>();
  private readonly readers = new Map<string, Consumer[]>();

  constructor(
    /** ISO, by the worker's clock: when the lists were asked for. */
    readonly at: string,
    readonly templates: readonly Template[],
    pods: readonly V1Pod[],
    jobs: readonly V1Job[],
  ) {
    const owned = pods.map((pod): OwnedPod => ({
      pod,
      workload: ownerOf(pod, jobs),
      spec: pod.spec,
    }));
    const hindrances = new Map(templates.map(({ workload, hindrance }) => [workload, hindrance]));
    this.containers = owned.flatMap(({ pod, workload }) => {
      const why = hindrances.get(workload);
      return containersIn(pod, workload).map((one) =>
        why === undefined ? one : { ...one, why: one.why ?? why },
      );
    });
    this.specs = [
      ...templates,
      ...owned.filter(
        ({ pod, workload }) => isAlive(pod) || containersIn(pod, workload).length > 0,
      ),
    ];
    const there = new Set(
      this.containers.map(({ workload, container }) => `${workload} ${container}`),
    );
    this.idle = templates.flatMap(({ workload, spec }) =>
      containersOf(spec)
        .filter(({ name }) => !there.has(`${workload} ${name}`))
        .map((container) => ({ workload, spec: container, sources: sourcesOf(container) })),
    );
  }

  /** Consumers by the templates of workloads, whether something of them runs or not. */
  readersOf(secret: string): Consumer[] {
    const known =
      this.readers.get(secret) ?? this.templates.flatMap((template) => readersIn(template, secret));
    this.readers.set(secret, known);
    return known;
  }

  /** Where a container's variables come from; none where it cannot hold a token. */
  sourcesOf(container: PodContainer): Source[] {
    const known = this.sources.get(container) ?? sourcesOf(container.spec);
    this.sources.set(container, known);
    return known;
  }
}
