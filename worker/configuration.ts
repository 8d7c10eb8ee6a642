import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { z } from 'zod';
import type { Secret } from '../activities/secret.ts';
import { totpCode } from '../activities/signon/totp.ts';
import { ALERT_RECEIVER } from '../domain/approval.ts';
import type { DeploymentVersion } from '../domain/deployment.ts';
import type { Settings } from '../domain/settings.ts';
import { BadSettings, DEFAULT_SETTINGS, readSettings } from './settings.ts';
import { BadConfiguration, LOG_LEVELS, readVariables, secret, text, url } from './variables.ts';

function makesCodes(totpSecret: Secret): boolean {
  try {
    return totpCode(totpSecret, 0).length === 6;
  } catch {
    return false;
  }
}

function isAddress(webhook: Secret): boolean {
  return z.url({ protocol: /^https?$/ }).safeParse(webhook.reveal()).success;
}

/** Temporal joins the parts of a version's name by these. */
const versionPart = text.regex(/^[^.:\s]+$/, 'expected no “.”, “:” or blank');

const schema = z.object({
  ROTATION_ENVIRONMENT: z.enum(['integration', 'production']), // staging needs no worker: it is overwritten every night
  SIGNON_URL: url,
  SIGNON_EMAIL: z.email(),
  SIGNON_PASSWORD: secret,
  SIGNON_TOTP_SECRET: secret.refine(makesCodes, 'expected a base32 secret of at least 16 characters'),
  ARGOCD_URL: url,
  ARGOCD_TOKEN: secret,
  ARGOCD_APPLICATION: text.default('signon'),
  ARGOCD_APP_NAMESPACE: text.default('cluster-services'),
  ARGOCD_PROJECT: text.default('govuk'),
  ARGOCD_SYNC_CRONJOBS: text
    .default('signon-sync-token-secrets-to-k8s,signon-sync-app-secrets-to-k8s')
    .transform((names) => names.split(',').map((name) => name.trim())),
  KUBECONFIG: text
    .refine((paths) => paths.split(delimiter).every((path) => existsSync(path)), 'the file is not there')
    .optional(),
  KUBERNETES_NAMESPACE: text.default('apps'),
  ROTATION_SETTINGS: text.optional(),
  SLACK_WEBHOOK_URL: secret.refine(isAddress, 'expected an address that begins with https:// or http://').optional(),
  TEMPORAL_UI_URL: url.optional(),
  ALERT_RECEIVER_IDENTITY: text.default(ALERT_RECEIVER),
  TEMPORAL_DEPLOYMENT_NAME: versionPart.optional(),
  TEMPORAL_WORKER_BUILD_ID: text.optional(),
  METRICS_ADDRESS: text.regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'expected host:port').optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('INFO'),
});

/** What a worker runs with: one environment's addresses and credentials, and its settings. */
export type Configuration = z.infer<typeof schema> & {
  settings: Settings;
  /** Of the Worker Deployment, where both its parts are given. */
  version?: DeploymentVersion;
};

const MAY_COME_FROM_FILE = ['SIGNON_PASSWORD', 'SIGNON_TOTP_SECRET', 'ARGOCD_TOKEN', 'SLACK_WEBHOOK_URL'];

/** Reads and checks all variables. Every secret may come as `…_FILE`. @throws BadConfiguration */
export function readConfiguration(env: NodeJS.ProcessEnv): Configuration {
  const { value, problems } = readVariables(env, schema, MAY_COME_FROM_FILE);
  const read = settingsFrom(env.ROTATION_SETTINGS, problems);
  const version = value && versionFrom(value, problems);
  if (!value || problems.length > 0) throw new BadConfiguration('worker', problems);
  const { TEMPORAL_UI_URL: temporalUiUrl } = value;
  return { ...value, ...(version && { version }), settings: { ...read, ...(temporalUiUrl && { temporalUiUrl }) } };
}

function versionFrom(
  { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: buildId }: z.infer<typeof schema>,
  problems: string[],
): DeploymentVersion | undefined {
  if (deploymentName && buildId) return { deploymentName, buildId };
  if (deploymentName) problems.push('TEMPORAL_WORKER_BUILD_ID: missing, while TEMPORAL_DEPLOYMENT_NAME is given');
  if (buildId) problems.push('TEMPORAL_DEPLOYMENT_NAME: missing, while TEMPORAL_WORKER_BUILD_ID is given');
  return undefined;
}

function settingsFrom(file: string | undefined, problems: string[]): Settings {
  if (!file) return DEFAULT_SETTINGS;
  try {
    return readSettings(file);
  } catch (error) {
    const named = error instanceof BadSettings ? error.problems : ['the file cannot be read'];
    problems.push(...named.map((problem) => `ROTATION_SETTINGS: ${problem}`));
    return DEFAULT_SETTINGS;
  }
}
