import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { RecordedSender } from '../domain/approval.ts';
import { introduce } from '../domain/details.ts';
import type { RotationReport } from '../domain/report.ts';
import { rotationId, type RotationRequest } from '../domain/request.ts';
import { beginRotation, readStarter } from './activities.ts';
import type { Runbook } from './runbook.ts';

/** Hands a request over to its canonical id, which is the pair's lock, and says so. */
export async function delegate(book: Runbook, request: RotationRequest): Promise<RotationReport> {
  const starter = await book.step('assess', async () => {
    await beginRotation(request); // another environment's request is refused here, not in the child
    return readStarter();
  });
  return book.close(
    'delegated',
    `the rotation ${await handOver(rotationId(request), request, starter, introduce(request))}`,
  );
}

/**
 * Starts the same workflow under its canonical id, as a child that outlives this run and knows who started it.
 * @returns what became of it
 */
export async function handOver(
  canonical: string,
  request: object,
  starter: RecordedSender,
  about: ReturnType<typeof introduce>,
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
