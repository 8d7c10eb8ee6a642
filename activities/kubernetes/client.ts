import {
  ApiException,
  AppsV1Api,
  AuthorizationV1Api,
  BatchV1Api,
  CoreV1Api,
  createConfiguration,
  HttpMethod,
  PatchStrategy,
  RequestContext,
  ServerConfiguration,
  setHeaderOptions,
  type KubeConfig,
  type V1Job,
  type V1JobCondition,
  type V1Pod,
} from '@kubernetes/client-node';
import type { AxiosRequestConfig } from 'axios';
import pLimit from 'p-limit';
import type { SyncCronJob, SyncJob } from '../argo/interface.ts';
import { failure, failedWith } from '../failure.ts';
import { boundedHttp } from './bounded-http.ts';
import { type Template } from './consumers.ts';
import { PodWatch } from './pod-watch.ts';
import { hindranceOf } from './pods.ts';
import { SharedRead } from '../shared-read.ts';
import { EXEC, type Right } from './rights.ts';
import { execIn, type ExecResult, type Target } from './exec.ts';
import { Snapshot } from './snapshot.ts';

const PAGE = 200;
/** Of this worker: each starts a program in a container. */
const EXECS_AT_ONCE = 32;

type ReadPage<T> = (page: { namespace: string; limit: number; _continue?: string }) => Promise<{
  items: T[];
  metadata?: { _continue?: string; resourceVersion?: string };
}>;

type JobState = 'complete' | 'failed' | 'suspended' | 'running';
export type CronJobsJob = SyncJob & {
  state: JobState;
  /** ISO, whole seconds, by the cluster's clock; absent where it has not ended. */
  endedAt?: string;
};

/** The Kubernetes API as the rotation needs it, in one namespace. */
export class KubernetesClient {
  private apis: ReturnType<typeof apisOf>;
  private readonly execs = pLimit(EXECS_AT_ONCE);
  private readonly snapshots = new SharedRead(async () => {
    const at = new Date().toISOString();
    const [templates, pods, jobs] = await Promise.all([this.templates(), this.pods(), this.jobs()]);
    return new Snapshot(at, templates, pods, jobs);
  });
  readonly podWatch = new PodWatch({
    request: (query) => this.podRequest(query),
    version: async () => {
      const { namespace } = this;
      const { metadata } = await this.apis.core.listNamespacedPod({ namespace, limit: 1 });
      return metadata?.resourceVersion ?? '';
    },
    rebuilt: (error) => this.rebuilt(error, 'watch pods'),
  });

  /** @param readAgain reads the kubeconfig afresh: its credential may have been renewed */
  constructor(
    private config: KubeConfig,
    private readonly namespace: string,
    /** How long to wait for one answer, in ms. */
    private readonly limitMs: number,
    private readonly readAgain?: () => KubeConfig,
  ) {
    this.apis = apisOf(config, limitMs);
  }

  /**
   * All workloads and pods of the namespace: one set of lists for all who ask together, begun after
   * they asked.
   * @param since as `SharedRead` says: lists begun since then will do
   */
  snapshot(since?: number): Promise<Snapshot> {
    return this.snapshots.get(since);
  }

  async pods(): Promise<V1Pod[]> {
    return (await this.podsNow()).items;
  }

  /** All pods, and the version from which a watch tells what changes after them. */
  podsNow(): Promise<{ items: V1Pod[]; version: string }> {
    return this.listed('list pods', (page) => this.apis.core.listNamespacedPod(page));
  }

  jobs(): Promise<V1Job[]> {
    return this.all('list jobs', (page) => this.apis.batch.listNamespacedJob(page));
  }

  /**
   * All workloads' pod templates; Jobs of CronJobs only where they run now, under the CronJob's
   * name.
   */
  async templates(): Promise<Template[]> {
    const [deployments, statefulSets, cronJobs] = await Promise.all([
      this.all('list deployments', (page) => this.apis.apps.listNamespacedDeployment(page)),
      this.all('list statefulsets', (page) => this.apis.apps.listNamespacedStatefulSet(page)),
      this.all('list cronjobs', (page) => this.apis.batch.listNamespacedCronJob(page)),
    ]);
    return [
      ...deployments.map((deployment): Template => ({
        workload: `Deployment/${deployment.metadata?.name}`,
        spec: deployment.spec?.template.spec,
        hindrance: hindranceOf(deployment),
      })),
      ...statefulSets.map(({ metadata, spec }): Template => ({
        workload: `StatefulSet/${metadata?.name}`,
        spec: spec?.template.spec,
      })),
      ...cronJobs.map(({ metadata, spec }): Template => ({
        workload: `CronJob/${metadata?.name}`,
        spec: spec?.jobTemplate.spec?.template.spec,
      })),
    ];
  }

  async cronJobUid(name: string): Promise<string | undefined> {
    const found = await this.orUndefined(`get cronjob ${name}`, () =>
      this.apis.batch.readNamespacedCronJob({ name, namespace: this.namespace }),
    );
    return found?.metadata?.uid;
  }

  /** When a Job completed, ISO by the cluster's clock; undefined where it is gone or has not. */
  async jobCompletedAt(name: string): Promise<string | undefined> {
    const time = (await this.job(name))?.status?.completionTime;
    return time && new Date(time).toISOString();
  }

  /** The Jobs that a CronJob owns, oldest first. */
  async jobsOf({ uid: owner }: SyncCronJob): Promise<CronJobsJob[]> {
    const jobs = await this.jobs();
    return jobs
      .filter(({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => uid === owner))
      .map((job) => ({
        name: job.metadata?.name ?? '',
        uid: job.metadata?.uid ?? '',
        createdAt: new Date(job.metadata?.creationTimestamp ?? 0).toISOString(),
        state: stateOf(job),
        endedAt: endOf(job)?.lastTransitionTime?.toISOString(),
      }))
      .toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  }

  async jobState(job: Pick<SyncJob, 'name' | 'uid'>): Promise<JobState | 'gone'> {
    const found = await this.job(job.name);
    return found?.metadata?.uid === job.uid ? stateOf(found) : 'gone';
  }

  private job(name: string): Promise<V1Job | undefined> {
    return this.orUndefined(`get job ${name}`, () =>
      this.apis.batch.readNamespacedJob({ name, namespace: this.namespace }),
    );
  }

  /**
   * What `kubectl rollout restart` does: a new pod template, by an annotation that holds the
   * moment.
   */
  async restartDeployment(name: string, at: string): Promise<void> {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': at };
    const body = { spec: { template: { metadata: { annotations } } } };
    try {
      await this.apis.apps.patchNamespacedDeployment(
        { name, namespace: this.namespace, body },
        setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
      );
    } catch (error) {
      throw this.rebuilt(error, `patch deployment ${name}`);
    }
  }

  /** Whether this account may do something in the namespace, as the cluster itself says. */
  async may({ group, resource, verb }: Right): Promise<boolean> {
    const [name, subresource] = resource.split('/');
    const resourceAttributes = {
      namespace: this.namespace,
      group,
      resource: name,
      subresource,
      verb,
    };
    try {
      const { status } = await this.apis.authorization.createSelfSubjectAccessReview({
        body: { spec: { resourceAttributes } },
      });
      return status?.allowed === true;
    } catch (error) {
      throw this.rebuilt(error, 'create selfsubjectaccessreview');
    }
  }

  /** @param limitMs how long to wait for the whole answer, in ms; 90 s where absent */
  async exec(target: Target, command: string[], limitMs?: number): Promise<ExecResult> {
    try {
      return await this.execs(() => execIn(this.config, this.namespace, target, command, limitMs));
    } catch (error) {
      if (failedWith(error, 'CredentialRefused')) this.renewCredential();
      if (!failedWith(error, 'NotPermitted')) throw error;
      throw failure('NotPermitted', `${error.message}${await this.lackingForExec()}`);
    }
  }

  /**
   * Which rights this account lacks, as the cluster says; empty where it lacks none of them or does
   * not say.
   */
  private async lackingForExec(): Promise<string> {
    const lacking: string[] = [];
    for (const right of EXEC)
      if (!(await this.may(right).catch(() => true))) lacking.push(right.verb);
    return lacking.length > 0 ? `: the role lacks ${lacking.join(' and ')} on pods/exec` : '';
  }

  /**
   * Reads the credential afresh for the requests that follow; where it cannot be read now, the one
   * at hand stays.
   */
  private renewCredential(): void {
    if (!this.readAgain) return;
    try {
      this.config = this.readAgain();
      this.apis = apisOf(this.config, this.limitMs);
    } catch {
      return;
    }
  }

  private async podRequest(query: Record<string, string>): Promise<AxiosRequestConfig> {
    const server = this.config.getCurrentCluster()?.server;
    const url = new URL(`${server}/api/v1/namespaces/${this.namespace}/pods`);
    url.search = new URLSearchParams(query).toString();
    const request = new RequestContext(url.href, HttpMethod.GET);
    await this.config.applySecurityAuthentication(request);
    const agent = request.getAgent();
    return { url: url.href, headers: request.getHeaders(), httpAgent: agent, httpsAgent: agent };
  }

  private async all<T>(what: string, list: ReadPage<T>): Promise<T[]> {
    return (await this.listed(what, list)).items;
  }

  /** Reads all pages of a list; starts over once when the continuation has expired. */
  private async listed<T>(
    what: string,
    list: ReadPage<T>,
  ): Promise<{ items: T[]; version: string }> {
    for (let tries = 0; ; tries++) {
      try {
        const items: T[] = [];
        let version = '';
        let _continue: string | undefined;
        do {
          const page = await list({ namespace: this.namespace, limit: PAGE, _continue });
          if (!Array.isArray(page.items))
            throw failure('ContractChanged', `Kubernetes answered “${what}” without items`);
          items.push(...page.items);
          version ||= page.metadata?.resourceVersion ?? '';
          _continue = page.metadata?._continue || undefined;
        } while (_continue);
        return { items, version };
      } catch (error) {
        if (error instanceof ApiException && error.code === 410 && tries < 3) continue;
        throw this.rebuilt(error, what);
      }
    }
  }

  private async orUndefined<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw this.rebuilt(error, what);
    }
  }

  /** The client's own error holds headers and bodies; ours holds the verb and the status. */
  private rebuilt(error: unknown, what: string): Error {
    if (error instanceof SyntaxError)
      return failure('ContractChanged', `Kubernetes answered “${what}” with no JSON`);
    if (failedWith(error, 'ContractChanged')) return error;
    if (!(error instanceof ApiException))
      return failure('Unreachable', `Kubernetes did not answer “${what}”`);
    if (error.code === 401) {
      this.renewCredential();
      return failure(
        'CredentialRefused',
        `Kubernetes refused “${what}” with 401: it does not accept the credential`,
      );
    }
    if (error.code === 403) return failure('NotPermitted', `Kubernetes refused “${what}” with 403`);
    return failure('Unreachable', `Kubernetes answered “${what}” with ${error.code}`);
  }
}

function stateOf(job: V1Job): JobState {
  const end = endOf(job);
  if (end) return end.type === 'Complete' ? 'complete' : 'failed';
  return job.spec?.suspend ? 'suspended' : 'running';
}

/** The final condition: `SuccessCriteriaMet` and `FailureTarget` come before it. */
function endOf({ status }: V1Job): V1JobCondition | undefined {
  return status?.conditions?.find(
    ({ type, status: is }) => ['Complete', 'Failed'].includes(type) && is === 'True',
  );
}

function apisOf(config: KubeConfig, limitMs: number) {
  const client = createConfiguration({
    baseServer: new ServerConfiguration(config.getCurrentCluster()?.server ?? '', {}),
    authMethods: { default: config },
    httpApi: boundedHttp(limitMs),
  });
  return {
    core: new CoreV1Api(client),
    apps: new AppsV1Api(client),
    batch: new BatchV1Api(client),
    authorization: new AuthorizationV1Api(client),
  };
}
