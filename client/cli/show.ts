import { WorkflowFailedError } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import { userMetadataLink } from '../../domain/rotation/index.ts';
import { plain } from '../../domain/text/index.ts';
import type { RotateToken } from '../start-rotation.ts';
import type { Context } from './context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { describeRotation, statusOf } from './open-rotation.ts';
import { reportLines, statusLines } from './print.ts';

const LOOK_EVERY_MS = 1000;

/** When watching ends: once a person is needed, or at the rotation's end alone. */
export const UNTIL = ['needed', 'ended'] as const;

/** Prints the checklist; where it is watched, again whenever it changes. */
export async function show(
  context: Context,
  pair: string[],
  { watch, until = 'needed' }: { watch?: boolean; until?: (typeof UNTIL)[number] },
): Promise<ExitCode> {
  const workflowId = context.idOf(pair);
  let printed = '';
  for (;;) {
    const { runId, status: execution } = await describeRotation(context, workflowId);
    const ended = execution.name !== 'RUNNING';
    const { lines, value, needsPerson } = ended
      ? await howItEnded(context, workflowId, runId, execution.name)
      : await howItStands(context, workflowId, runId);
    const all = [...lines, ...links(context, workflowId, runId)];
    const text = all.join('\n');
    if (text !== printed) context.print(printed === '' ? all : ['', ...all], value);
    printed = text;
    if (!watch || ended) return EXIT.done;
    if (needsPerson && until === 'needed') return EXIT.needsPerson;
    await after(LOOK_EVERY_MS);
  }
}

interface Shown {
  lines: string[];
  value: object;
  needsPerson?: boolean;
}

async function howItStands(context: Context, workflowId: string, runId: string): Promise<Shown> {
  const status = await statusOf(context, workflowId);
  return { lines: statusLines(status, runId), value: status, needsPerson: status.waiting !== undefined };
}

/** The report of a rotation that completed; of another how it ended, for nothing it shows waits any more. */
async function howItEnded(context: Context, workflowId: string, runId: string, how: string): Promise<Shown> {
  const handle = context.client.workflow.getHandle<RotateToken>(workflowId, runId);
  try {
    const report = await handle.result();
    return { lines: reportLines(report), value: { report } };
  } catch (error) {
    const why = error instanceof WorkflowFailedError ? (error.cause?.message ?? '') : '';
    const line = plain(`${workflowId} ended as ${how.toLowerCase()}${why ? `: ${why}` : ''}`);
    return { lines: [line], value: { ended: how.toLowerCase(), why } };
  }
}

function links({ ui }: Context, workflowId: string, runId: string): string[] {
  return ui ? ['', `In the Temporal UI: ${userMetadataLink(ui, workflowId, runId)}`] : [];
}
