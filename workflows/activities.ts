import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
  type ActivityInterfaceFor,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { ArgoActivities } from '../activities/argo/interface.ts';
import type { KubernetesActivities } from '../activities/kubernetes/interface.ts';
import type { NotifyActivities } from '../activities/notify/interface.ts';
import type { SignonActivities } from '../activities/signon/interface.ts';
import type { TemporalActivities } from '../activities/temporal/interface.ts';
import type { Settings } from '../domain/settings.ts';
import { waitsQueueOf } from '../domain/request.ts';
import { ACTIVITIES, STEPS_OPTIONS, WAITING, type ActivityName } from './steps.ts';

type Activities = ActivityInterfaceFor<
  SignonActivities & ArgoActivities & KubernetesActivities & TemporalActivities & NotifyActivities
>;

/** One activity with the options of its kind and its summary for the timeline. */
function activity<Name extends ActivityName>(name: Name, change: ActivityOptions = {}): Activities[Name] {
  const { as, summary } = ACTIVITIES[name];
  // An abort must not wait for a hanging activity's word; what must not be cut short runs in a scope that cannot be cancelled.
  const cancellationType = ActivityCancellationType.TRY_CANCEL;
  const options = { ...STEPS_OPTIONS[as], ...change, summary, cancellationType };
  if (!WAITING.includes(as)) return proxyActivities<Activities>(options)[name];
  const act = (...given: unknown[]): unknown => {
    const proxies = proxyActivities<Activities>({ ...options, taskQueue: waitsQueueOf(workflowInfo().taskQueue) });
    return (proxies[name] as (...same: unknown[]) => unknown)(...given);
  };
  return act as Activities[Name];
}

export const { beginRotation } = proxyLocalActivities<TemporalActivities>({
  ...STEPS_OPTIONS.self,
  summary: ACTIVITIES.beginRotation.summary,
});
export const readStarter = activity('readStarter');
export const listOpen = activity('listOpen');
export const readStages = activity('readStages');
export const readRetries = activity('readRetries');
export const judge = activity('judge');
export const requestSync = activity('requestSync');

export const findPair = activity('findPair');
export const readLastSync = activity('readLastSync');
export const listPairs = activity('listPairs');
export const listTokens = activity('listTokens');
export const revokeToken = activity('revokeToken');
/** Tried again no sooner than Signon's request limit, so that a late effect is seen before another token is made. */
export const createToken = ({ signonRequestLimit: interval }: Settings): Activities['createToken'] =>
  activity('createToken', {
    retry: { ...STEPS_OPTIONS.create.retry, initialInterval: interval, maximumInterval: interval },
  });

export const findSyncCronJob = activity('findSyncCronJob');
export const createSyncJob = activity('createSyncJob');
export const awaitSyncJob = activity('awaitSyncJob');

export const cronJobUid = activity('cronJobUid');
export const listReadings = activity('listReadings');
export const lookAtConsumers = activity('lookAtConsumers');
export const restartDeployments = activity('restartDeployments');
export const awaitRollout = activity('awaitRollout');
export const awaitSighting = activity('awaitSighting');
export const smokeConsumers = activity('smokeConsumers');

export const { notify } = proxyLocalActivities<NotifyActivities>({
  ...STEPS_OPTIONS.tell,
  summary: ACTIVITIES.notify.summary,
});
export const postToSlack = activity('postToSlack');
