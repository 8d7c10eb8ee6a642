import { workflowInfo } from '@temporalio/workflow';

/**
 * What the run before handed on when it cut its history. Anybody may start a workflow with an
 * argument of that shape, and the server gives the arguments of the start again to each run of a
 * cron schedule and to each retry: none of these is believed.
 * @param parse undefined where it is not of the shape that is carried
 */
export function carriedOver<T>(
  given: unknown,
  parse: (given: unknown) => T | undefined,
): T | undefined {
  const { continuedFromExecutionRunId, cronSchedule, attempt } = workflowInfo();
  const isCut = continuedFromExecutionRunId !== undefined && !cronSchedule && attempt === 1;
  return isCut ? parse(given) : undefined;
}
