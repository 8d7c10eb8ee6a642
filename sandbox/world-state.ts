import type { Environment } from '../domain/request/index.ts';

export interface Authorisation {
  id: number;
  apiUserId: number;
  applicationId: number;
  token: string;
  createdAt: number;
  expiresAt: number;
  revokedAt?: number;
}

export interface ContainerSpec {
  name: string;
  /** Variables read from Secrets. */
  tokens: { variable: string; secret: string }[];
  ruby: boolean;
  /** A Secret or ConfigMap read whole, through `envFrom`: its one key becomes a variable. */
  whole?: { secret: string; prefix?: string; configMap?: boolean };
  /** Variables with values of their own, as the pod template spells them out. */
  literals?: Record<string, string>;
  /**
   * An init container: one that has ended when the others run, or a sidecar that runs beside them.
   * An ephemeral one was added by hand.
   */
  init?: 'ends' | 'stays' | 'ephemeral';
  /** Its own restart policy, where its pod's does not count. */
  restartPolicy?: 'Always' | 'Never';
  /** After which exit codes it starts again all the same. */
  restartOn?: number[];
  /** Its limit of memory, as Kubernetes writes it: `512Mi`. */
  memory?: string;
  /** It has no GOVUK_ENVIRONMENT. */
  nowhere?: boolean;
  /** Neither Ruby nor a shell. */
  bare?: boolean;
}

export interface WorkloadState {
  /** A CronJob that runs at no time of its own. */
  suspended?: boolean;
  /** Somebody paused its rollout: its pods stay as they are. */
  paused?: boolean;
  /** Why no pod of it can be made, as its condition says. */
  failsToCreate?: string;
  /**
   * What its pods belong to, where that is none of the kinds that are listed: an Argo Workflow, a
   * JobRequest.
   */
  owner?: { kind: string; name: string };
  /** `Pod`: one without a controller, never replaced. */
  kind: 'Deployment' | 'StatefulSet' | 'CronJob' | 'Pod';
  name: string;
  uid: string;
  replicas: number;
  generation: number;
  /** How long its pods may take to end; Kubernetes' 30 s where absent. */
  graceSeconds?: number;
  /** The annotation that `kubectl rollout restart` leaves in its pod template. */
  restartedAt?: string;
  containers: ContainerSpec[];
  /** Secrets mounted as files. */
  mounts?: string[];
}

export interface ContainerState {
  name: string;
  id: string;
  startedAt?: number;
  env: Record<string, string>;
  /** Ended while its pod runs on: by itself for good, or between two starts. */
  exited?: { code: number };
}

export interface PodState {
  name: string;
  uid: string;
  workload: string;
  generation: number;
  containers: ContainerState[];
  /** What it was made of, where its workload's template has changed since. */
  specs?: ContainerSpec[];
  /**
   * The pod failed as a whole, and its containers still run: a node that is lost, a deadline that
   * passed.
   */
  failed?: boolean;
  startsAt: number;
  running: boolean;
  /** It runs, and is not ready before this. */
  readyAt?: number;
  /** Why it does not run, though its time has come. */
  stuck?: 'unschedulable' | 'crashing' | 'without its image';
  /** A Job's pod ends by itself, and stays listed. */
  endsAt?: number;
  ended?: boolean;
  /** The run of a CronJob it belongs to. */
  task?: string;
  goneAt?: number;
}

export interface JobState {
  name: string;
  uid: string;
  cronJob: string;
  createdAt: number;
  endsAt: number;
  /** Somebody suspended it: it does not end. */
  suspended?: boolean;
  status: 'Progressing' | 'Healthy' | 'Degraded';
  /** The tokens as it read them when it began, by Secret. */
  read: Record<string, string>;
  endedAt?: number;
  log: string[];
}

/** One run of an application's CronJob, or a one-off Job made from a Deployment's template. */
export interface TaskState {
  name: string;
  uid: string;
  /** The CronJob, or the Deployment, that its pod is made like. */
  from: string;
  /** What it belongs to: a CronJob, a JobRequest; nothing where it was made by a deploy. */
  owner?: { kind: string; name: string };
  createdAt: number;
  endedAt?: number;
}

/** Everything the stand-ins know; JSON, so that it can be kept in a file. */
export interface WorldState {
  environment: Environment;
  clockOffsetMs: number;
  account: {
    email: string;
    password: string;
    totpSecret: string;
    superadmin: boolean;
    suspended: boolean;
    /** A second step is required but not set up. */
    secondStepMissing: boolean;
    failures: number;
    wrongCodes: number;
    lockedUntil: number;
    sessionEpoch: number;
  };
  argoToken: string;
  kubernetesTokens: Record<string, 'worker' | 'nobody'>;
  cookieKey: string;
  apiUsers: { id: number; name: string; email: string; suspended: boolean }[];
  applications: { id: number; name: string; retired: boolean }[];
  authorisations: Authorisation[];
  nextId: number;
  secrets: Record<string, string>;
  reloads: { workload: string; at: number }[];
  workloads: WorkloadState[];
  pods: PodState[];
  jobs: JobState[];
  tasks: TaskState[];
  cronJob: { name: string; uid: string };
}
