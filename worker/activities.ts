import { KubeConfig } from '@kubernetes/client-node';
import type { Client } from '@temporalio/client';
import ms from 'ms';
import { ArgoClient, type ArgoAccount } from '../activities/argo/client.ts';
import { createArgoActivities } from '../activities/argo/create-activities.ts';
import { KubernetesClient } from '../activities/kubernetes/client.ts';
import { createKubernetesActivities } from '../activities/kubernetes/create-activities.ts';
import { createNotifyActivities } from '../activities/notify/create-activities.ts';
import { createSignonActivities } from '../activities/signon/create-activities.ts';
import { SignonSession } from '../activities/signon/session.ts';
import { createTemporalActivities } from '../activities/temporal/create-activities.ts';
import { createSignInBudget } from '../activities/temporal/sign-in-budget.ts';
import type { Configuration } from './configuration.ts';

/**
 * Wires configuration into clients and clients into activities. Connects to nothing yet: a worker does not sign in at start.
 * @param draining aborted when the worker begins to shut down
 */
export function createActivities(configuration: Configuration, client: Client, draining: AbortSignal): object {
  const { settings, ROTATION_ENVIRONMENT: environment, KUBERNETES_NAMESPACE: namespace } = configuration;
  const { ALERT_RECEIVER_IDENTITY: receiver } = configuration;
  const limitMs = ms(settings.answerLimit);
  const account: ArgoAccount = {
    url: configuration.ARGOCD_URL,
    token: configuration.ARGOCD_TOKEN,
    application: configuration.ARGOCD_APPLICATION,
    appNamespace: configuration.ARGOCD_APP_NAMESPACE,
    project: configuration.ARGOCD_PROJECT,
    namespace,
    cronJobs: configuration.ARGOCD_SYNC_CRONJOBS,
    limitMs,
  };
  const session = new SignonSession(
    {
      url: configuration.SIGNON_URL,
      email: configuration.SIGNON_EMAIL,
      password: configuration.SIGNON_PASSWORD,
      totpSecret: configuration.SIGNON_TOTP_SECRET,
      limitMs,
    },
    createSignInBudget(client, environment),
  );
  const kubeConfig = new KubeConfig();
  if (configuration.KUBECONFIG) kubeConfig.loadFromFile(configuration.KUBECONFIG);
  else kubeConfig.loadFromDefault();
  const waits = { everyMs: ms(settings.pollEvery), draining };
  const hosts = {
    SIGNON_URL: new URL(configuration.SIGNON_URL).hostname,
    ARGOCD_URL: new URL(configuration.ARGOCD_URL).hostname,
  };
  const { temporalUiUrl } = settings;
  const { namespace: temporalNamespace } = client.options;
  return {
    ...createNotifyActivities(client, {
      webhook: configuration.SLACK_WEBHOOK_URL,
      ...(temporalUiUrl && { ui: { url: temporalUiUrl, namespace: temporalNamespace } }),
      pace: settings.notices,
      limitMs,
    }),
    ...createTemporalActivities(client, { environment, settings, receiver, hosts }),
    ...createSignonActivities(session, settings.recipients, draining),
    ...createArgoActivities(new ArgoClient(account), account, waits),
    ...createKubernetesActivities(new KubernetesClient(kubeConfig, namespace, limitMs), waits),
  };
}
