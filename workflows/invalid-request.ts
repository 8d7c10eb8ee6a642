import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { drawInvalid } from '../domain/details.ts';

/** The failure that ends a workflow for a bad request, which its details explain too. */
export function invalidRequest(problems: readonly string[]): ApplicationFailure {
  setCurrentDetails(drawInvalid(problems));
  return ApplicationFailure.nonRetryable(problems.join('; '), 'InvalidRequest');
}
