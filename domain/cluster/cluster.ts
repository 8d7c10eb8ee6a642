import type { Fingerprint } from '../tokens/index.ts';

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'CronJob' | 'Job' | 'Pod';
/** `Deployment/short-url-manager`. */
export type Workload = `${WorkloadKind}/${string}`;

/** A container's variable that has, or is to have, one of the pair's tokens. */
export interface Consumer {
  workload: Workload;
  container: string;
  variable: string;
}

/** What is looked for in the cluster. */
export interface Readers {
  /** Name of the pair's Secret: whoever reads it is a consumer. */
  secret: string;
  /**
   * The pair's tokens: whoever holds one is a consumer, whatever the variable is called and
   * wherever its value comes from.
   */
  holding: Fingerprint[];
  /**
   * Consumers seen before that do not read the Secret: they stay consumers while nothing of them
   * runs.
   */
  also: Consumer[];
  /**
   * Consumers that were seen reading the Secret in a pod that came and went: nothing tells when one
   * runs again.
   */
  passing?: Consumer[];
  /**
   * Other Secrets of Signon's sync that belong to other pairs of today: they hold no token of this
   * pair.
   */
  ofOtherPairs: string[];
}

/** One consumer in one pod, as seen at one moment. */
export interface ConsumingContainer extends Consumer {
  pod: string;
  state: 'starting' | 'running' | 'ended';
  /** ISO, whole seconds, by the cluster's clock; running containers only. */
  startedAt?: string;
  ready: boolean;
  /** The pod is being deleted; it still serves until it is gone. */
  terminating: boolean;
  /** Which of the pair's tokens it holds, by masked value; absent where it holds none of them. */
  token?: string;
  /** Its variable has nothing of a token's shape, as where an optional Secret was absent. */
  isEmpty?: true;
  /** Where the value comes from, unless from the pair's Secret: `Secret legacy, key token`. */
  from?: string;
  /**
   * What keeps it from starting, or its workload from replacing it, in Kubernetes' words; redacted.
   */
  why?: string;
  /** Value of `GOVUK_ENVIRONMENT`; running containers only. */
  environment?: string;
  /** Why it cannot be asked what it holds. */
  unable?: string;
}

/** A consumer that does not run, and what its next run will hold. */
export interface IdleHolder extends Consumer {
  /** Which of the pair's tokens, by masked value. */
  token: string;
  /** Where the value comes from: `Secret legacy, key token`. */
  from: string;
}

/** A pod that was seen reading a Secret that may have the pair's token. */
export interface SeenReader extends Consumer {
  pod: string;
  secret: string;
  /** The version of the cluster that it was seen at: a watch may go on from here. */
  version: string;
  /** ISO, by the worker's clock. */
  at: string;
}

/** Nobody watched for a while: since this moment (ISO, by the worker's clock) somebody does. */
export interface Interruption {
  interrupted: string;
}

/** One look at everything that holds a pair's token or reads its Secret. */
export interface ClusterLook {
  /** ISO time of the look, by the worker's clock. */
  at: string;
  consumers: Consumer[];
  containers: ConsumingContainer[];
  /** Running containers that are to have the token and cannot be asked; in no other list. */
  mute?: ConsumingContainer[];
  /** Consumers that do not run, where it is known which token their next run will hold. */
  idleHolders?: IdleHolder[];
  /** Workloads that mount the Secret as files: readers that cannot be proven. */
  mountedBy: Workload[];
  census: Census;
}

/** What asking every running container of the namespace came to. */
export interface Census {
  asked: number;
  /** Their different values of `GOVUK_ENVIRONMENT`, each with one container that has it. */
  environments: { value: string; seenIn: string }[];
  /** Containers that may hold a token and have not started: they cannot be asked yet. */
  starting: string[];
  /** What may hold a token and was not asked, a sentence each, with the reason. */
  unasked: string[];
  /**
   * Of those that do not run: what only their last run told. A worker that did not see that run
   * says the same sentence in `unasked`.
   */
  lastRuns?: string[];
  /**
   * Other Secrets of Signon's sync: each may hold this pair's token, unless Signon says that it
   * belongs to another pair.
   */
  otherSecrets: string[];
  /** Those whose every key that a running container reads holds none of the pair's tokens. */
  withoutToken?: string[];
}

/** `app in short-url-manager-6c9…` for sentences. */
export function describeContainer(
  container: Pick<ConsumingContainer, 'container' | 'pod'>,
): string {
  return `${container.container} in ${container.pod}`;
}

/** `app of Deployment/short-url-manager (PUBLISHING_API_BEARER_TOKEN)` for sentences. */
export function describeConsumer({ container, workload, variable }: Consumer): string {
  return `${container} of ${workload} (${variable})`;
}

/** `app of CronJob/nightly when it runs, from Secret legacy, key token` for sentences. */
export function describeIdle({ container, workload, from }: IdleHolder): string {
  return `${container} of ${workload} when it runs, from ${from}`;
}

/** The workloads that containers belong to, each once. */
export function workloadsOf(containers: readonly Pick<Consumer, 'workload'>[]): Workload[] {
  return [...new Set(containers.map(({ workload }) => workload))];
}

/** The Deployments among them: nothing else is restarted. */
export function deploymentsOf(workloads: readonly Workload[] = []): Workload[] {
  return workloads.filter((workload) => workload.startsWith('Deployment/'));
}

export function running(look: Pick<ClusterLook, 'containers'>): ConsumingContainer[] {
  return look.containers.filter(({ state }) => state === 'running');
}

export function sameConsumer(a: Consumer, b: Consumer): boolean {
  return a.workload === b.workload && a.container === b.container && a.variable === b.variable;
}

/** The running containers of a consumer. */
export function runsOf(
  look: Pick<ClusterLook, 'containers'>,
  consumer: Consumer,
): ConsumingContainer[] {
  return running(look).filter((one) => sameConsumer(one, consumer));
}

/** Each consumer once, without what else is known of a container. */
export function distinctConsumers(consumers: readonly Consumer[]): Consumer[] {
  const each = new Map<string, Consumer>();
  for (const { workload, container, variable } of consumers)
    each.set(`${workload} ${container} ${variable}`, { workload, container, variable });
  return [...each.values()];
}
