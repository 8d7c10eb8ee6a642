import { type RotationReport, userMetadataLink } from '../../domain/rotation/index.ts';
import type { Status } from '../rotations.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { describeRotation } from './open-rotation.ts';
import { reportLines, statusLines } from './print.ts';
import { frameOf, printWatched, type Frame } from './watch.ts';

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
    const run = await describeRotation(context, workflowId);
    const { lines, ...seen } = await frameOf<Status>(context, run, {
      status: (status) => statusLines(status, run.runId),
      needsPerson: ({ waiting }) => waiting !== undefined,
      report: (report) => reportLines(report as RotationReport),
    });
    const { ui } = context;
    const link = ui && userMetadataLink(ui, workflowId, run.runId);
    return { lines: [...lines, ...(link ? ['', `In the Temporal UI: ${link}`] : [])], ...seen };
  };
  return printWatched(context, look, { watch, until });
}
