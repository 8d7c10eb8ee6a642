import { ActivityFailure, ApplicationFailure, TemporalFailure, TimeoutFailure } from '@temporalio/workflow';

/** The failure to show. Anything that is not a failure of the outside is a defect and fails the workflow task, which tries again after a deploy. */
export function failureOf(error: unknown): { type: string; message: string } {
  if (!(error instanceof TemporalFailure)) throw error;
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    if (cause.type === 'InvalidRequest') throw ApplicationFailure.nonRetryable(cause.message, 'InvalidRequest');
    return { type: cause.type ?? 'Unexpected', message: cause.message };
  }
  if (cause instanceof TimeoutFailure)
    return { type: 'Unreachable', message: `no answer in time (${cause.timeoutType})` };
  return { type: 'Unexpected', message: cause?.message ?? error.message };
}
