import type { Environment } from '../domain/request.ts';

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
  /** A Secret read whole, through `envFrom`: its one key becomes a variable. */
  whole?: { secret: string; prefix?: string };
  /** An init container: one that has ended when the others run, or a sidecar that runs beside them. */
  init?: 'ends' | 'stays';
  /** Neither Ruby nor a shell. */
  bare?: boolean;
}

export interface WorkloadState {
  /** `Pod`: one without a controller, never replaced. */
  kind: 'Deployment' | 'StatefulSet' | 'CronJob' | 'Pod';
  name: string;
  uid: string;
  replicas: number;
  generation: number;
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
}

export interface PodState {
  name: string;
  uid: string;
  workload: string;
  generation: number;
  containers: ContainerState[];
  startsAt: number;
  running: boolean;
  /** It runs, and is not ready before this. */
  readyAt?: number;
  /** Why it does not run, though its time has come. */
  stuck?: 'unschedulable' | 'crashing';
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
  status: 'Progressing' | 'Healthy' | 'Degraded';
  endedAt?: number;
  log: string[];
}

/** One run of an application's CronJob. */
export interface TaskState {
  name: string;
  uid: string;
  cronJob: string;
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
