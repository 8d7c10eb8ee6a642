import type { Readings } from '../../domain/inventory/index.ts';
import type { KubernetesClient } from './client.ts';
import { filesOf, pairSecretsOf } from './consumers.ts';

/**
 * Everything of the namespace that reads a Secret of Signon's sync: by the templates of workloads,
 * and by pods that are there.
 */
export async function findReadings(cluster: KubernetesClient): Promise<Readings> {
  const { specs: all } = await cluster.snapshot();
  return {
    variables: distinct(all.flatMap((template) => pairSecretsOf(template))),
    files: distinct(
      all.flatMap(({ workload, spec }) => filesOf(spec).map((secret) => ({ workload, secret }))),
    ),
  };
}

/** Each once: a workload's pods read what its template does. */
function distinct<T extends object>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
