import type { V1Job, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import type { Readers } from '../../domain/cluster.ts';
import { ownerOf, secretsOf, type Template } from './consumers.ts';

/** A pod with the workload it belongs to. */
export interface OwnedPod extends Template {
  pod: V1Pod;
}

interface Found {
  templates: Template[];
  pods: OwnedPod[];
}

/** All workloads and pods of the namespace at one moment, found by the Secrets they name. */
export class Snapshot {
  readonly pods: readonly OwnedPod[];
  private readonly naming = new Map<string, Found>();
  private readonly known = new Map<string, Found>();

  constructor(
    /** ISO, by the worker's clock: when the lists were asked for. */
    readonly at: string,
    readonly templates: readonly Template[],
    pods: readonly V1Pod[],
    jobs: readonly V1Job[],
  ) {
    this.pods = pods.map((pod) => ({ pod, workload: ownerOf(pod, jobs), spec: pod.spec }));
    for (const template of templates)
      for (const { templates: found } of this.entriesOf(template.workload, template.spec)) found.push(template);
    for (const pod of this.pods) for (const { pods: found } of this.entriesOf(pod.workload, pod.spec)) found.push(pod);
  }

  /** Templates and pods that name the Secret, or belong to a workload that is said to hold its token. */
  of({ secret, also }: Readers): Found {
    const found = [this.naming.get(secret), ...also.map(({ workload }) => this.known.get(workload))];
    return {
      templates: [...new Set(found.flatMap((one) => one?.templates ?? []))],
      pods: [...new Set(found.flatMap((one) => one?.pods ?? []))],
    };
  }

  private entriesOf(workload: string, spec: V1PodSpec | undefined): Found[] {
    return [
      entryOf(this.known, workload),
      ...[...new Set(secretsOf(spec))].map((secret) => entryOf(this.naming, secret)),
    ];
  }
}

function entryOf(entries: Map<string, Found>, name: string): Found {
  const found = entries.get(name) ?? { templates: [], pods: [] };
  entries.set(name, found);
  return found;
}
