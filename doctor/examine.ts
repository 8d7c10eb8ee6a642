import type { Client } from '@temporalio/client';
import ms from 'ms';
import type { SyncCronJob } from '../activities/argo/interface.ts';
import type { SignInBudget, SignonAccount } from '../activities/signon/session.ts';
import { createSignInBudget } from '../activities/temporal/sign-in-budget.ts';
import type { Environment } from '../domain/request/index.ts';
import { createClients, credentialOf, type Clients } from '../worker/clients.ts';
import type { Configuration } from '../config/configuration.ts';
import { BadConfiguration } from '../config/variables.ts';
import { isPolled } from '../client/polling.ts';
import { ARGO_CHECKS, examineArgo } from './argo.ts';
import { examineConfiguration, examineHosts } from './configuration.ts';
import { allNotChecked, guarded, notChecked, well, wrong, type Finding } from './finding.ts';
import { examineKubernetes, KUBERNETES_CHECKS } from './kubernetes.ts';
import { examineSignon, SIGNON_CHECKS } from './signon.ts';
import { examineSlack } from './slack.ts';
import { examineTemporal } from './temporal.ts';

/** All of Temporal's answers together; registering attributes may take a minute. */
const TEMPORAL_ANSWERS_WITHIN_MS = 90_000;

export interface Examination {
  environment: Environment;
  env: NodeJS.ProcessEnv;
  /** Undefined where Temporal does not answer. */
  client: Client | undefined;
  /** Why there is no client. */
  away?: string;
  /** Register missing search attributes, and keep closed workflows long enough. */
  fix: boolean;
  /** Sign in to Signon: always, never, or where a worker is there to count refusals. */
  signIn: boolean | undefined;
  slack: boolean;
  /** Says something before it is done. */
  warn: (line: string) => void;
}

/**
 * Checks all that a worker needs, one after the other. Reads only, save what `fix` and `slack` ask
 * for.
 */
export async function examine(examination: Examination): Promise<Finding[]> {
  const { environment, env, client, fix } = examination;
  const { finding, configuration } = examineConfiguration(env, environment);
  const temporal = client
    ? await client.withDeadline(Date.now() + TEMPORAL_ANSWERS_WITHIN_MS, () =>
        examineTemporal(client, environment, { fix }),
      )
    : [
        wrong(
          'Temporal',
          examination.away ?? 'there is no connection',
          'Check TEMPORAL_ADDRESS, TEMPORAL_API_KEY and TEMPORAL_TLS….',
        ),
      ];
  const outsides = configuration
    ? await guarded('outside systems', () => outside(configuration, examination))
    : [];
  return [finding, ...temporal, ...outsides];
}

async function outside(configuration: Configuration, examination: Examination): Promise<Finding[]> {
  const { environment, slack } = examination;
  const { settings, SLACK_WEBHOOK_URL: webhook } = configuration;
  let clients: Clients;
  try {
    clients = createClients(configuration);
  } catch (error) {
    if (!(error instanceof BadConfiguration)) throw error;
    return [
      wrong(
        'kubeconfig',
        error.problems.join('; '),
        'Check KUBECONFIG: a file, or several as kubectl reads them.',
      ),
    ];
  }
  const hosts = examineHosts(configuration);
  const slackFinding = await examineSlack(webhook, {
    send: slack,
    environment,
    limitMs: ms(settings.answerLimit),
  });
  if (hosts.verdict === 'wrong') {
    const others = [...SIGNON_CHECKS, ...ARGO_CHECKS, ...KUBERNETES_CHECKS];
    return [
      hosts,
      ...allNotChecked(others, 'no credential goes to a host of another environment'),
      slackFinding,
    ];
  }
  const signon = await guarded(SIGNON_CHECKS[0], () => signonFindings(configuration, examination));
  let cronJob: SyncCronJob | undefined;
  const argo = await guarded(ARGO_CHECKS[0], async () => {
    const examined = await examineArgo(
      clients.argo,
      configuration.ARGOCD_APPLICATION,
      clients.kubernetes,
    );
    cronJob = examined.cronJob;
    return examined.findings;
  });
  const kubernetes = await guarded(KUBERNETES_CHECKS[0], () =>
    examineKubernetes(clients.kubernetes, environment, cronJob, settings.smokeCalls),
  );
  const credential = well('Kubernetes credential', credentialOf(clients.kubeConfig));
  return [hosts, ...signon, ...argo, credential, ...kubernetes, slackFinding];
}

async function signonFindings(
  account: SignonAccount,
  { client, environment, signIn, warn }: Examination,
): Promise<Finding[]> {
  if (signIn === false) return allNotChecked(SIGNON_CHECKS, 'not signed in, as asked');
  const counted = client !== undefined && (await isPolled(client, environment).catch(() => false));
  if (!counted && signIn !== true) {
    const [first, ...rest] = SIGNON_CHECKS;
    const todo =
      'doctor --sign-in signs in once, uncounted: six refusals in a row lock the account.';
    return [
      notChecked(first, 'not signed in: no worker is there to count refused sign-ins', todo),
      ...allNotChecked(rest, 'not signed in'),
    ];
  }
  warn(
    `Signs in to ${account.SIGNON_URL} once, as ${account.SIGNON_EMAIL}. A refusal counts towards the account’s lock.`,
  );
  return examineSignon(
    account,
    counted ? createSignInBudget(client, environment, account.SIGNON_TOTP_SECRET) : UNCOUNTED,
  );
}

const UNCOUNTED: SignInBudget = {
  reserve: () => Promise.resolve(() => Promise.resolve()),
};
