import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { WORKFLOW } from '../../domain/names/index.ts';
import { keyOf, type Outcome, OUTCOMES, type Stage } from '../../domain/rotation/index.ts';

/**
 * Where a rotation's last run stands. One that did not complete, or says nothing, has ended
 * somehow.
 */
export async function stageOf(client: Client, workflowId: string): Promise<Stage | 'ended'> {
  const run = await lastRun(client, workflowId);
  const stage = run?.typedSearchAttributes.get(keyOf('RotationStage')) as Stage | undefined;
  if (run?.status.name === 'RUNNING') return stage ?? 'preparing';
  return run?.status.name === 'COMPLETED' && OUTCOMES.includes(stage as Outcome) ? stage! : 'ended';
}

export async function isRunningRotation(client: Client, workflowId: string): Promise<boolean> {
  const run = await lastRun(client, workflowId);
  return run?.status.name === 'RUNNING' && run.type === WORKFLOW.rotation;
}

async function lastRun(client: Client, workflowId: string) {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
