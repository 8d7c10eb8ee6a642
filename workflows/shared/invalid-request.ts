import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { drawInvalid } from '../../domain/rotation/index.ts';
import type { Parsed } from '../../domain/shape/index.ts';

/** The failure that ends a workflow for a bad request, which its details explain too. */
export function invalidRequest(problems: readonly string[]): ApplicationFailure {
  setCurrentDetails(drawInvalid(problems));
  return ApplicationFailure.nonRetryable(problems.join('; '), 'InvalidRequest');
}

/** What was parsed, or the failure that names each field that is wrong. */
export function requestOrFail<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.request;
  throw invalidRequest(parsed.problems);
}
