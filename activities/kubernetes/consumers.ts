import type { V1Container, V1ContainerStatus, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import type { Consumer, ConsumingContainer, Workload } from '../../domain/cluster.ts';

/** A workload's name and what its pods are made of. */
export interface Template {
  workload: Workload;
  spec: V1PodSpec | undefined;
}

/** Key of the token inside its Secret. */
const KEY = 'bearer_token';

/** The env vars through which a container reads the Secret. */
export function readingVariables(container: V1Container, secret: string): string[] {
  const single = (container.env ?? [])
    .filter(({ valueFrom }) => valueFrom?.secretKeyRef?.name === secret)
    .map(({ name }) => name);
  const whole = (container.envFrom ?? [])
    .filter(({ secretRef }) => secretRef?.name === secret)
    .map(({ prefix }) => `${prefix ?? ''}${KEY}`);
  return [...single, ...whole];
}

/** Every container of a template that reads the Secret, init containers included. */
export function consumersOf({ workload, spec }: Template, secret: string): Consumer[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap((container) =>
    readingVariables(container, secret).map((variable) => ({ workload, container: container.name, variable })),
  );
}

/** Whether a template mounts the Secret as files. */
export function mounts(spec: V1PodSpec | undefined, secret: string): boolean {
  return (spec?.volumes ?? []).some(
    (volume) =>
      volume.secret?.secretName === secret ||
      (volume.projected?.sources ?? []).some((source) => source.secret?.name === secret),
  );
}

/** Whether a pod may still run something. */
export function isAlive(pod: V1Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/** The consumers in one pod, without what they hold. */
export function consumingContainers(pod: V1Pod, secret: string): Omit<ConsumingContainer, 'digests' | 'environment'>[] {
  const name = pod.metadata?.name ?? '';
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const over = !isAlive(pod);
  const init = new Set(
    (pod.spec?.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy !== 'Always')
      .map((container) => container.name),
  );
  return consumersOf({ workload: ownerOf(pod), spec: pod.spec }, secret).map((consumer) => {
    const status = statuses.find((candidate) => candidate.name === consumer.container);
    const state = over || (init.has(consumer.container) && status?.ready) ? 'ended' : stateOf(status, pod);
    return {
      ...consumer,
      pod: name,
      containerId: status?.containerID ?? '',
      state,
      startedAt: state === 'running' ? isoOf(status?.state?.running?.startedAt) : undefined,
      ready: state === 'running' && status?.ready === true,
      terminating: pod.metadata?.deletionTimestamp !== undefined,
    };
  });
}

/** The workload a pod belongs to. A ReplicaSet's Deployment is told by the pod's own label, so no right on ReplicaSets is needed. */
export function ownerOf(pod: V1Pod): Workload {
  const owner =
    pod.metadata?.ownerReferences?.find(({ controller }) => controller) ?? pod.metadata?.ownerReferences?.[0];
  const hash = pod.metadata?.labels?.['pod-template-hash'];
  if (!owner) return `Pod/${pod.metadata?.name ?? ''}`;
  if (owner.kind === 'ReplicaSet')
    return `Deployment/${hash && owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : owner.name}`;
  return `${owner.kind as 'StatefulSet' | 'DaemonSet' | 'Job'}/${owner.name}`;
}

function stateOf(status: V1ContainerStatus | undefined, pod: V1Pod): ConsumingContainer['state'] {
  if (status?.state?.running) return 'running';
  if (status?.state?.terminated)
    return pod.spec?.restartPolicy === 'Never' || pod.metadata?.deletionTimestamp ? 'ended' : 'starting';
  return pod.metadata?.deletionTimestamp ? 'ended' : 'starting';
}

function isoOf(time: Date | string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
