import type { Fingerprint } from './tokens.ts';

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'CronJob' | 'Job' | 'Pod';
/** `Deployment/short-url-manager`. */
export type Workload = `${WorkloadKind}/${string}`;

/** A container that reads the pair's Secret through an env var. */
export interface Consumer {
  workload: Workload;
  container: string;
  variable: string;
}

/** Where a pair's token is read. */
export interface Readers {
  /** Name of the Secret: whoever reads it is a consumer. */
  secret: string;
  /** Consumers that hold the token without reading that Secret, as a search or a person found. */
  also: Consumer[];
  /** Where given, every container of the namespace that has a token of some pair is asked as well: one that holds any of these is a consumer. */
  holding?: Omit<Fingerprint, 'masked'>[];
  /** Of those, only the ones whose token comes from no pair's Secret: where the readers are known, such a copy alone can be this pair's. */
  asking?: 'copies';
}

/** Digests of what a container's variable holds, taken inside the container. */
export type Digests = Omit<Fingerprint, 'masked'> & { sha256: string };

/** One consumer in one pod, as seen at one moment. */
export interface ConsumingContainer extends Consumer {
  pod: string;
  containerId: string;
  state: 'starting' | 'running' | 'ended';
  /** ISO, whole seconds, by the cluster's clock; running containers only. */
  startedAt?: string;
  ready: boolean;
  /** The pod is being deleted; it still serves until it is gone. */
  terminating: boolean;
  /** Running containers only. */
  digests?: Digests;
  /** Value of `GOVUK_ENVIRONMENT`; running containers only. */
  environment?: string;
}

/** One look at everything that reads a Secret. */
export interface ClusterLook {
  /** ISO time of the look, by the worker's clock. */
  at: string;
  consumers: Consumer[];
  containers: ConsumingContainer[];
  /** Workloads that mount the Secret as files: readers that cannot be proven. */
  mountedBy: Workload[];
  /** What a search through all containers came to, where there was one. */
  searched?: Searched;
}

/** A search through every running container that has a token of any pair. */
export interface Searched {
  /** How many containers told what they hold. */
  asked: number;
  /** Their different values of `GOVUK_ENVIRONMENT`, each with one container that has it. */
  environments: { value: string; seenIn: string }[];
  /** Containers that have not started: what they will hold cannot be asked yet. */
  starting: string[];
  /** Containers that could not be asked, a sentence each. */
  unasked: string[];
  /** Only those were asked whose token comes from no pair's Secret. */
  copies?: true;
}

/** `app in short-url-manager-6c9…` for sentences. */
export function describeContainer(container: Pick<ConsumingContainer, 'container' | 'pod'>): string {
  return `${container.container} in ${container.pod}`;
}

/** `app of Deployment/short-url-manager (PUBLISHING_API_BEARER_TOKEN)` for sentences. */
export function describeConsumer({ container, workload, variable }: Consumer): string {
  return `${container} of ${workload} (${variable})`;
}

/** The workloads that containers belong to, each once. */
export function workloadsOf(containers: readonly Pick<Consumer, 'workload'>[]): Workload[] {
  return [...new Set(containers.map(({ workload }) => workload))];
}

/** The running containers of a look. */
export function running(look: Pick<ClusterLook, 'containers'>): ConsumingContainer[] {
  return look.containers.filter(({ state }) => state === 'running');
}

export function sameConsumer(a: Consumer, b: Consumer): boolean {
  return a.workload === b.workload && a.container === b.container && a.variable === b.variable;
}

/** Each consumer once, without what else is known of a container. */
export function distinctConsumers(consumers: readonly Consumer[]): Consumer[] {
  const each: Consumer[] = [];
  for (const { workload, container, variable } of consumers)
    if (!each.some((known) => sameConsumer(known, { workload, container, variable })))
      each.push({ workload, container, variable });
  return each;
}
