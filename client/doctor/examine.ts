import type { Client } from '@temporalio/client';
import ms from 'ms';
import type { SignInBudget } from '../../activities/signon/sign-in-budget.ts';
import { createSignInBudget } from '../../activities/temporal/sign-in-budget.ts';
import type { Environment } from '../../domain/request.ts';
import { createClients, type Clients } from '../../worker/clients.ts';
import type { Configuration } from '../../worker/configuration.ts';
import { isPolled } from '../polling.ts';
import { ARGO_CHECKS, examineArgo } from './argo.ts';
import { examineConfiguration, examineHosts } from './configuration.ts';
import { allNotChecked, notChecked, wrong, type Finding } from './finding.ts';
import { examineKubernetes, KUBERNETES_CHECKS } from './kubernetes.ts';
import { examineSignon, SIGNON_CHECKS } from './signon.ts';
import { examineSlack } from './slack.ts';
import { examineTemporal } from './temporal.ts';

export interface Examination {
  environment: Environment;
  env: NodeJS.ProcessEnv;
  /** Undefined where Temporal does not answer. */
  client: Client | undefined;
  /** Register missing search attributes. */
  fix: boolean;
  /** Sign in to Signon: always, never, or where a worker is there to count refusals. */
  signIn: boolean | undefined;
  /** Post a line to Slack. */
  slack: boolean;
  /** Says something before it is done. */
  warn: (line: string) => void;
}

/** Checks all that a worker needs, one after the other. Reads only, save what `fix` and `slack` ask for. */
export async function examine(examination: Examination): Promise<Finding[]> {
  const { environment, env, client, fix } = examination;
  const { finding, configuration } = examineConfiguration(env, environment);
  const temporal = client
    ? await examineTemporal(client, environment, { fix })
    : [wrong('Temporal', 'it does not answer', 'Check TEMPORAL_ADDRESS, TEMPORAL_API_KEY and TEMPORAL_TLS….')];
  return [finding, ...temporal, ...(configuration ? await outside(configuration, examination) : [])];
}

async function outside(configuration: Configuration, examination: Examination): Promise<Finding[]> {
  const { environment, slack } = examination;
  const { settings, SLACK_WEBHOOK_URL: webhook } = configuration;
  const clients = createClients(configuration);
  const hosts = examineHosts(clients.hosts, environment, settings);
  const slackFinding = await examineSlack(webhook, { send: slack, environment, limitMs: ms(settings.answerLimit) });
  if (hosts.verdict === 'wrong') {
    const others = [...SIGNON_CHECKS, ...ARGO_CHECKS, ...KUBERNETES_CHECKS];
    return [hosts, ...allNotChecked(others, 'no credential goes to a host of another environment'), slackFinding];
  }
  const signon = await signonFindings(clients, examination);
  const { findings: argo, cronJob } = await examineArgo(clients.argo, clients.argoAccount);
  const kubernetes = await examineKubernetes(clients.kubernetes, environment, cronJob);
  return [hosts, ...signon, ...argo, ...kubernetes, slackFinding];
}

async function signonFindings(
  { signonAccount: account }: Clients,
  { client, environment, signIn, warn }: Examination,
): Promise<Finding[]> {
  if (signIn === false) return allNotChecked(SIGNON_CHECKS, 'not signed in, as asked');
  const counted = client !== undefined && (await isPolled(client, environment).catch(() => false));
  if (!counted && signIn !== true) {
    const [first, ...rest] = SIGNON_CHECKS;
    const todo = 'doctor --sign-in signs in once, uncounted: six refusals in a row lock the account.';
    return [
      notChecked(first, 'not signed in: no worker is there to count refused sign-ins', todo),
      ...allNotChecked(rest, 'not signed in'),
    ];
  }
  warn(`Signs in to ${account.url} once, as ${account.email}. A refusal counts towards the account’s lock.`);
  return examineSignon(account, counted ? createSignInBudget(client, environment) : UNCOUNTED);
}

const UNCOUNTED: SignInBudget = { reserve: () => Promise.resolve({ settle: () => Promise.resolve() }) };
