import { activityInfo } from '@temporalio/activity';
import { failure } from '../failure.ts';

/** The run that calls the activity. */
export function own(): { workflowId: string; runId: string } {
  const execution = activityInfo().workflowExecution;
  if (!execution) throw failure('Unexpected', 'this activity runs inside a workflow only');
  return execution;
}
