import { WorkflowFailedError, type WorkflowExecutionDescription } from '@temporalio/client';
import { command, pairOfId } from '../../domain/request/index.ts';
import { startFormLink } from '../../domain/rotation/index.ts';
import { askStatus, lastRunOf, type Status } from '../rotations.ts';
import type { Context } from './context.ts';
import { noWorker, nothingThere } from './exit-codes.ts';

/** What Temporal knows of a rotation's last run. @throws CommandEnd where there is none */
export async function describeRotation(
  { client, ui, environment }: Context,
  workflowId: string,
): Promise<WorkflowExecutionDescription> {
  const run = await lastRunOf(client, workflowId);
  if (run) return run;
  const { apiUser, application } = pairOfId(workflowId);
  const start = `Start one: ${command(environment, 'start', apiUser, application)}`;
  const form = ui ? [`or here: ${startFormLink(ui, { environment, apiUser, application })}`] : [];
  throw nothingThere(`There is no rotation ${workflowId}. ${start}`, ...form);
}

/**
 * @returns the id of its first run: whatever has been started under the workflow's id since then is
 * another rotation
 * @throws CommandEnd where the rotation has ended, or never was
 */
export async function openRotation(context: Context, workflowId: string): Promise<string> {
  const run = await describeRotation(context, workflowId);
  refuseEnded(run);
  return run.raw.workflowExecutionInfo?.firstRunId ?? run.runId;
}

/** @throws CommandEnd where a run has ended: it takes no decision */
export function refuseEnded({ workflowId, status: { name } }: WorkflowExecutionDescription): void {
  if (name !== 'RUNNING')
    throw nothingThere(`${workflowId} is not open: it is ${name.toLowerCase()}.`);
}

/** The report of a run that has ended; why it left none, where it failed or was terminated. */
export async function endOf(
  { client }: Context,
  { workflowId, runId }: WorkflowExecutionDescription,
): Promise<{ report?: unknown; why?: string }> {
  try {
    return { report: await client.workflow.getHandle(workflowId, runId).result() };
  } catch (error) {
    if (error instanceof WorkflowFailedError) return { why: error.cause?.message };
    throw error;
  }
}

/** Asks a rotation, or a sweep, where it stands. @throws CommandEnd where no worker answers */
export async function statusOf<T = Status>(context: Context, workflowId: string): Promise<T> {
  await context.needWorker();
  const status = await askStatus<T>(context.client, workflowId);
  if (status) return status;
  throw noWorker(`${workflowId} did not answer within 20 s: read the worker’s log.`);
}
