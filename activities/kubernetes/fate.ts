import { setTimeout as after } from 'node:timers/promises';
import type { ConsumingContainer } from '../../domain/cluster/index.ts';
import type { KubernetesClient } from './client.ts';
import { ranOutOfMemory } from './pods.ts';

/** How often, a second apart, a container is looked at: its status follows a second or two after. */
const LOOKS = 4;

/**
 * What became of a container in which a program of ours was killed (137): it runs on, so the
 * program was killed for itself; it went with its pod; or it died while its pod stayed, as on
 * cgroup v2 for want of memory. A Job's container does not start again.
 */
export async function fateOf(
  cluster: Pick<KubernetesClient, 'snapshot'>,
  { pod, container, startedAt }: Pick<ConsumingContainer, 'pod' | 'container' | 'startedAt'>,
  pause: (ms: number) => Promise<unknown> = after,
): Promise<'runs' | 'gone' | 'died'> {
  for (let looks = 1; ; looks++) {
    const { containers, pods } = await cluster.snapshot();
    if (pods.some((one) => one.metadata?.name === pod && ranOutOfMemory(one, container)))
      return 'died';
    const now = containers.find((one) => one.pod === pod && one.container === container);
    if (!now || now.terminating) return 'gone';
    if (now.startedAt !== startedAt) return 'died';
    if (looks === LOOKS) return 'runs';
    await pause(1000);
  }
}
