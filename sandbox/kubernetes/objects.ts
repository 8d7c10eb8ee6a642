import { hashOf } from './cluster.ts';
import type { World } from '../world.ts';
import type { ContainerSpec, JobState, PodState, TaskState, WorkloadState } from '../world-state.ts';

const NAMESPACE = 'apps';
const iso = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/** The world's workloads, pods and Jobs as the Kubernetes API shows them. */
export function listOf(world: World, resource: string): object[] {
  const { state } = world;
  const kind = { deployments: 'Deployment', statefulsets: 'StatefulSet', cronjobs: 'CronJob' }[resource];
  if (resource === 'pods') return state.pods.map((pod) => podObject(world, pod));
  if (resource === 'jobs')
    return [...state.jobs.map((job) => jobObject(world, job)), ...state.tasks.map((task) => taskObject(world, task))];
  const workloads = state.workloads.filter((workload) => workload.kind === kind);
  if (kind === 'Deployment' || kind === 'StatefulSet')
    return workloads.map((workload) => ({
      metadata: { ...metadata(world, workload.name, workload.uid), generation: workload.generation },
      spec: { replicas: workload.replicas, template: template(world, workload) },
      status: rolloutStatus(world, workload),
    }));
  if (kind === 'CronJob')
    return [
      ...workloads.map((workload) =>
        cronJobObject(world, workload.name, workload.uid, podSpec(workload.containers, world, workload.mounts)),
      ),
      cronJobObject(
        world,
        state.cronJob.name,
        state.cronJob.uid,
        podSpec([{ name: 'cron-task', tokens: [], ruby: true }], world),
      ),
    ];
  return [];
}

export function podObject(world: World, pod: PodState): object {
  const workload = world.state.workloads.find(({ name }) => name === pod.workload);
  const specs = workload?.containers ?? [];
  const statusOf = (container: PodState['containers'][number]): object =>
    containerStatus(pod, container, specs.find(({ name }) => name === container.name)?.init === 'ends');
  const isInit = ({ name }: { name: string }): boolean => specs.find((spec) => spec.name === name)?.init !== undefined;
  const scheduled = pod.stuck !== 'unschedulable';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata(world, pod.name, pod.uid),
      labels: { app: pod.workload, ...(isDeployed(workload) && { 'pod-template-hash': hashOf(pod) }) },
      ...ownersOf(pod, workload),
      ...(pod.goneAt !== undefined && { deletionTimestamp: iso(pod.goneAt) }),
    },
    spec: {
      ...podSpec(specs, world, workload?.mounts),
      restartPolicy: pod.task === undefined ? 'Always' : 'Never',
    },
    status: {
      phase: pod.ended ? 'Succeeded' : pod.running || pod.stuck === 'crashing' ? 'Running' : 'Pending',
      ...(scheduled && {
        containerStatuses: pod.containers.filter((container) => !isInit(container)).map(statusOf),
        initContainerStatuses: pod.containers.filter(isInit).map(statusOf),
      }),
    },
  };
}

function containerStatus(
  pod: PodState,
  { name, id, startedAt }: PodState['containers'][number],
  ends: boolean,
): object {
  const started = iso(startedAt ?? 0);
  const over = { exitCode: 0, reason: 'Completed', startedAt: started, finishedAt: started, containerID: id };
  const isOver = pod.ended || (ends && pod.running);
  return {
    name,
    containerID: pod.running || isOver ? id : undefined,
    ready: pod.running && pod.readyAt === undefined,
    restartCount: pod.stuck === 'crashing' ? 7 : 0,
    image: 'stand-in',
    imageID: '',
    state: isOver
      ? { terminated: over }
      : pod.running
        ? { running: { startedAt: started } }
        : { waiting: { reason: pod.stuck === 'crashing' ? 'CrashLoopBackOff' : 'ContainerCreating' } },
    ...(pod.stuck === 'crashing' && { lastState: { terminated: { ...over, exitCode: 1, reason: 'Error' } } }),
  };
}

function isDeployed(workload: WorkloadState | undefined): boolean {
  return workload === undefined || workload.kind === 'Deployment';
}

function ownersOf(pod: PodState, workload: WorkloadState | undefined): object {
  const owner = (apiVersion: string, kind: string, name: string): object => ({
    ownerReferences: [{ apiVersion, kind, name, uid: pod.uid, controller: true }],
  });
  if (pod.task !== undefined) return owner('batch/v1', 'Job', pod.task);
  if (workload?.kind === 'Pod') return {};
  if (workload?.kind === 'StatefulSet') return owner('apps/v1', 'StatefulSet', workload.name);
  return owner('apps/v1', 'ReplicaSet', `${pod.workload}-${hashOf(pod)}`);
}

/** Says nothing of Secrets: true of the old generation until Reloader acts. */
function rolloutStatus(world: World, workload: WorkloadState): object {
  const pods = world.state.pods.filter((pod) => pod.workload === workload.name && pod.goneAt === undefined);
  return {
    observedGeneration: workload.generation,
    replicas: pods.length,
    updatedReplicas: pods.filter(({ generation }) => generation === workload.generation).length,
    availableReplicas: pods.filter(({ running }) => running).length,
  };
}

function jobObject(world: World, job: JobState): object {
  const conditions = {
    Healthy: ['SuccessCriteriaMet', 'Complete'],
    Degraded: ['FailureTarget', 'Failed'],
    Progressing: [],
  }[job.status];
  return {
    metadata: {
      ...metadata(world, job.name, job.uid),
      creationTimestamp: iso(job.createdAt),
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'CronJob', name: job.cronJob, uid: world.state.cronJob.uid, controller: true },
      ],
    },
    spec: { template: { spec: podSpec([], world) } },
    status: {
      startTime: iso(job.createdAt),
      ...(job.status === 'Healthy' && { completionTime: iso(job.endedAt ?? 0), succeeded: 1 }),
      conditions: conditions.map((type) => ({ type, status: 'True' })),
    },
  };
}

/** One run of an application's CronJob. */
function taskObject(world: World, task: TaskState): object {
  const cronJob = world.state.workloads.find(({ name }) => name === task.cronJob);
  return {
    metadata: {
      ...metadata(world, task.name, task.uid),
      creationTimestamp: iso(task.createdAt),
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'CronJob', name: task.cronJob, uid: cronJob?.uid, controller: true },
      ],
    },
    spec: { template: { spec: podSpec(cronJob?.containers ?? [], world) } },
    status: {
      startTime: iso(task.createdAt),
      ...(task.endedAt !== undefined && { completionTime: iso(task.endedAt), succeeded: 1 }),
      conditions:
        task.endedAt === undefined ? [] : ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True' })),
    },
  };
}

function cronJobObject(world: World, name: string, uid: string, spec: object): object {
  return {
    metadata: metadata(world, name, uid),
    spec: { schedule: '7 1 * * *', jobTemplate: { spec: { backoffLimit: 0, template: { spec } } } },
    status: {},
  };
}

function template(world: World, workload: WorkloadState): object {
  return {
    metadata: { annotations: { 'reloader.stakater.com/auto': 'true' } },
    spec: podSpec(workload.containers, world, workload.mounts),
  };
}

function podSpec(containers: ContainerSpec[], world: World, mounts: string[] = []): object {
  const container = ({ name, tokens, whole, init }: ContainerSpec): object => ({
    name,
    image: 'stand-in',
    env: [
      { name: 'GOVUK_ENVIRONMENT', value: world.state.environment },
      ...tokens.map(({ variable, secret }) => ({
        name: variable,
        valueFrom: { secretKeyRef: { name: secret, key: 'bearer_token' } },
      })),
    ],
    ...(whole && { envFrom: [{ prefix: whole.prefix, secretRef: { name: whole.secret } }] }),
    ...(init === 'stays' && { restartPolicy: 'Always' }),
  });
  return {
    containers: containers.filter(({ init }) => init === undefined).map(container),
    initContainers: containers.filter(({ init }) => init !== undefined).map(container),
    volumes: mounts.map((secretName) => ({ name: secretName, secret: { secretName } })),
  };
}

function metadata(world: World, name: string, uid: string): object {
  return { name, uid, namespace: NAMESPACE, resourceVersion: String(world.version) };
}
