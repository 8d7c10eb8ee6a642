import type { Client } from '@temporalio/client';
import ms from 'ms';
import { createArgoActivities } from '../activities/argo/create-activities.ts';
import { createKubernetesActivities } from '../activities/kubernetes/create-activities.ts';
import { createNotifyActivities } from '../activities/notify/create-activities.ts';
import { createSignonActivities } from '../activities/signon/create-activities.ts';
import { SignonSession } from '../activities/signon/session.ts';
import { createTemporalActivities } from '../activities/temporal/create-activities.ts';
import { createSignInBudget } from '../activities/temporal/sign-in-budget.ts';
import { createClients } from './clients.ts';
import type { Configuration } from './configuration.ts';

/**
 * Wires configuration into clients and clients into activities. Connects to nothing yet: a worker does not sign in at start.
 * @param draining aborted when the worker begins to shut down
 */
export function createActivities(configuration: Configuration, client: Client, draining: AbortSignal): object {
  const { settings, ROTATION_ENVIRONMENT: environment, ALERT_RECEIVER_IDENTITY: receiver } = configuration;
  const { signonAccount, argoAccount, argo, kubernetes, hosts } = createClients(configuration);
  const session = new SignonSession(signonAccount, createSignInBudget(client, environment));
  const waits = { everyMs: ms(settings.pollEvery), draining };
  const { temporalUiUrl } = settings;
  const { namespace } = client.options;
  return {
    ...createNotifyActivities(client, {
      webhook: configuration.SLACK_WEBHOOK_URL,
      ...(temporalUiUrl && { ui: { url: temporalUiUrl, namespace } }),
      pace: settings.notices,
      limitMs: ms(settings.answerLimit),
    }),
    ...createTemporalActivities(client, { environment, settings, receiver, hosts }),
    ...createSignonActivities(session, settings.recipients, draining),
    ...createArgoActivities(argo, argoAccount, waits),
    ...createKubernetesActivities(kubernetes, waits),
  };
}
