import { hashOf } from './cluster.ts';
import type { World } from '../world.ts';
import type { ContainerSpec, JobState, PodState, WorkloadState } from '../world-state.ts';

const NAMESPACE = 'apps';
const iso = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/** The world's workloads, pods and Jobs as the Kubernetes API shows them. */
export function listOf(world: World, resource: string): object[] {
  const { state } = world;
  const kind = { deployments: 'Deployment', cronjobs: 'CronJob' }[resource];
  if (resource === 'pods') return state.pods.map((pod) => podObject(world, pod));
  if (resource === 'jobs') return state.jobs.map((job) => jobObject(world, job));
  const workloads = state.workloads.filter((workload) => workload.kind === kind);
  if (kind === 'Deployment')
    return workloads.map((workload) => ({
      metadata: { ...metadata(world, workload.name, workload.uid), generation: workload.generation },
      spec: { replicas: workload.replicas, template: template(world, workload) },
      status: rolloutStatus(world, workload),
    }));
  if (kind === 'CronJob')
    return [
      ...workloads.map((workload) =>
        cronJobObject(world, workload.name, workload.uid, podSpec(workload.containers, world)),
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
  const hash = hashOf(pod);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata(world, pod.name, pod.uid),
      labels: { app: pod.workload, 'pod-template-hash': hash },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${pod.workload}-${hash}`, uid: pod.uid, controller: true },
      ],
      ...(pod.goneAt !== undefined && { deletionTimestamp: iso(pod.goneAt) }),
    },
    spec: { ...podSpec(workload?.containers ?? [], world), restartPolicy: 'Always' },
    status: {
      phase: pod.running ? 'Running' : 'Pending',
      containerStatuses: pod.containers.map((container) => ({
        name: container.name,
        containerID: pod.running ? container.id : undefined,
        ready: pod.running,
        restartCount: 0,
        image: 'stand-in',
        imageID: '',
        state: pod.running
          ? { running: { startedAt: iso(container.startedAt ?? 0) } }
          : { waiting: { reason: 'ContainerCreating' } },
      })),
    },
  };
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
    spec: podSpec(workload.containers, world),
  };
}

function podSpec(containers: ContainerSpec[], world: World): object {
  return {
    containers: containers.map(({ name, tokens }) => ({
      name,
      image: 'stand-in',
      env: [
        { name: 'GOVUK_ENVIRONMENT', value: world.state.environment },
        ...tokens.map(({ variable, secret }) => ({
          name: variable,
          valueFrom: { secretKeyRef: { name: secret, key: 'bearer_token' } },
        })),
      ],
    })),
  };
}

function metadata(world: World, name: string, uid: string): object {
  return { name, uid, namespace: NAMESPACE, resourceVersion: String(world.version) };
}
