import { userMetadataLink } from '../../domain/rotation/index.ts';
import type { RotateToken } from '../start-rotation.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { describeRotation, statusOf } from './open-rotation.ts';
import { reportLines, statusLines } from './print.ts';
import { printWatched, type Frame, seenEnd } from './watch.ts';

/** When watching ends: once a person is needed, or at the rotation's end alone. */
export const UNTIL = ['needed', 'ended'] as const;

/** Prints the checklist; where it is watched, again whenever it changes. */
export async function show(
  context: Context,
  pair: string[],
  { watch, until = 'needed' }: { watch?: boolean; until?: (typeof UNTIL)[number] },
): Promise<ExitCode> {
  const workflowId = await context.idOf(pair);
  const look = async (): Promise<Frame> => {
    const { runId, status: execution } = await describeRotation(context, workflowId);
    const seen =
      execution.name === 'RUNNING'
        ? await howItStands(context, workflowId, runId)
        : await seenEnd(
            context.client.workflow.getHandle<RotateToken>(workflowId, runId).result(),
            { workflowId, how: execution.name },
            reportLines,
          );
    return { ...seen, lines: [...seen.lines, ...links(context, workflowId, runId)] };
  };
  return printWatched(context, look, { watch, until });
}

async function howItStands(context: Context, workflowId: string, runId: string): Promise<Frame> {
  const status = await statusOf(context, workflowId);
  return {
    lines: statusLines(status, runId),
    value: status,
    needsPerson: status.waiting !== undefined,
  };
}

function links({ ui }: Context, workflowId: string, runId: string): string[] {
  return ui ? ['', `In the Temporal UI: ${userMetadataLink(ui, workflowId, runId)}`] : [];
}
