import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type Workflow,
  type WorkflowHandle,
  type WorkflowStartOptions,
} from '@temporalio/client';

/** A workflow that was started, or that was open already. */
export interface Started<Type extends Workflow> {
  handle: WorkflowHandle<Type>;
  /**
   * False where it was open already: nothing was started, and the request given is not the one that
   * runs.
   */
  fresh: boolean;
}

/**
 * Starts a workflow under an id, which is its lock; one that is open already is used as it is.
 * @throws as Temporal's client does; a bad request fails the workflow, not this call
 */
export async function startOrFind<Type extends Workflow>(
  client: Client,
  type: string,
  options: WorkflowStartOptions<Type>,
): Promise<Started<Type>> {
  try {
    const locked = { ...options, workflowIdConflictPolicy: 'FAIL' as const };
    return { handle: await client.workflow.start<Type>(type, locked), fresh: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { handle: client.workflow.getHandle<Type>(options.workflowId), fresh: false };
  }
}
