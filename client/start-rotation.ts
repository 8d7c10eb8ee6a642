import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { attributesOf, introduce, pairsOf, type RotationReport } from '../domain/rotation/index.ts';
import { rotationId, taskQueueOf, type RotationRequest } from '../domain/request/index.ts';
import { WORKFLOW } from '../domain/names/index.ts';

/** A rotation's workflow as its starters see it. */
export type RotateToken = (request: RotationRequest) => Promise<RotationReport>;

export interface Started {
  handle: WorkflowHandle<RotateToken>;
  /**
   * False where the pair's rotation was open already: nothing was started, and the request given is
   * not the one that runs.
   */
  fresh: boolean;
}

/**
 * Starts a rotation under its canonical id, which is the pair's lock; one that is open already is
 * used as it is.
 * @param memo `startsAt` of the alert that asks for it
 * @throws as Temporal's client does; a bad request fails the workflow, not this call
 */
export async function startRotation(
  client: Client,
  request: RotationRequest,
  memo?: { startsAt: string },
): Promise<Started> {
  const workflowId = rotationId(request);
  const about = introduce(request);
  try {
    const handle = await client.workflow.start<RotateToken>(WORKFLOW.rotation, {
      workflowId,
      taskQueue: taskQueueOf(request.environment),
      args: [request],
      workflowIdConflictPolicy: 'FAIL',
      typedSearchAttributes: pairsOf(attributesOf(request)),
      ...about,
      memo: { ...about.memo, ...memo },
    });
    return { handle, fresh: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { handle: client.workflow.getHandle<RotateToken>(workflowId), fresh: false };
  }
}
