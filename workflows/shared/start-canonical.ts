import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  type ChildWorkflowOptions,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { RecordedSender } from '../../domain/evidence/index.ts';

/**
 * Starts the same workflow under its canonical id, as a child that outlives this run and knows who
 * started it.
 * @returns what became of it
 */
export async function startCanonical(
  canonical: string,
  request: object,
  starter: RecordedSender,
  about: Pick<ChildWorkflowOptions, 'staticSummary' | 'staticDetails' | 'memo'>,
): Promise<string> {
  const { workflowId, runId, workflowType, taskQueue } = workflowInfo();
  try {
    await startChild(workflowType, {
      workflowId: canonical,
      taskQueue,
      args: [request, { workflowId, runId, starter }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      ...about,
    });
    return `runs as ${canonical}`;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return `${canonical} was already open; nothing was started`;
  }
}
