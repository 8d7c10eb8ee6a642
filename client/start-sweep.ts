import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { taskQueueOf } from '../domain/request/index.ts';
import {
  type ApiUserRequest,
  introduceSweep,
  type SweepReport,
  type SweepRequest,
} from '../domain/sweep/index.ts';
import { apiUserIdsOf, WORKFLOW, sweepId } from '../domain/names/index.ts';

/** A sweep's workflow as its starters see it. */
export type RotateExpiringTokens = (request: SweepRequest) => Promise<SweepReport>;

export interface StartedSweep {
  handle: WorkflowHandle<RotateExpiringTokens>;
  /** False where it was open already: nothing was started. */
  fresh: boolean;
}

/** The id under which a plan is started: it touches nothing, and so needs no lock. */
export function planId(environment: string): string {
  return `sweep-plan/${environment}`;
}

/**
 * Starts a sweep under the environment's id, which is its lock; one that is open already is used as
 * it is.
 * @throws as Temporal's client does; a bad request fails the workflow, not this call
 */
export function startSweep(client: Client, request: SweepRequest): Promise<StartedSweep> {
  const workflowId = request.plan ? planId(request.environment) : sweepId(request.environment);
  return startOrFind(client, WORKFLOW.sweep, workflowId, request);
}

/**
 * Starts the rotations of an API user's tokens under its id, which is the lock; returns the open
 * run where there is one.
 */
export function startApiUser(client: Client, request: ApiUserRequest): Promise<StartedSweep> {
  const workflowId = `${apiUserIdsOf(request.environment)}${request.apiUser}`;
  return startOrFind(client, WORKFLOW.apiUser, workflowId, request);
}

async function startOrFind(
  client: Client,
  type: string,
  workflowId: string,
  request: SweepRequest,
): Promise<StartedSweep> {
  try {
    const handle = await client.workflow.start<RotateExpiringTokens>(type, {
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
