import type { Client } from '@temporalio/client';
import ms from 'ms';
import { setTimeout as after } from 'node:timers/promises';
import { RESTART } from '../activities/kubernetes/rights.ts';
import { createArgoActivities } from '../activities/argo/create-activities.ts';
import { createKubernetesActivities } from '../activities/kubernetes/create-activities.ts';
import { createNotifyActivities } from '../activities/notify/create-activities.ts';
import { createSignonActivities } from '../activities/signon/create-activities.ts';
import { SignonSession } from '../activities/signon/session.ts';
import { createTemporalActivities } from '../activities/temporal/create-activities.ts';
import { createSignInBudget } from '../activities/temporal/sign-in-budget.ts';
import { createLedgerActivities } from '../activities/temporal/sign-in-proof.ts';
import { createClients } from './clients.ts';
import type { Configuration } from '../config/configuration.ts';

/**
 * Wires configuration into clients and clients into activities. Connects to nothing yet: a worker
 * does not sign in at start.
 * @param env where a refused credential is read again
 * @param draining aborted when the worker begins to shut down
 */
export function createActivities(
  configuration: Configuration,
  env: NodeJS.ProcessEnv,
  client: Client,
  draining: AbortSignal,
): object {
  const {
    settings,
    SIGNON_TOTP_SECRET: totpSecret,
    ROTATION_ENVIRONMENT: environment,
  } = configuration;
  const { argo, kubernetes } = createClients(configuration, env);
  const session = new SignonSession(
    configuration,
    createSignInBudget(client, environment, totpSecret, draining),
  );
  const waits = { everyMs: ms(settings.pollEvery), draining };
  return {
    ...createNotifyActivities(client, configuration),
    ...createTemporalActivities(client, configuration, () => soon(kubernetes.may(RESTART))),
    ...createLedgerActivities(totpSecret, environment),
    ...createSignonActivities(session, settings.recipients, draining),
    ...createArgoActivities(argo, kubernetes, waits),
    ...createKubernetesActivities(kubernetes, waits),
  };
}

/** A rotation begins within seconds, whether Kubernetes answers or not. */
const KNOWN_WITHIN_MS = 2000;

function soon<T>(answer: Promise<T>): Promise<T | undefined> {
  return Promise.race([answer, after(KNOWN_WITHIN_MS, undefined, { ref: false })]).catch(
    () => undefined,
  );
}
