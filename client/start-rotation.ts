import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { RotationReport } from '../domain/report.ts';
import { rotationId, taskQueueOf, type RotationRequest } from '../domain/request.ts';

/** A rotation's workflow as its starters see it. */
type RotateToken = (request: RotationRequest) => Promise<RotationReport>;

/**
 * Starts a rotation under its canonical id, which is the pair's lock; one that is open already is used as it is.
 * @throws WorkflowNotFoundError and the like, as Temporal's client does; a bad request fails the workflow, not this call
 */
export function startRotation(
  client: Client,
  request: RotationRequest,
): Promise<WorkflowHandleWithFirstExecutionRunId<RotateToken>> {
  return client.workflow.start<RotateToken>('rotateToken', {
    workflowId: rotationId(request),
    taskQueue: taskQueueOf(request.environment),
    args: [request],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `${request.apiUser} → ${request.application}, ${request.environment}`,
  });
}
