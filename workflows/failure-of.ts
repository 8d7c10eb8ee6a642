import { RetryState } from '@temporalio/common';
import { ActivityFailure, ApplicationFailure, TemporalFailure, TimeoutFailure } from '@temporalio/workflow';
import { workloadsOf, type Consumer, type Workload } from '../domain/cluster.ts';
import type { FailureName } from '../domain/failures.ts';
import { invalidRequest } from './invalid-request.ts';
import { ACTIVITIES, STEPS_OPTIONS, type ActivityName } from './steps.ts';

/** A failure to show. */
export interface ShownFailure {
  type: string;
  message: string;
  /** What was tried, and how often, where it was an activity. */
  tried?: string;
  /** Workloads whose containers stand in the way. */
  workloads?: Workload[];
}

/** A failure that names the containers in the way. */
export function standsInTheWay(
  type: FailureName,
  message: string,
  containers: readonly Consumer[],
): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, details: [workloadsOf(containers)] });
}

/** The failure to show. Anything that is not a failure of the outside is a defect and fails the workflow task, which tries again after a deploy. */
export function failureOf(error: unknown): ShownFailure {
  if (!(error instanceof TemporalFailure)) throw error;
  const activity = error instanceof ActivityFailure ? error : undefined;
  const cause = activity ? activity.cause : error;
  const tried = activity && triedBy(activity);
  if (cause instanceof ApplicationFailure) {
    if (cause.type === 'InvalidRequest') throw invalidRequest([cause.message]);
    const workloads = activity ? undefined : (cause.details?.[0] as Workload[] | undefined);
    return { type: cause.type ?? 'Unexpected', message: cause.message, tried, workloads };
  }
  if (cause instanceof TimeoutFailure)
    return { type: 'Unreachable', message: `no answer in time (${cause.timeoutType})`, tried };
  return { type: 'Unexpected', message: cause?.message ?? error.message, tried };
}

function triedBy({ activityType, retryState }: ActivityFailure): string {
  const known = Object.hasOwn(ACTIVITIES, activityType) ? ACTIVITIES[activityType as ActivityName] : undefined;
  const what = known ? `${known.summary} (${activityType})` : activityType;
  if (retryState !== RetryState.MAXIMUM_ATTEMPTS_REACHED || !known) return `${what}; trying again would not mend it`;
  const { retry } = STEPS_OPTIONS[known.as];
  return `${what}; ${'maximumAttempts' in retry ? `all ${retry.maximumAttempts}` : 'all'} attempts failed`;
}
