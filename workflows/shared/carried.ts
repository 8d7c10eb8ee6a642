import { workflowInfo } from '@temporalio/workflow';

/**
 * Reads what the previous run passed to continue-as-new. Ignores the argument of any other run:
 * anybody may start a workflow with one, and the server repeats a start's arguments for each run of
 * a cron schedule and each retry.
 * @param parse returns undefined for another shape
 */
export function carriedOver<T>(
  given: unknown,
  parse: (given: unknown) => T | undefined,
): T | undefined {
  const { continuedFromExecutionRunId, cronSchedule, attempt } = workflowInfo();
  const isCut = continuedFromExecutionRunId !== undefined && !cronSchedule && attempt === 1;
  return isCut ? parse(given) : undefined;
}

/** Thrown where a history has grown long: unwinds to a run with a fresh one. */
export class HistoryIsLong extends Error {}

/** Whether the server suggests continue-as-new: well before it warns. */
export function isHistoryLong(): boolean {
  return workflowInfo().continueAsNewSuggested;
}
