import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
  type ActivityInterfaceFor,
  type ActivityOptions,
  type RetryPolicy,
} from '@temporalio/workflow';
import type { ArgoActivities } from '../../activities/argo/interface.ts';
import type { KubernetesActivities } from '../../activities/kubernetes/interface.ts';
import type { NotifyActivities } from '../../activities/notify/interface.ts';
import type { SignonActivities } from '../../activities/signon/interface.ts';
import type { LedgerActivities, TemporalActivities } from '../../activities/temporal/interface.ts';
import type ms from 'ms';
import type { Settings } from '../../domain/settings/index.ts';
import { waitsQueueOf } from '../../domain/request/index.ts';

/**
 * Kinds of activities on the task queue of waits, which takes as many as there are: those that
 * wait hold up no act, and what a worker knows by itself waits for none.
 */
const ON_WAITS_QUEUE: readonly (keyof typeof STEPS_OPTIONS)[] = ['wait', 'vigil', 'self'];

/** A pause that doubles after each try, up to a longest. @param maximumAttempts no end where absent */
function doubling(
  initialInterval: ms.StringValue,
  maximumInterval: ms.StringValue,
  maximumAttempts?: number,
): RetryPolicy {
  return { initialInterval, backoffCoefficient: 2, maximumInterval, maximumAttempts };
}

/**
 * How often a step's activities are tried before the rotation blocks, and how long each try may
 * take: side by side, to be compared.
 */
export const STEPS_OPTIONS = {
  /** Quick questions: reading pages, listing, exec of a digest. About 10 minutes of tries. */
  look: {
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout: '10 seconds',
    retry: doubling('1 second', '1 minute', 15),
  },
  /**
   * Create: the interval is set to Signon's request limit, so that a late effect is seen before
   * another token is made.
   */
  create: {
    startToCloseTimeout: '3 minutes',
    heartbeatTimeout: '10 seconds',
    retry: { backoffCoefficient: 1, maximumAttempts: 6 },
  },
  /** Revoke: one no longer listed counts as revoked, so a retry is safe. */
  revoke: {
    startToCloseTimeout: '3 minutes',
    heartbeatTimeout: '10 seconds',
    retry: doubling('2 seconds', '1 minute', 10),
  },
  /** Waits: up to the limit passed in; after a crash, retried when a heartbeat is missed. */
  wait: {
    startToCloseTimeout: '12 hours',
    heartbeatTimeout: '10 seconds',
    retry: doubling('1 second', '30 seconds', 20),
  },
  /**
   * Waits that may take days and delay nothing: until cancelled; after a crash, retried when a
   * heartbeat is missed.
   */
  vigil: {
    startToCloseTimeout: '8 days',
    heartbeatTimeout: '20 seconds',
    retry: doubling('1 second', '10 seconds'),
  },
  /** Smoke calls start a Ruby process in each consumer. */
  smoke: {
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: '10 seconds',
    retry: doubling('5 seconds', '1 minute', 6),
  },
  /** A look at this run's own pending activities, to show them: not worth a retry. */
  glance: { startToCloseTimeout: '10 seconds', retry: { maximumAttempts: 1 } },
  /**
   * A question about this run's own history that holds up a stop: where it is not answered soon,
   * the stop counts.
   */
  ask: { startToCloseTimeout: '10 seconds', retry: { maximumAttempts: 3 } },
  /**
   * Handing a notice over: a local activity, one event each, since reminders are many; not worth
   * holding anything up for. No other is local: the SDK may replay its end before or after a message
   * that came meanwhile, and nothing but the end of a workflow may follow from it.
   */
  tell: {
    startToCloseTimeout: '5 seconds',
    retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumAttempts: 3 },
  },
  /** One message to Slack: tried for an hour; what must not be lost is then sent anew. */
  post: {
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '1 hour',
    retry: doubling('2 seconds', '1 minute'),
  },
  /**
   * What the worker knows by itself. Retried without end: it can fail only because the worker is too
   * busy.
   */
  self: { startToCloseTimeout: '5 seconds', retry: doubling('1 second', '10 seconds') },
  /** Temporal's own history. */
  own: { startToCloseTimeout: '1 minute', retry: doubling('1 second', '10 seconds', 20) },
} as const satisfies Record<string, ActivityOptions & { retry: RetryPolicy }>;

/** Which activity is tried how, and what the timeline says of it. */
export const ACTIVITIES = {
  beginRotation: { as: 'self', summary: 'Check the environment and read the settings' },
  readStarter: { as: 'own', summary: 'Read who started this' },
  listOpen: { as: 'own', summary: 'List the rotations that are open' },
  readStages: { as: 'own', summary: 'Look up where rotations stand' },
  readRetries: { as: 'glance', summary: 'Read which activities are being retried' },
  judge: { as: 'own', summary: 'Check the approval against the server’s history' },
  remembersOf: { as: 'ask', summary: 'Read what the last rotation of this pair saw' },
  wasSentBefore: { as: 'ask', summary: 'Check that the stop was not sent to an earlier run' },
  requestSync: { as: 'own', summary: 'Ask for a sync' },
  syncSettings: { as: 'self', summary: 'Read how to sync from the settings' },
  provesWorker: { as: 'self', summary: 'Check that a worker sent the message' },
  runningRotations: { as: 'own', summary: 'Check that the requesting rotations run' },
  findPair: { as: 'look', summary: 'Find API user and application in Signon' },
  secretsOfPairs: { as: 'look', summary: 'Find the API users of these Secrets' },
  listPairs: { as: 'wait', summary: 'Read the tokens of all API users in Signon' },
  listTokens: { as: 'look', summary: 'List the pair’s tokens in Signon' },
  createToken: { as: 'create', summary: 'Issue a new token in Signon' },
  revokeToken: { as: 'revoke', summary: 'Revoke the old token in Signon' },
  findSyncCronJob: { as: 'look', summary: 'Find the sync CronJob in Argo CD' },
  createSyncJob: { as: 'wait', summary: 'Create a sync Job in Argo CD' },
  awaitSyncJob: { as: 'wait', summary: 'Wait for the sync Job' },
  cronJobUid: { as: 'look', summary: 'Find the sync CronJob in Kubernetes' },
  listReadings: { as: 'look', summary: 'List what reads Signon’s Secrets' },
  lookAtConsumers: { as: 'look', summary: 'Ask every consumer which token it holds' },
  restartDeployments: { as: 'look', summary: 'Restart the Deployments that stand in the way' },
  awaitRollout: { as: 'wait', summary: 'Wait until every consumer holds the new token' },
  awaitSighting: { as: 'vigil', summary: 'Wait until a consumer that does not run now runs' },
  awaitReader: { as: 'vigil', summary: 'Watch for a pod that reads the Secret' },
  smokeConsumers: { as: 'smoke', summary: 'Make the smoke calls' },
  notify: { as: 'tell', summary: 'Hand over a notification' },
  noticePace: { as: 'self', summary: 'Read the pace of messages from the settings' },
  postToSlack: { as: 'post', summary: 'Send one message to Slack' },
} as const satisfies Record<string, { as: keyof typeof STEPS_OPTIONS; summary: string }>;

export type ActivityName = keyof typeof ACTIVITIES;

type Activities = ActivityInterfaceFor<
  SignonActivities &
    ArgoActivities &
    KubernetesActivities &
    TemporalActivities &
    LedgerActivities &
    NotifyActivities
>;

/** One activity with the options of its kind and its summary for the timeline. */
function activity<Name extends ActivityName>(
  name: Name,
  change: ActivityOptions = {},
): Activities[Name] {
  const { as, summary } = ACTIVITIES[name];
  if (as === 'tell')
    return proxyLocalActivities<Activities>({ ...STEPS_OPTIONS.tell, summary })[name];
  // An abort must not wait for a hanging activity's word; what must not be cut short runs in a
  // scope that cannot be cancelled.
  const cancellationType = ActivityCancellationType.TRY_CANCEL;
  const options = { ...STEPS_OPTIONS[as], ...change, summary, cancellationType };
  if (!ON_WAITS_QUEUE.includes(as)) return proxyActivities<Activities>(options)[name];
  const act = (...given: unknown[]): unknown => {
    const proxies = proxyActivities<Activities>({
      ...options,
      taskQueue: waitsQueueOf(workflowInfo().taskQueue),
    });
    return (proxies[name] as (...same: unknown[]) => unknown)(...given);
  };
  return act as Activities[Name];
}

/**
 * Retried no sooner than Signon's request limit, so that a late effect is seen before another token
 * is made.
 */
export const createToken = ({
  signonRequestLimit: interval,
}: Settings): Activities['createToken'] =>
  activity('createToken', {
    retry: { ...STEPS_OPTIONS.create.retry, initialInterval: interval, maximumInterval: interval },
  });

/** All others, by name. */
export const activities = Object.fromEntries(
  Object.keys(ACTIVITIES).map((name) => [name, activity(name as ActivityName)]),
) as Omit<Pick<Activities, ActivityName>, 'createToken'>;

/**
 * How long the outside is waited for before a look at retries, and then between looks: about four
 * hours in all.
 */
export const WATCH_RETRIES_AFTER: readonly ms.StringValue[] = [
  '30 seconds',
  '2 minutes',
  '5 minutes',
  '10 minutes',
  '20 minutes',
  '40 minutes',
  '80 minutes',
  '80 minutes',
];
