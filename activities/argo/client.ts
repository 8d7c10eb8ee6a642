import ms from 'ms';
import { z } from 'zod';
import { failure } from '../failure.ts';
import { send, type HttpResponse } from '../http.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { Secret } from '../../config/secret.ts';
import { redact } from '../../domain/text/index.ts';
import type { Settings } from '../../domain/settings/index.ts';
import type { SyncCronJob } from './interface.ts';

export type ArgoAccount = Pick<
  Configuration,
  | 'ARGOCD_URL'
  | 'ARGOCD_TOKEN'
  | 'ARGOCD_APPLICATION'
  | 'ARGOCD_APP_NAMESPACE'
  | 'ARGOCD_PROJECT'
  | 'ARGOCD_SYNC_CRONJOBS'
  | 'KUBERNETES_NAMESPACE'
> & { settings: Pick<Settings, 'answerLimit'> };

const CREATE_JOB = 'create-job';
const NAME_TAKEN = 409;
const LONGEST_WORDS = 500;

const node = z.object({
  kind: z.string(),
  namespace: z.string().optional(),
  name: z.string().max(253),
  uid: z.string().max(64).optional(),
});
const tree = z.object({ nodes: z.array(node).nullish() });
const logLine = z.object({
  result: z.object({
    content: z.string().optional(),
    podName: z.string().optional(),
    last: z.boolean().optional(),
  }),
});
const refusal = z.object({ code: z.number(), message: z.string() });

export type TreeNode = z.infer<typeof node>;

export class ArgoClient {
  private token: Secret;

  /** @param readAgain reads the token afresh: it may have been renewed in its file */
  constructor(
    private readonly account: ArgoAccount,
    private readonly readAgain?: () => Secret,
  ) {
    this.token = account.ARGOCD_TOKEN;
  }

  async tree(): Promise<TreeNode[]> {
    const answer = await this.get('resource-tree', this.scope());
    const parsed = tree.safeParse(json(answer.body));
    if (!parsed.success)
      throw failure('ContractChanged', 'Argo CD’s resource tree is not the JSON expected');
    return parsed.data.nodes ?? [];
  }

  /** The first of the configured CronJobs that the application has. @throws SyncCronJobMissing */
  async syncCronJob(): Promise<SyncCronJob> {
    const nodes = await this.tree();
    const { ARGOCD_SYNC_CRONJOBS: names, KUBERNETES_NAMESPACE: namespace } = this.account;
    for (const name of names) {
      const uid = nodes.find(
        (one) => one.kind === 'CronJob' && one.name === name && one.namespace === namespace,
      )?.uid;
      if (uid !== undefined) return { name, uid };
    }
    throw failure(
      'SyncCronJobMissing',
      `Argo CD’s application ${this.account.ARGOCD_APPLICATION} has none of ${names.join(', ')} in ${namespace}`,
    );
  }

  /**
   * Presses “Create job” once. Falls back to the older endpoint on servers before 3.1.
   * @returns false where the Job's name is taken: none was made
   */
  async createJob(cronJob: string): Promise<boolean> {
    const fields = {
      ...this.scope(),
      namespace: this.account.KUBERNETES_NAMESPACE,
      resourceName: cronJob,
      group: 'batch',
      kind: 'CronJob',
      version: 'v1',
    };
    const base = 'resource/actions';
    let answer = await this.send(`${base}/v2`, {}, { ...fields, action: CREATE_JOB });
    if (answer.status === 404 && json(answer.body) === undefined)
      answer = await this.send(base, fields, CREATE_JOB);
    if (answer.status === NAME_TAKEN) return false;
    if (answer.status !== 200) throw this.refusalOf(answer, CREATE_JOB);
    return true;
  }

  /** The end of a Job's log, unredacted; empty where the pod is gone or not yet there. */
  async logTail(job: string, lines: number): Promise<string> {
    const query = {
      ...this.scope(),
      namespace: this.account.KUBERNETES_NAMESPACE,
      group: 'batch',
      kind: 'Job',
      resourceName: job,
      container: 'cron-task',
      tailLines: String(lines),
    };
    const { body } = await this.get('logs', query);
    return (
      body
        .split('\n')
        .map((line) => logLine.safeParse(json(line)))
        .flatMap((line) => (line.success ? [line.data.result] : []))
        // Without a pod it is an error of Kubernetes, not the Job’s word.
        .filter(({ podName, last }) => podName && !last)
        .map(({ content = '' }) => content)
        .join('\n')
    );
  }

  private async get(what: string, params: Record<string, string>): Promise<HttpResponse> {
    const answer = await this.send(what, params);
    if (answer.status !== 200) throw this.refusalOf(answer, this.path(what));
    return answer;
  }

  private send(
    what: string,
    params: Record<string, string>,
    body?: unknown,
  ): Promise<HttpResponse> {
    return send('Argo CD', {
      limitMs: ms(this.account.settings.answerLimit),
      method: body === undefined ? 'GET' : 'POST',
      url: this.account.ARGOCD_URL + this.path(what),
      params,
      data: body && JSON.stringify(body),
      headers: {
        Authorization: `Bearer ${this.token.reveal()}`,
        Accept: 'application/json',
        'Content-Type': 'application/json',
      },
    });
  }

  private path(what: string): string {
    return `/api/v1/applications/${this.account.ARGOCD_APPLICATION}/${what}`;
  }

  /** Where it cannot be read now, the one at hand stays. */
  private renewToken(): void {
    try {
      this.token = this.readAgain?.() ?? this.token;
    } catch {
      return;
    }
  }

  private scope(): Record<string, string> {
    const { ARGOCD_APP_NAMESPACE: appNamespace, ARGOCD_PROJECT: project } = this.account;
    return { appNamespace, project };
  }

  /** Names of the sync's CronJobs and Jobs, as far as they stand in a text: they are no secrets. */
  private namesIn(words: string): string[] {
    return this.account.ARGOCD_SYNC_CRONJOBS.flatMap(
      (name) => words.match(new RegExp(`${name}(-\\d{8,17})?`, 'g')) ?? [],
    );
  }

  /**
   * A 403 may be passing (Argo CD answers so while the Kubernetes API is down), so it is retried a
   * bounded number of times.
   */
  private refusalOf({ status, body }: HttpResponse, what: string): Error {
    const parsed = refusal.safeParse(json(body));
    const said = parsed.success ? `code ${parsed.data.code}` : 'no code';
    const words = parsed.data?.message ?? '';
    if (status === 401) {
      this.renewToken();
      return failure(
        'CredentialRefused',
        `Argo CD refused ${what} with 401 (${said}): it does not accept the token`,
      );
    }
    // Kubernetes' own words: Argo CD's account lacks the right, or the object is invalid.
    if (/is forbidden: |is invalid: |must be no more than \d+ characters/.test(words))
      return failure(
        what === CREATE_JOB ? 'SyncJobRefused' : 'NotPermitted',
        `Kubernetes refused Argo CD’s ${what} (${status}): ${redact(words, this.namesIn(words)).slice(0, LONGEST_WORDS)}`,
      );
    if (status === 403)
      return failure(
        'Unreachable',
        `Argo CD answered ${what} with 403 (${said}): not permitted, an unknown application, or its Kubernetes API is down`,
      );
    if (status === 400 || status === 404)
      return failure(
        'SyncCronJobMissing',
        `Argo CD answered ${what} with ${status} (${said}): not found in the application`,
      );
    return failure('Unreachable', `Argo CD answered ${what} with ${status} (${said})`);
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
