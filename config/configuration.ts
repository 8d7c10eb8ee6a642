import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { delimiter } from 'node:path';
import { z } from 'zod';
import { totpCode } from './totp.ts';
import {
  approversOf,
  type DeploymentVersion,
  type Environment,
  needsSecondPerson,
  PLAIN_HTTP,
} from '../domain/request/index.ts';
import type { Settings } from '../domain/settings/index.ts';
import { BadSettings, DEFAULT_SETTINGS, readSettings } from './settings.ts';
import {
  address,
  BadConfiguration,
  hostAndPort,
  isLoopback,
  logLevel,
  passes,
  readVariables,
  receiverIdentity,
  rotationEnvironment,
  secret,
  text,
  url,
} from './variables.ts';

/** Temporal joins the parts of a version's name by these. */
const versionPart = text.regex(/^[^.:\s]+$/, 'expected no “.”, “:” or blank');

/** Read by the exporter itself; an exporter that fails prints its address. */
const traces = address.optional();

/** Every variable with what it means: docs/configuration.md is made from it. */
export const WORKER_VARIABLES = z.object({
  ROTATION_ENVIRONMENT: rotationEnvironment,
  SIGNON_URL: url.describe('Signon’s address'),
  SIGNON_EMAIL: z.email().describe('e-mail address of a superadmin with a second step'),
  SIGNON_PASSWORD: secret.describe('its password'),
  SIGNON_TOTP_SECRET: secret
    .refine(
      (totpSecret) => passes(() => totpCode(totpSecret, 0)),
      'expected a base32 secret of at least 16 characters',
    )
    .describe('the secret of its second step, base32'),
  ARGOCD_URL: url.describe('Argo CD’s address'),
  ARGOCD_TOKEN: secret.describe(
    'a token of an account that may get the application and its logs, and run `create-job` on CronJobs',
  ),
  ARGOCD_APPLICATION: text.default('signon').describe('the application that has the sync CronJob'),
  ARGOCD_APP_NAMESPACE: text.default('cluster-services').describe('its namespace'),
  ARGOCD_PROJECT: text.default('govuk').describe('its project'),
  ARGOCD_SYNC_CRONJOBS: text
    .default('signon-sync-token-secrets-to-k8s,signon-sync-app-secrets-to-k8s')
    .transform((names) => names.split(',').map((name) => name.trim()))
    .describe('names of the sync CronJob; the first that the application has is used'),
  KUBECONFIG: text
    .refine(
      (paths) => paths.split(delimiter).every((path) => existsSync(path)),
      'the file is not there',
    )
    .optional()
    .describe(
      'a kubeconfig; without it the pod’s service account is used. The rights are in `deploy/kubernetes/role.yaml`',
    ),
  KUBERNETES_NAMESPACE: text.default('apps').describe('the namespace of the applications'),
  ROTATION_SETTINGS: text
    .optional()
    .describe('a YAML or JSON file with the settings that differ from those below'),
  SLACK_WEBHOOK_URL: secret
    .refine(
      (webhook) => address.safeParse(webhook.reveal()).success,
      'expected an address that begins with https:// or http://, without user and password',
    )
    .optional()
    .describe('where messages go; without it none are sent'),
  TEMPORAL_UI_URL: url.optional().describe('the Temporal UI’s address, for links'),
  ALERT_RECEIVER_IDENTITY: receiverIdentity,
  TEMPORAL_DEPLOYMENT_NAME: versionPart
    .optional()
    .describe('the Worker Deployment; give both this and the build id, or neither'),
  TEMPORAL_WORKER_BUILD_ID: text
    .optional()
    .describe('the version of the Worker Deployment; it gets no tasks until it is made current'),
  MAX_CACHED_WORKFLOWS: z.coerce
    .number()
    .int()
    .min(2)
    .max(10_000)
    .default(100)
    .describe(
      'workflows kept in memory, 2 to 10000; others are replayed. Above 800, raise --max-old-space-size too',
    ),
  METRICS_ADDRESS: hostAndPort
    .refine(
      (value) => isIP(value.replace(/:\d+$|[[\]]/g, '')) > 0,
      'expected an IP address and a port',
    )
    .optional()
    .describe(
      'an IP address and a port that Prometheus scrapes, e.g. `0.0.0.0:9464`; without it there are no metrics',
    ),
  OTEL_EXPORTER_OTLP_ENDPOINT: traces.describe(
    'where traces go, by OTLP over HTTP; without it there are none',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces.describe('the same, for traces alone'),
  ALLOW_PLAIN_HTTP: z
    .enum(PLAIN_HTTP)
    .optional()
    .describe(
      '`integration` allows `http://` for Signon, Argo CD and Slack there; never in production, not needed on loopback',
    ),
  LOG_LEVEL: logLevel,
});

/** What a worker runs with: one environment's addresses and credentials, and its settings. */
export type Configuration = z.infer<typeof WORKER_VARIABLES> & {
  settings: Settings;
  /** Of the Worker Deployment, where both its parts are given. */
  version?: DeploymentVersion;
};

/** Hosts of Signon and Argo CD, by the name of their variable. */
export function hostsOf({ SIGNON_URL, ARGOCD_URL }: Record<'SIGNON_URL' | 'ARGOCD_URL', string>) {
  return { SIGNON_URL: new URL(SIGNON_URL).hostname, ARGOCD_URL: new URL(ARGOCD_URL).hostname };
}

export const MAY_COME_FROM_FILE = [
  'SIGNON_PASSWORD',
  'SIGNON_TOTP_SECRET',
  'ARGOCD_TOKEN',
  'SLACK_WEBHOOK_URL',
];

/** Reads and checks all variables. Every secret may come as `…_FILE`. @throws BadConfiguration */
export function readConfiguration(env: NodeJS.ProcessEnv): Configuration {
  const { value, problems } = readVariables(env, WORKER_VARIABLES, MAY_COME_FROM_FILE);
  const read = settingsFrom(env, problems);
  const version = value && versionFrom(value, problems);
  if (value)
    problems.push(...inClear(value), ...approversMissing(value.ROTATION_ENVIRONMENT, read));
  if (!value || problems.length > 0) throw new BadConfiguration('worker', problems);
  const { TEMPORAL_UI_URL: temporalUiUrl } = value;
  return { ...value, version, settings: { ...read, temporalUiUrl } };
}

/** In an environment where another person must approve, the settings say who may. */
function approversMissing(environment: Environment, { approvers }: Settings): string[] {
  return needsSecondPerson(environment) && approversOf(approvers, environment) === undefined
    ? [
        `ROTATION_SETTINGS: approvers: expected who may approve in ${environment}, or approvers: anyone`,
      ]
    : [];
}

/** Names each address that a password or token would be sent to in clear over a network. */
function inClear(value: z.infer<typeof WORKER_VARIABLES>): string[] {
  const { ROTATION_ENVIRONMENT: environment, ALLOW_PLAIN_HTTP: allowed } = value;
  const addresses = {
    SIGNON_URL: value.SIGNON_URL,
    ARGOCD_URL: value.ARGOCD_URL,
    SLACK_WEBHOOK_URL: value.SLACK_WEBHOOK_URL?.reveal(),
  };
  const todo = !PLAIN_HTTP.includes(environment) ? '' : `, or set ALLOW_PLAIN_HTTP=${environment}`;
  return Object.entries(addresses)
    .filter(
      ([, at]) =>
        at !== undefined && /^http:/i.test(at) && !isLoopback(at) && allowed !== environment,
    )
    .map(([name]) => `${name}: http sends secrets in clear; use https${todo}`);
}

function versionFrom(
  {
    TEMPORAL_DEPLOYMENT_NAME: deploymentName,
    TEMPORAL_WORKER_BUILD_ID: buildId,
  }: z.infer<typeof WORKER_VARIABLES>,
  problems: string[],
): DeploymentVersion | undefined {
  if (deploymentName && buildId) return { deploymentName, buildId };
  if (deploymentName)
    problems.push('TEMPORAL_WORKER_BUILD_ID: missing, while TEMPORAL_DEPLOYMENT_NAME is given');
  if (buildId)
    problems.push('TEMPORAL_DEPLOYMENT_NAME: missing, while TEMPORAL_WORKER_BUILD_ID is given');
  return undefined;
}

function settingsFrom(env: NodeJS.ProcessEnv, problems: string[]): Settings {
  const { ROTATION_SETTINGS: file, SIGNON_URL: signon = '', ARGOCD_URL: argoCd = '' } = env;
  if (!file) return DEFAULT_SETTINGS;
  try {
    return readSettings(file, isLoopback(signon) && isLoopback(argoCd));
  } catch (error) {
    const named = error instanceof BadSettings ? error.problems : ['the file cannot be read'];
    problems.push(...named.map((problem) => `ROTATION_SETTINGS: ${problem}`));
    return DEFAULT_SETTINGS;
  }
}
