import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { taskQueueOf } from '../domain/request/index.ts';
import { introduceSweep, type SweepReport, type SweepRequest } from '../domain/sweep/index.ts';
import { WORKFLOW, sweepId } from '../domain/names/index.ts';

/** A sweep's workflow as its starters see it. */
export type RotateExpiringTokens = (request: SweepRequest) => Promise<SweepReport>;

/** The id under which a plan is started: it touches nothing, and so needs no lock. */
export function planId(environment: string): string {
  return `sweep-plan/${environment}`;
}

/**
 * Starts a sweep under the environment's id, which is its lock; one that is open already is used as it is.
 * @throws as Temporal's client does; a bad request fails the workflow, not this call
 */
export async function startSweep(
  client: Client,
  request: SweepRequest,
): Promise<{ handle: WorkflowHandle<RotateExpiringTokens>; fresh: boolean }> {
  const workflowId = request.plan ? planId(request.environment) : sweepId(request.environment);
  try {
    const handle = await client.workflow.start<RotateExpiringTokens>(WORKFLOW.sweep, {
      workflowId,
      taskQueue: taskQueueOf(request.environment),
      args: [request],
      workflowIdConflictPolicy: 'FAIL',
      ...introduceSweep(request),
    });
    return { handle, fresh: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { handle: client.workflow.getHandle<RotateExpiringTokens>(workflowId), fresh: false };
  }
}
