import { WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import { startFormLink } from '../../domain/rotation/index.ts';
import { plain } from '../../domain/text/index.ts';
import { askStatus, type Status } from '../rotations.ts';
import type { Context } from './context.ts';
import { CommandEnd, EXIT } from './exit-codes.ts';

/** What Temporal knows of a rotation's last run. @throws Ended where there is none */
export function describeRotation(
  context: Context,
  workflowId: string,
): Promise<WorkflowExecutionDescription> {
  return describeRun(context, workflowId, () => notThere(context, workflowId));
}

/**
 * What Temporal knows of a workflow's last run.
 * @throws what `otherwise` makes where there is none
 */
export function describeRun(
  { client }: Context,
  workflowId: string,
  otherwise: () => CommandEnd,
): Promise<WorkflowExecutionDescription> {
  return client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      throw error instanceof WorkflowNotFoundError ? otherwise() : error;
    });
}

/** @throws Ended where there is no open rotation of that id */
export async function openRotation(context: Context, workflowId: string): Promise<void> {
  const { status } = await describeRotation(context, workflowId);
  if (status.name !== 'RUNNING') throw await notOpen(context, workflowId);
}

/** Asks a rotation where it stands. @throws Ended where no worker answers */
export async function statusOf(context: Context, workflowId: string): Promise<Status> {
  await context.needWorker();
  const status = await askStatus(context.client, workflowId);
  if (status) return status;
  throw new CommandEnd(EXIT.noWorker, plain(`${workflowId} does not answer: is its worker well?`));
}

/** A decision found nobody to take it: the rotation has ended, or never was. */
export async function notOpen(context: Context, workflowId: string): Promise<CommandEnd> {
  const { status } = await describeRotation(context, workflowId);
  return new CommandEnd(
    EXIT.nothing,
    plain(`${workflowId} is not open: it is ${status.name.toLowerCase()}.`),
  );
}

/** There is no such rotation: says so, and how to start one. */
function notThere({ ui, environment }: Context, workflowId: string): CommandEnd {
  const [, , apiUser = '', application = ''] = workflowId.split('/');
  const start = `Start one: signon-rotation start ${apiUser} ${application} --environment ${environment}`;
  const form = ui ? `\nor here: ${startFormLink(ui, { environment, apiUser, application })}` : '';
  return new CommandEnd(
    EXIT.nothing,
    `${plain(`There is no rotation ${workflowId}. ${start}`)}${form}`,
  );
}
