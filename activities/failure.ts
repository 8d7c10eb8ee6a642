import { ApplicationFailure } from '@temporalio/common';
import type { Duration } from '@temporalio/common';
import { FAILURES, type FailureName } from '../domain/rotation/index.ts';

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

/** Whether an error is a failure of that name. */
export function failedWith(error: unknown, name: FailureName): error is ApplicationFailure {
  return error instanceof ApplicationFailure && error.type === name;
}
