import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { WORKFLOW } from '../../domain/names/index.ts';
import { keyOf, type Outcome, OUTCOMES, type Stage } from '../../domain/rotation/index.ts';

/**
 * Where a rotation's last run stands. One that did not complete, or says nothing, has ended
 * somehow.
 */
export async function stageOf(client: Client, workflowId: string): Promise<Stage | 'ended'> {
  try {
    const { status, typedSearchAttributes } = await client.workflow
      .getHandle(workflowId)
      .describe();
    const stage = typedSearchAttributes.get(keyOf('RotationStage')) as Stage | undefined;
    if (status.name === 'RUNNING') return stage ?? 'preparing';
    return status.name === 'COMPLETED' && OUTCOMES.includes(stage as Outcome) ? stage! : 'ended';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'ended';
    throw error;
  }
}

export async function isRunningRotation(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status, type } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' && type === WORKFLOW.rotation;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
