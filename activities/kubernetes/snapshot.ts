import type { V1Job, V1Pod } from '@kubernetes/client-node';
import {
  containersIn,
  containersOf,
  isAlive,
  ownerOf,
  sourcesOf,
  type PodContainer,
  type Template,
} from './consumers.ts';

/** A container of a workload of which nothing runs or starts. */
export type IdleContainer = Pick<PodContainer, 'workload' | 'spec' | 'sources'>;

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

  constructor(
    /** ISO, by the worker's clock: when the lists were asked for. */
    readonly at: string,
    readonly templates: readonly Template[],
    pods: readonly V1Pod[],
    jobs: readonly V1Job[],
  ) {
    const owned = pods.map((pod) => {
      const workload = ownerOf(pod, jobs);
      return { pod, workload, spec: pod.spec, containers: containersIn(pod, workload) };
    });
    const hindrances = new Map(templates.map(({ workload, hindrance }) => [workload, hindrance]));
    this.containers = owned.flatMap(({ workload, containers }) => {
      const why = hindrances.get(workload);
      return containers.map((one) => (why === undefined ? one : { ...one, why: one.why ?? why }));
    });
    this.specs = [
      ...templates,
      ...owned.filter(({ pod, containers }) => isAlive(pod) || containers.length > 0),
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
}
