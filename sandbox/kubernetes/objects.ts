import { hashOf, specsOf } from './cluster.ts';
import type { World } from '../world.ts';
import type {
  ContainerSpec,
  JobState,
  PodState,
  TaskState,
  WorkloadState,
} from '../world-state.ts';

const NAMESPACE = 'apps';
const iso = (ms: number): string =>
  new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/** The world's workloads, pods and Jobs as the Kubernetes API shows them. */
export function listOf(world: World, resource: string): object[] {
  const { state } = world;
  const kind = { deployments: 'Deployment', statefulsets: 'StatefulSet', cronjobs: 'CronJob' }[
    resource
  ];
  if (resource === 'pods') return state.pods.map((pod) => podObject(world, pod));
  if (resource === 'jobs')
    return [
      ...state.jobs.map((job) => jobObject(world, job)),
      ...state.tasks.map((task) => taskObject(world, task)),
    ];
  const workloads = state.workloads.filter((workload) => workload.kind === kind);
  if (kind === 'Deployment' || kind === 'StatefulSet')
    return workloads.map((workload) => ({
      metadata: {
        ...metadata(world, workload.name, workload.uid),
        generation: workload.generation,
      },
      spec: {
        replicas: workload.replicas,
        paused: workload.paused,
        template: template(world, workload),
      },
      status: { ...rolloutStatus(world, workload), ...conditionsOf(workload) },
    }));
  if (kind === 'CronJob')
    return [
      ...workloads.map((workload) =>
        cronJobObject(
          world,
          workload.name,
          workload.uid,
          podSpec(workload.containers, world, workload.mounts),
          workload.suspended,
        ),
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

function podObject(world: World, pod: PodState): object {
  const workload = world.state.workloads.find(({ name }) => name === pod.workload);
  const specs = specsOf(world, pod);
  const initOf = ({ name }: { name: string }): ContainerSpec['init'] =>
    specs.find((spec) => spec.name === name)?.init;
  const statusOf = (container: PodState['containers'][number]): object =>
    containerStatus(pod, container, initOf(container) === 'ends');
  const isEphemeral = (container: { name: string }): boolean => initOf(container) === 'ephemeral';
  const isInit = (container: { name: string }): boolean =>
    ['ends', 'stays'].includes(initOf(container) ?? '');
  const scheduled = pod.stuck !== 'unschedulable';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata(world, pod.name, pod.uid),
      labels: {
        app: pod.workload,
        ...(isDeployed(workload) && { 'pod-template-hash': hashOf(pod) }),
      },
      ...ownersOf(pod, workload, world),
      ...(pod.goneAt !== undefined && { deletionTimestamp: iso(pod.goneAt) }),
    },
    spec: {
      ...podSpec(specs, world, workload?.mounts),
      restartPolicy: pod.task === undefined ? 'Always' : 'Never',
      terminationGracePeriodSeconds: workload?.graceSeconds ?? 30,
    },
    status: {
      phase: pod.failed
        ? 'Failed'
        : pod.ended
          ? 'Succeeded'
          : pod.running || pod.stuck === 'crashing'
            ? 'Running'
            : 'Pending',
      ...(!scheduled && {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/3 nodes are available: 3 Insufficient memory.',
          },
        ],
      }),
      ...(scheduled && {
        containerStatuses: pod.containers.filter((one) => initOf(one) === undefined).map(statusOf),
        ephemeralContainerStatuses: pod.containers.filter(isEphemeral).map(statusOf),
        initContainerStatuses: pod.containers.filter(isInit).map(statusOf),
      }),
    },
  };
}

function containerStatus(
  pod: PodState,
  { name, id, startedAt, exited }: PodState['containers'][number],
  ends: boolean,
): object {
  const started = iso(startedAt ?? 0);
  const over = {
    exitCode: exited?.code ?? 0,
    reason: 'Completed',
    startedAt: started,
    finishedAt: started,
    containerID: id,
  };
  const isOver = pod.ended || exited !== undefined || (ends && pod.running);
  return {
    name,
    containerID: pod.running || isOver ? id : undefined,
    ready: pod.running && !isOver && pod.readyAt === undefined,
    restartCount: pod.stuck === 'crashing' ? 7 : 0,
    image: 'stand-in',
    imageID: '',
    state: isOver
      ? { terminated: over }
      : pod.running
        ? { running: { startedAt: started } }
        : { waiting: WAITS[pod.stuck ?? 'unschedulable'] },
    ...(pod.stuck === 'crashing' && {
      lastState: { terminated: { ...over, exitCode: 1, reason: 'Error' } },
    }),
  };
}

const WAITS: Record<NonNullable<PodState['stuck']>, { reason: string; message?: string }> = {
  unschedulable: { reason: 'ContainerCreating' }, // as any that is on its way
  crashing: { reason: 'CrashLoopBackOff' },
  'without its image': {
    reason: 'ImagePullBackOff',
    message: 'Back-off pulling image "stand-in": not found',
  },
};

function isDeployed(workload: WorkloadState | undefined): boolean {
  return workload === undefined || workload.kind === 'Deployment';
}

function ownersOf(pod: PodState, workload: WorkloadState | undefined, world: World): object {
  const owner = (apiVersion: string, kind: string, name: string, uid = pod.uid): object => ({
    ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
  });
  const job = world.state.tasks.find(({ name }) => name === pod.task);
  if (pod.task !== undefined) return owner('batch/v1', 'Job', pod.task, job?.uid);
  if (workload?.owner) return owner('example.org/v1', workload.owner.kind, workload.owner.name);
  if (workload?.kind === 'Pod') return {};
  if (workload?.kind === 'StatefulSet') return owner('apps/v1', 'StatefulSet', workload.name);
  return owner('apps/v1', 'ReplicaSet', `${pod.workload}-${hashOf(pod)}`);
}

/** Says nothing of Secrets: true of the old generation until Reloader acts. */
function rolloutStatus(world: World, workload: WorkloadState): object {
  const pods = world.state.pods.filter(
    (pod) => pod.workload === workload.name && pod.goneAt === undefined && pod.task === undefined,
  );
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
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: job.cronJob,
          uid: job.cronJob === world.state.cronJob.name ? world.state.cronJob.uid : job.cronJob,
          controller: true,
        },
      ],
    },
    spec: { suspend: job.suspended === true, template: { spec: podSpec([], world) } },
    status: {
      startTime: iso(job.createdAt),
      ...(job.status === 'Healthy' && {
        completionTime: iso(job.endedAt ?? job.endsAt),
        succeeded: 1,
      }),
      conditions: conditions.map((type) => ({
        type,
        status: 'True',
        ...(job.endedAt !== undefined && { lastTransitionTime: iso(job.endedAt) }),
      })),
    },
  };
}

/** One run of an application's CronJob, or a one-off Job. */
function taskObject(world: World, task: TaskState): object {
  const like = world.state.workloads.find(({ name }) => name === task.from);
  const { owner } = task;
  const apiVersion =
    owner?.kind === 'CronJob' ? 'batch/v1' : 'platform.publishing.service.gov.uk/v1';
  return {
    metadata: {
      ...metadata(world, task.name, task.uid),
      creationTimestamp: iso(task.createdAt),
      ...(owner && {
        ownerReferences: [{ apiVersion, ...owner, uid: like?.uid, controller: true }],
      }),
    },
    spec: { template: { spec: podSpec(like?.containers ?? [], world) } },
    status: {
      startTime: iso(task.createdAt),
      ...(task.endedAt !== undefined && { completionTime: iso(task.endedAt), succeeded: 1 }),
      conditions:
        task.endedAt === undefined
          ? []
          : ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True' })),
    },
  };
}

function cronJobObject(
  world: World,
  name: string,
  uid: string,
  spec: object,
  suspend = false,
): object {
  return {
    metadata: metadata(world, name, uid),
    spec: {
      schedule: '7 1 * * *',
      suspend,
      jobTemplate: { spec: { backoffLimit: 0, template: { spec } } },
    },
    status: {},
  };
}

function conditionsOf({ failsToCreate: message }: WorkloadState): object {
  return message === undefined
    ? {}
    : { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] };
}

function template(world: World, workload: WorkloadState): object {
  return {
    metadata: { annotations: { 'reloader.stakater.com/auto': 'true' } },
    spec: podSpec(workload.containers, world, workload.mounts),
  };
}

function podSpec(containers: ContainerSpec[], world: World, mounts: string[] = []): object {
  const container = ({
    name,
    tokens,
    whole,
    init,
    literals = {},
    restartPolicy,
    restartOn,
    memory,
    nowhere,
  }: ContainerSpec): object => ({
    name,
    image: 'stand-in',
    env: [
      ...(nowhere ? [] : [{ name: 'GOVUK_ENVIRONMENT', value: world.state.environment }]),
      ...tokens.map(({ variable, secret }) => ({
        name: variable,
        valueFrom: { secretKeyRef: { name: secret, key: 'bearer_token' } },
      })),
      ...Object.entries(literals).map(([variable, value]) => ({ name: variable, value })),
    ],
    ...(whole && {
      envFrom: [
        {
          prefix: whole.prefix,
          [whole.configMap ? 'configMapRef' : 'secretRef']: { name: whole.secret },
        },
      ],
    }),
    ...(memory && { resources: { limits: { memory } } }),
    ...(restartPolicy && { restartPolicy }),
    ...(restartOn && {
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: restartOn } }],
    }),
    ...(init === 'stays' && { restartPolicy: 'Always' }),
  });
  return {
    containers: containers.filter(({ init }) => init === undefined).map(container),
    initContainers: containers
      .filter(({ init }) => init === 'ends' || init === 'stays')
      .map(container),
    ephemeralContainers: containers.filter(({ init }) => init === 'ephemeral').map(container),
    nodeName: 'node-1',
    volumes: mounts.map((secretName) => ({ name: secretName, secret: { secretName } })),
  };
}

function metadata(world: World, name: string, uid: string): object {
  return { name, uid, namespace: NAMESPACE, resourceVersion: String(world.version) };
}
