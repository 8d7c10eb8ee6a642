import type {
  V1ContainerRestartRule,
  V1ContainerStatus,
  V1Deployment,
  V1Job,
  V1Pod,
} from '@kubernetes/client-node';
import { quantityToScalar } from '@kubernetes/client-node/dist/util.js';
import type { ConsumingContainer, Workload } from '../../domain/cluster/index.ts';
import { redact } from '../../domain/text/index.ts';
import {
  containersOf,
  type ContainerSpec,
  type Source,
  sourcesOf,
  type Template,
} from './consumers.ts';

export interface PodContainer extends Pick<
  ConsumingContainer,
  'workload' | 'container' | 'pod' | 'state' | 'startedAt' | 'ready' | 'terminating' | 'why'
> {
  spec: ContainerSpec;
  /** Where its variables come from; none where it cannot hold a token. */
  sources: Source[];
  containerId: string;
  node: string;
}

/**
 * Whether a pod may still run something, by its phase: a container's own status counts for more.
 */
export function isAlive(pod: V1Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/** The containers of a pod that run or may still start, by their own status. */
export function containersIn(pod: V1Pod, workload: Workload): PodContainer[] {
  const { spec, metadata } = pod;
  const statuses = statusesOf(pod);
  return containersOf(spec).flatMap((container) => {
    const seen = statuses.find(({ name }) => name === container.name);
    const state = stateOf(container, seen, pod);
    const started = seen?.state?.running?.startedAt;
    if (state === 'ended') return [];
    return {
      workload,
      container: container.name,
      pod: metadata?.name ?? '',
      state,
      startedAt: started && new Date(started).toISOString(),
      ready: state === 'running' && seen?.ready === true,
      terminating: metadata?.deletionTimestamp !== undefined,
      why: state === 'starting' ? whyNotStarted(pod, seen) : undefined,
      spec: container,
      sources: sourcesOf(container),
      containerId: seen?.containerID ?? '',
      node: spec?.nodeName ?? '',
    };
  });
}

/** Conditions after which a Job starts no pod. */
const ENDS_OF_JOBS = ['Complete', 'Failed', 'SuccessCriteriaMet', 'FailureTarget'];
const JOB_CONTROLLER = 'kubernetes.io/job-controller';

/** Whether an unfinished Job without a pod starts one next, or rests until somebody resumes it. */
function whatComesOf(job: V1Job, pods: readonly V1Pod[]): 'starts' | 'rests' | undefined {
  const { metadata, spec, status } = job;
  const isOver = status?.conditions?.some(
    ({ type, status: is }) => ENDS_OF_JOBS.includes(type) && is === 'True',
  );
  const own = pods.filter(({ metadata: pod }) =>
    pod?.ownerReferences?.some(({ uid }) => uid === metadata?.uid),
  );
  const succeeded = own.filter(({ status: pod }) => pod?.phase === 'Succeeded').length;
  const isDone = Math.max(succeeded, status?.succeeded ?? 0) >= (spec?.completions ?? 1);
  if (isOver || isDone || metadata?.deletionTimestamp || own.some(isAlive)) return undefined;
  const isManaged = (spec?.managedBy ?? JOB_CONTROLLER) !== JOB_CONTROLLER;
  return spec?.suspend || spec?.parallelism === 0 || isManaged ? 'rests' : 'starts';
}

/** The Jobs of their own that rest, e.g. suspended: they start with what their template reads. */
export function restingJobs(jobs: readonly V1Job[], pods: readonly V1Pod[]): Template[] {
  return jobs
    .filter((job) => !job.metadata?.ownerReferences?.some(({ kind }) => kind === 'CronJob'))
    .filter((job) => whatComesOf(job, pods) === 'rests')
    .map(({ metadata, spec }) => ({
      workload: `Job/${metadata?.name ?? ''}`,
      spec: spec?.template.spec,
    }));
}

/**
 * The pod that an unfinished Job is about to start: between two tries there is none. Undefined for
 * a Job that has a pod, has all its completions, or starts none for now.
 */
export function nextPodOf(job: V1Job, pods: readonly V1Pod[]): V1Pod | undefined {
  if (whatComesOf(job, pods) !== 'starts') return undefined;
  const { metadata, spec } = job;
  const controller = { kind: 'Job', name: metadata?.name ?? '', uid: metadata?.uid ?? '' };
  return {
    metadata: {
      name: `the next pod of Job ${metadata?.name}`,
      ownerReferences: [{ apiVersion: 'batch/v1', ...controller, controller: true }],
    },
    spec: spec?.template.spec,
    status: { phase: 'Pending' },
  };
}

/** Whether a container ended for want of memory and has not started again. */
export function ranOutOfMemory(pod: V1Pod, container: string): boolean {
  return statusesOf(pod).some(
    ({ name, state }) => name === container && state?.terminated?.reason === 'OOMKilled',
  );
}

function statusesOf({ status }: V1Pod): V1ContainerStatus[] {
  return [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
}

/**
 * The workload a pod belongs to, a Job that a CronJob made counting as the CronJob's. A
 * ReplicaSet's Deployment is told by the pod's own label, so no right on ReplicaSets is needed.
 */
export function ownerOf(pod: V1Pod, jobs: readonly V1Job[]): Workload {
  const owner =
    pod.metadata?.ownerReferences?.find(({ controller }) => controller) ??
    pod.metadata?.ownerReferences?.[0];
  const hash = pod.metadata?.labels?.['pod-template-hash'];
  if (!owner) return `Pod/${pod.metadata?.name ?? ''}`;
  if (owner.kind === 'ReplicaSet')
    return `Deployment/${hash && owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : owner.name}`;
  const job =
    owner.kind === 'Job' ? jobs.find(({ metadata }) => metadata?.name === owner.name) : undefined;
  const cronJob = job?.metadata?.ownerReferences?.find(({ kind }) => kind === 'CronJob');
  if (cronJob) return `CronJob/${cronJob.name}`;
  return `${owner.kind as 'StatefulSet' | 'DaemonSet' | 'Job'}/${owner.name}`;
}

/** Reasons that every container has on its way. */
const ON_ITS_WAY = ['ContainerCreating', 'PodInitializing'];

function whyNotStarted({ status }: V1Pod, seen: V1ContainerStatus | undefined): string | undefined {
  const { waiting } = seen?.state ?? {};
  if (waiting?.reason && !ON_ITS_WAY.includes(waiting.reason)) return inWords(waiting);
  const unscheduled = status?.conditions?.find(
    ({ type, status: is }) => type === 'PodScheduled' && is === 'False',
  );
  return unscheduled && inWords(unscheduled);
}

export const PAUSED = 'its Deployment is paused';

/**
 * What keeps a Deployment from replacing its pods, in Kubernetes' words: paused, a quota, a
 * deadline.
 */
export function hindranceOf({ spec, status }: V1Deployment): string | undefined {
  if (spec?.paused) return PAUSED;
  const failing = status?.conditions?.find(
    ({ type, status: is }) =>
      (type === 'ReplicaFailure' && is === 'True') || (type === 'Progressing' && is === 'False'),
  );
  return failing && `its Deployment: ${inWords(failing)}`;
}

const LONGEST_WORDS = 300;

function inWords({ reason = '', message = '' }: { reason?: string; message?: string }): string {
  return redact(message === '' ? reason : `${reason}: ${message}`).slice(0, LONGEST_WORDS);
}

/**
 * A container that runs is running whatever its pod's phase says; one between two starts is
 * starting.
 */
function stateOf(
  container: ContainerSpec,
  status: V1ContainerStatus | undefined,
  pod: V1Pod,
): ConsumingContainer['state'] {
  if (status?.state?.running) return 'running';
  if (!isAlive(pod) || pod.metadata?.deletionTimestamp) return 'ended';
  const { terminated } = status?.state ?? {};
  if (!terminated) return 'starting';
  return startsAgain(container, terminated.exitCode, pod) ? 'starting' : 'ended';
}

/**
 * Whether the kubelet starts a container again after an exit: its own policy counts before its
 * pod's, and rules before both.
 */
function startsAgain(container: ContainerSpec, exitCode: number, { spec }: V1Pod): boolean {
  if (spec?.ephemeralContainers?.some(({ name }) => name === container.name)) return false;
  const rules = 'restartPolicyRules' in container ? (container.restartPolicyRules ?? []) : [];
  if (rules.some((rule) => startsBy(rule, exitCode))) return true;
  const isInit = spec?.initContainers?.some(({ name }) => name === container.name) === true;
  const podPolicy = isInit && spec?.restartPolicy === 'Always' ? 'OnFailure' : spec?.restartPolicy;
  const policy = container.restartPolicy ?? podPolicy;
  return policy === 'OnFailure' ? exitCode !== 0 : policy !== 'Never';
}

/**
 * Whether a rule of Kubernetes 1.34 and later starts a container again after this exit; one of an
 * unknown kind may.
 */
function startsBy({ exitCodes }: V1ContainerRestartRule, exitCode: number): boolean {
  const { operator, values = [] } = exitCodes ?? {};
  if (operator === 'In') return values.includes(exitCode);
  if (operator === 'NotIn') return !values.includes(exitCode);
  return true;
}

/**
 * A container's limit of memory, in bytes; infinite where it has none, 0 where it cannot be read.
 */
export function memoryLimitOf(spec: ContainerSpec | undefined): number {
  const limit = spec?.resources?.limits?.memory;
  if (limit === undefined) return Number.MAX_VALUE;
  try {
    return Number(quantityToScalar(limit));
  } catch {
    return 0;
  }
}
