/** Every delay of the sandbox, in milliseconds, and what it may be told to do. */
export interface SandboxOptions {
  /** How long a sync Job runs. */
  jobMs: number;
  /** How long a new Job is absent from Argo CD's tree. */
  treeLagMs: number;
  /** Until Reloader notices a changed Secret. */
  reloaderMs: number;
  /** Until a new pod's containers run. */
  podStartMs: number;
  /** How long a pod that runs is not ready yet. */
  readyMs: number;
  /**
   * How long a pod being deleted still runs and serves, where its grace period is 30 s; with
   * another, in proportion.
   */
  terminationMs: number;
  /** How often every running pod calls the server applications with the token it holds. */
  trafficEveryMs: number;
  /**
   * How long a server application goes on letting in a token that it let in, without asking Signon:
   * gds-sso's 5 minutes.
   */
  lookupCacheMs: number;
  /** Granularity of Job names: Argo CD's is the minute. */
  jobNameEveryMs: number;
  /**
   * Whether what is executed in containers that have Ruby runs in a process of its own, as in life,
   * or in the sandbox's: a fleet is many.
   */
  execs: 'processes' | 'in the sandbox';
  /**
   * How many requests the load balancer lets through to Signon in each span of time; the others are
   * answered 429. All where absent.
   */
  signonLimit?: { requests: number; everyMs: number; retryAfterS: number };
  /**
   * How often, and for how long, Argo CD and Kubernetes answer 401 to all, as while they are
   * replaced. Never where absent.
   */
  unauthorized?: { everyMs: number; forMs: number };
}

/** About what a small cluster takes, shortened to be watched. */
export const WATCHABLE: SandboxOptions = {
  jobMs: 4000,
  treeLagMs: 300,
  reloaderMs: 1000,
  podStartMs: 2000,
  readyMs: 1000,
  terminationMs: 3000,
  trafficEveryMs: 500,
  lookupCacheMs: 3000,
  jobNameEveryMs: 60_000,
  execs: 'processes',
};

/** No delay anywhere; Job names collide within 100 ms. */
export const IMMEDIATE: SandboxOptions = {
  jobMs: 0,
  treeLagMs: 0,
  reloaderMs: 0,
  podStartMs: 0,
  readyMs: 0,
  terminationMs: 0,
  trafficEveryMs: 50,
  lookupCacheMs: 0,
  jobNameEveryMs: 100,
  execs: 'processes',
};
