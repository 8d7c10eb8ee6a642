import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, type Duration } from '@temporalio/common';
import { FAILURES, type FailureName, NOT_SENT } from '../domain/rotation/index.ts';

/**
 * A failure by its name in `domain/rotation/failures.ts`, which decides whether it is retried. The
 * message must hold no secret.
 */
export function failure(
  name: FailureName,
  message: string,
  nextRetryDelay?: Duration,
): ApplicationFailure {
  const nonRetryable = FAILURES[name].treatment !== 'retried';
  return ApplicationFailure.create({ type: name, message, nonRetryable, nextRetryDelay });
}

export function failedWith(error: unknown, name: FailureName): error is ApplicationFailure {
  return error instanceof ApplicationFailure && error.type === name;
}

/**
 * Does what comes before an act. A first attempt that fails here has sent nothing: it is retried
 * soon, or its failure says so; an attempt before it may have sent something.
 */
export async function nothingSentYet<T>(look: () => T | Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || activityInfo().attempt > 1) throw error;
    const { message, nonRetryable, nextRetryDelay } = error;
    const type = error.type ?? 'Unexpected';
    if (nonRetryable) throw ApplicationFailure.nonRetryable(message, type, NOT_SENT);
    const soon = nextRetryDelay ?? '2 seconds';
    throw ApplicationFailure.create({ type, message, nextRetryDelay: soon });
  }
}
