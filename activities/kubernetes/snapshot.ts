import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { containersOf, sourcesOf, type Template } from './consumers.ts';
import {
  containersIn,
  isAlive,
  nextPodOf,
  ownerOf,
  type PodContainer,
  restingJobs,
} from './pods.ts';

/** A container of a template of which nothing runs or starts. */
export type IdleContainer = Pick<PodContainer, 'workload' | 'spec' | 'sources'>;

/**
 * All workloads and pods of the namespace at one moment. What many looks need of it is worked out
 * once.
 */
export class Snapshot {
  /** The templates of workloads, and of Jobs that rest. */
  readonly templates: readonly Template[];
  /** Every container that runs or may start. */
  readonly containers: readonly PodContainer[];
  /** What workloads would start next, where nothing like it runs. */
  readonly idle: readonly IdleContainer[];
  /** The templates of workloads, and pods that may run something. */
  readonly specs: readonly Template[];

  constructor(
    /** ISO, by the worker's clock: when the lists were asked for. */
    readonly at: string,
    workloads: readonly Template[],
    readonly pods: readonly V1Pod[],
    jobs: readonly V1Job[],
  ) {
    const templates = [...workloads, ...restingJobs(jobs, pods)];
    this.templates = templates;
    const next = jobs.flatMap((job) => nextPodOf(job, pods) ?? []);
    const owned = [...pods, ...next].map((pod) => {
      const workload = ownerOf(pod, jobs);
      return { pod, workload, spec: pod.spec, containers: containersIn(pod, workload) };
    });
    const hindrances = new Map(templates.map(({ workload, hindrance }) => [workload, hindrance]));
    this.containers = owned.flatMap(({ workload, containers }) => {
      const why = hindrances.get(workload);
      return containers.map((one) => ({ ...one, why: one.why ?? why }));
    });
    this.specs = [
      ...templates,
      ...owned.filter(({ pod, containers }) => isAlive(pod) || containers.length > 0),
    ];
    const idOf = ({ workload, spec }: IdleContainer): string => `${workload} ${spec.name}`;
    const there = new Map<string, Set<string>>();
    for (const one of this.containers) {
      const known = there.get(idOf(one)) ?? new Set();
      for (const source of one.sources) known.add(JSON.stringify(source));
      there.set(idOf(one), known);
    }
    this.idle = templates
      .flatMap(({ workload, spec }) =>
        containersOf(spec).map((one) => ({ workload, spec: one, sources: sourcesOf(one) })),
      )
      .filter((one) => {
        const known = there.get(idOf(one));
        // One that runs tells nothing of a source that its template got since.
        return !known || one.sources.some((source) => !known.has(JSON.stringify(source)));
      });
  }
}
