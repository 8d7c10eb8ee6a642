import type { V1Container, V1ContainerStatus, V1Job, V1Pod, V1PodSpec, V1Volume } from '@kubernetes/client-node';
import type { Consumer, ConsumingContainer, Readers, Workload } from '../../domain/cluster.ts';
import type { Reading } from '../../domain/inventory.ts';

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

/** Every container of a template that reads the Secret or is said to hold its token, init containers included. */
export function consumersOf({ workload, spec }: Template, { secret, also }: Readers): Consumer[] {
  return containersOf(spec).flatMap((container) => {
    const told = also.filter((one) => one.workload === workload && one.container === container.name);
    const variables = new Set([...readingVariables(container, secret), ...told.map(({ variable }) => variable)]);
    return [...variables].map((variable) => ({ workload, container: container.name, variable }));
  });
}

/** Every container of a template with the variables that hold a token of some pair, as far as names tell: the variable's, or the Secret's. */
export function tokenVariablesOf({ workload, spec }: Template): (Consumer & { fromPair: boolean })[] {
  return containersOf(spec).flatMap((container) => {
    const single = (container.env ?? [])
      .map(({ name, valueFrom }) => ({ variable: name, fromPair: isPairs(valueFrom?.secretKeyRef?.name) }))
      .filter(({ variable, fromPair }) => fromPair || variable.endsWith('_BEARER_TOKEN'));
    const whole = (container.envFrom ?? [])
      .filter(({ secretRef }) => isPairs(secretRef?.name))
      .map(({ prefix }) => ({ variable: `${prefix ?? ''}${KEY}`, fromPair: true }));
    return [...single, ...whole].map((one) => ({ workload, container: container.name, ...one }));
  });
}

/** Every container of a template that takes all variables from a Secret which is no pair's. */
export function wholeSecretsOf({ workload, spec }: Template): (Omit<Consumer, 'variable'> & { from: string })[] {
  return containersOf(spec).flatMap((container) =>
    (container.envFrom ?? [])
      .flatMap(({ secretRef }) => secretRef?.name ?? [])
      .filter((from) => !isPairs(from))
      .map((from) => ({ workload, container: container.name, from })),
  );
}

/** Every container of a template that reads a Secret of some pair, and through which variable. */
export function pairSecretsOf({ workload, spec }: Template): Reading[] {
  return containersOf(spec).flatMap((container) => {
    const secrets = [
      ...(container.env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...(container.envFrom ?? []).map(({ secretRef }) => secretRef?.name),
    ].filter((secret): secret is string => isPairs(secret));
    return [...new Set(secrets)].flatMap((secret) =>
      readingVariables(container, secret).map((variable) => ({
        workload,
        container: container.name,
        variable,
        secret,
      })),
    );
  });
}

/** Secrets of pairs that a template mounts as files. */
export function filesOf(spec: V1PodSpec | undefined): string[] {
  return [...new Set((spec?.volumes ?? []).flatMap(secretsOfVolume))].filter((secret) => isPairs(secret));
}

/** Whether a Secret is one that Signon's sync writes. */
function isPairs(secret: string | undefined): boolean {
  return secret?.startsWith('signon-token-') === true;
}

function containersOf(spec: V1PodSpec | undefined): V1Container[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
}

/** Every Secret that a template names, whatever for. */
export function secretsOf(spec: V1PodSpec | undefined): string[] {
  const variables = containersOf(spec).flatMap(({ env = [], envFrom = [] }) => [
    ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ...envFrom.map(({ secretRef }) => secretRef?.name),
  ]);
  return [...variables.filter((name) => name !== undefined), ...(spec?.volumes ?? []).flatMap(secretsOfVolume)];
}

function secretsOfVolume({ secret, projected }: V1Volume): string[] {
  return [secret?.secretName, ...(projected?.sources ?? []).map((source) => source.secret?.name)].filter(
    (name) => name !== undefined,
  );
}

/** Whether a template mounts the Secret as files. */
export function mounts(spec: V1PodSpec | undefined, secret: string): boolean {
  return (spec?.volumes ?? []).some((volume) => secretsOfVolume(volume).includes(secret));
}

/** Whether a pod may still run something. */
export function isAlive(pod: V1Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/** Consumers as they are in one pod, without what they hold. */
export function inPod(
  pod: V1Pod,
  consumers: readonly Consumer[],
): Omit<ConsumingContainer, 'digests' | 'environment'>[] {
  const name = pod.metadata?.name ?? '';
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const over = !isAlive(pod);
  const init = new Set(
    (pod.spec?.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy !== 'Always')
      .map((container) => container.name),
  );
  return consumers.map(({ workload, container, variable }) => {
    const status = statuses.find((candidate) => candidate.name === container);
    const state = over || (init.has(container) && status?.ready) ? 'ended' : stateOf(status, pod);
    return {
      workload,
      container,
      variable,
      pod: name,
      containerId: status?.containerID ?? '',
      state,
      startedAt: state === 'running' ? isoOf(status?.state?.running?.startedAt) : undefined,
      ready: state === 'running' && status?.ready === true,
      terminating: pod.metadata?.deletionTimestamp !== undefined,
    };
  });
}

/** The workload a pod belongs to, a Job that a CronJob made counting as the CronJob's. A ReplicaSet's Deployment is told by the pod's own label, so no right on ReplicaSets is needed. */
export function ownerOf(pod: V1Pod, jobs: readonly V1Job[]): Workload {
  const owner =
    pod.metadata?.ownerReferences?.find(({ controller }) => controller) ?? pod.metadata?.ownerReferences?.[0];
  const hash = pod.metadata?.labels?.['pod-template-hash'];
  if (!owner) return `Pod/${pod.metadata?.name ?? ''}`;
  if (owner.kind === 'ReplicaSet')
    return `Deployment/${hash && owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : owner.name}`;
  const job = owner.kind === 'Job' ? jobs.find(({ metadata }) => metadata?.name === owner.name) : undefined;
  const cronJob = job?.metadata?.ownerReferences?.find(({ kind }) => kind === 'CronJob');
  if (cronJob) return `CronJob/${cronJob.name}`;
  return `${owner.kind as 'StatefulSet' | 'DaemonSet' | 'Job'}/${owner.name}`;
}

function stateOf(status: V1ContainerStatus | undefined, pod: V1Pod): ConsumingContainer['state'] {
  if (status?.state?.running) return 'running';
  const { terminated } = status?.state ?? {};
  if (terminated) {
    const policy = pod.spec?.restartPolicy;
    const over = policy === 'Never' || (policy === 'OnFailure' && terminated.exitCode === 0);
    return over || pod.metadata?.deletionTimestamp ? 'ended' : 'starting';
  }
  return pod.metadata?.deletionTimestamp ? 'ended' : 'starting';
}

function isoOf(time: Date | string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
