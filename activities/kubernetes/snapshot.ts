import type { V1Job, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import type { Consumer, Readers } from '../../domain/cluster.ts';
import { ownerOf, secretsOf, tokenVariablesOf, type Template } from './consumers.ts';

/** A pod with the workload it belongs to. */
export interface OwnedPod extends Template {
  pod: V1Pod;
}

/** A pod, and its variables that hold a token of some pair. */
interface Holder {
  pod: V1Pod;
  variables: (Consumer & { fromPair: boolean })[];
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
  private readonly holding: Partial<Record<'everywhere' | 'copies', Holder[]>> = {};

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

  /** Pods that have a token of some pair; of copies, only those that have one from no pair's Secret. Found once: many who look share this. */
  holders(asking: Readers['asking']): Holder[] {
    const all = (this.holding.everywhere ??= this.pods
      .map((template) => ({ pod: template.pod, variables: tokenVariablesOf(template) }))
      .filter(({ variables }) => variables.length > 0));
    if (asking === undefined) return all;
    return (this.holding.copies ??= all
      .map(({ pod, variables }) => ({ pod, variables: variables.filter(({ fromPair }) => !fromPair) }))
      .filter(({ variables }) => variables.length > 0));
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
