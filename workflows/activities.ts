import {
  ActivityCancellationType,
  proxyActivities,
  type ActivityInterfaceFor,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { ArgoActivities } from '../activities/argo/interface.ts';
import type { KubernetesActivities } from '../activities/kubernetes/interface.ts';
import type { SignonActivities } from '../activities/signon/interface.ts';
import type { TemporalActivities } from '../activities/temporal/interface.ts';
import type { Settings } from '../domain/settings.ts';
import { STEPS_OPTIONS } from './steps.ts';

/** Every activity with the options of its kind and a summary for the timeline. */
function told<T extends object>(options: ActivityOptions, summary: string): ActivityInterfaceFor<T> {
  // An abort must not wait for a hanging activity's word; what must not be cut short runs in a scope that cannot be cancelled.
  return proxyActivities<T>({ ...options, summary, cancellationType: ActivityCancellationType.TRY_CANCEL });
}

export const { beginRotation } = told<TemporalActivities>(STEPS_OPTIONS.own, 'Check the environment, fix the settings');
export const { readStarter } = told<TemporalActivities>(STEPS_OPTIONS.own, 'Read who started this');
export const { readRetries } = told<TemporalActivities>(STEPS_OPTIONS.glance, 'See what is tried again');
export const { judge } = told<TemporalActivities>(STEPS_OPTIONS.own, 'Judge an approval');

export const { findPair } = told<SignonActivities>(STEPS_OPTIONS.look, 'Find API user and application in Signon');
export const { listTokens } = told<SignonActivities>(STEPS_OPTIONS.look, 'List the pair’s tokens in Signon');
export const { revokeToken } = told<SignonActivities>(STEPS_OPTIONS.revoke, 'Revoke the old token in Signon');
export const createToken = (settings: Settings): SignonActivities['createToken'] =>
  told<SignonActivities>(
    {
      ...STEPS_OPTIONS.create,
      retry: {
        ...STEPS_OPTIONS.create.retry,
        initialInterval: settings.signonRequestLimit,
        maximumInterval: settings.signonRequestLimit,
      },
    },
    'Issue a new token in Signon',
  ).createToken;

export const { findSyncCronJob } = told<ArgoActivities>(STEPS_OPTIONS.look, 'Find the sync CronJob in Argo CD');
export const { createSyncJob } = told<ArgoActivities>(STEPS_OPTIONS.wait, 'Create a sync Job in Argo CD');
export const { awaitSyncJob } = told<ArgoActivities>(STEPS_OPTIONS.wait, 'Wait for the sync Job');

export const { cronJobUid } = told<KubernetesActivities>(STEPS_OPTIONS.look, 'Find the sync CronJob in Kubernetes');
export const { lookAtConsumers } = told<KubernetesActivities>(STEPS_OPTIONS.look, 'Look at every consumer');
export const { awaitRollout } = told<KubernetesActivities>(
  STEPS_OPTIONS.wait,
  'Wait until every consumer holds the new token',
);
export const { smokeConsumers } = told<KubernetesActivities>(STEPS_OPTIONS.smoke, 'Make the smoke calls');
