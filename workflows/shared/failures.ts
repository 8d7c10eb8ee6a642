import { type RetryPolicy, RetryState } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  TemporalFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { workloadsOf, type Consumer, type Workload } from '../../domain/cluster/index.ts';
import { type FailureName, NOT_SENT, type ShownFailure } from '../../domain/rotation/index.ts';
import { invalidRequest } from './invalid-request.ts';
import { ACTIVITIES, STEPS_OPTIONS, type ActivityName } from './activities.ts';

/**
 * To be thrown in a step that cannot go on: it blocks there.
 * @param inTheWay containers that a restart may replace
 */
export function blocks(
  name: FailureName,
  message: string,
  inTheWay?: readonly Consumer[],
): ApplicationFailure {
  const details = inTheWay && [workloadsOf(inTheWay)];
  return ApplicationFailure.create({ type: name, message, nonRetryable: true, details });
}

/** Whether an error is, or was caused by, a failure of one of these names. */
export function failedWith(error: unknown, ...names: FailureName[]): error is TemporalFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && names.some((name) => name === cause.type);
}

/** Whether an act failed before anything of it was sent, in its first attempt. */
export function isNotSent(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.details?.[0] === NOT_SENT;
}

/**
 * The failure to show. Anything that is not a failure of the outside is a defect and fails the
 * workflow task, which is retried after a deploy.
 */
export function failureOf(error: unknown): ShownFailure {
  if (!(error instanceof TemporalFailure)) throw error;
  const activity = error instanceof ActivityFailure ? error : undefined;
  const cause = activity ? activity.cause : error;
  const tried = activity && triedBy(activity);
  if (cause instanceof ApplicationFailure) {
    if (cause.type === 'InvalidRequest') throw invalidRequest([cause.message]);
    const workloads = activity ? undefined : (cause.details?.[0] as Workload[] | undefined);
    return { failure: cause.type ?? 'Unexpected', message: cause.message, tried, workloads };
  }
  if (cause instanceof TimeoutFailure)
    return { failure: 'Unreachable', message: `no answer in time (${cause.timeoutType})`, tried };
  return { failure: 'Unexpected', message: cause?.message ?? error.message, tried };
}

function triedBy({ activityType, retryState }: ActivityFailure): string {
  const known = Object.hasOwn(ACTIVITIES, activityType)
    ? ACTIVITIES[activityType as ActivityName]
    : undefined;
  const what = known ? `${known.summary} (${activityType})` : activityType;
  if (retryState !== RetryState.MAXIMUM_ATTEMPTS_REACHED || !known)
    return `${what}; not retried automatically`;
  const { maximumAttempts }: RetryPolicy = STEPS_OPTIONS[known.as].retry;
  return `${what}; all${maximumAttempts === undefined ? '' : ` ${maximumAttempts}`} attempts failed`;
}
