import { WorkflowNotFoundError } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import { startFormLink, userMetadataLink } from '../../domain/links.ts';
import type { RotationReport } from '../../domain/report.ts';
import { askStatus, type Status } from '../rotations.ts';
import type { RotateToken } from '../start-rotation.ts';
import type { Context } from './context.ts';
import { Ended, EXIT, type ExitCode } from './exit-codes.ts';
import { plain, reportLines, statusLines } from './print.ts';

const LOOK_EVERY_MS = 1000;

/** Asks a rotation where it stands. @throws Ended where there is none, or no worker answers */
export async function statusOf(context: Context, workflowId: string): Promise<Status> {
  const handle = context.client.workflow.getHandle(workflowId);
  await handle.describe().catch((error: unknown) => {
    throw error instanceof WorkflowNotFoundError ? notThere(context, workflowId) : error;
  });
  await context.needWorker();
  const status = await askStatus(context.client, workflowId);
  if (status) return status;
  throw new Ended(EXIT.noWorker, plain(`${workflowId} does not answer: is its worker well?`));
}

/** There is no such rotation: says so, and how to start one. */
export function notThere({ ui, environment }: Context, workflowId: string): Ended {
  const [, , apiUser = '', application = ''] = workflowId.split('/');
  const start = `Start one: signon-rotation start ${apiUser} ${application} --environment ${environment}`;
  const form = ui ? `\nor here: ${startFormLink(ui, { environment, apiUser, application })}` : '';
  return new Ended(EXIT.nothing, `${plain(`There is no rotation ${workflowId}. ${start}`)}${form}`);
}

/** Prints the checklist; again whenever it changes, to the end, where it is watched. */
export async function show(context: Context, pair: string[], { watch }: { watch?: boolean }): Promise<ExitCode> {
  const workflowId = context.idOf(pair);
  const handle = context.client.workflow.getHandle<RotateToken>(workflowId);
  let printed = '';
  for (;;) {
    const status = await statusOf(context, workflowId);
    const { runId, status: execution } = await handle.describe();
    const ended = execution.name !== 'RUNNING';
    const report = ended ? await handle.result().catch(() => undefined) : undefined;
    const lines = [
      ...statusLines(status),
      ...(report ? ['', ...reportLines(report)] : []),
      ...links(context, workflowId, runId),
    ];
    const text = lines.join('\n');
    if (text !== printed) context.print(printed === '' ? lines : ['', ...lines], shown(status, report));
    printed = text;
    if (!watch || ended) return EXIT.done;
    await after(LOOK_EVERY_MS);
  }
}

function shown(status: Status, report: RotationReport | undefined): object {
  return { ...status, ...(report && { report }) };
}

function links({ ui }: Context, workflowId: string, runId: string): string[] {
  return ui ? ['', `In the Temporal UI: ${userMetadataLink(ui, workflowId, runId)}`] : [];
}
