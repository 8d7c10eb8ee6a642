import type { WorkflowExecutionDescription } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import type { Printed } from './columns.ts';
import type { Context } from './context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { endOf, statusOf } from './open-rotation.ts';

const LOOK_EVERY_MS = 1000;

/** What a command shows at one moment. */
export interface Frame {
  lines: Printed[];
  /** The same for programs. */
  value: unknown;
  /** What is compared with the look before; the lines, unless said. */
  key?: unknown;
  /** Why nothing changes any more; `failed` is an end without a report. */
  state?: 'needs a person' | 'ended' | 'failed';
}

/**
 * Prints what a look sees; where it is watched, again whenever that changes.
 * @param until when watching ends
 */
export async function printWatched(
  context: Context,
  look: () => Promise<Frame>,
  { watch = false, until = 'ended' }: { watch?: boolean; until?: 'needed' | 'ended' },
): Promise<ExitCode> {
  let before: string | undefined;
  for (;;) {
    const { lines, value, key = lines, state } = await look();
    const seen = JSON.stringify(key);
    if (seen !== before) context.print(before === undefined ? lines : ['', ...lines], value);
    before = seen;
    if (!watch || state === 'ended') return EXIT.done;
    if (state === 'failed') return EXIT.failed;
    if (state === 'needs a person' && until === 'needed') return EXIT.needsPerson;
    await after(LOOK_EVERY_MS);
  }
}

/**
 * Where a run stands; of one that has completed its report, of another how it ended, for nothing it
 * shows waits any more.
 */
export async function frameOf<Status>(
  context: Context,
  run: WorkflowExecutionDescription,
  draw: {
    status: (status: Status) => Printed[];
    needsPerson: (status: Status) => boolean;
    report: (report: unknown) => Printed[];
  },
): Promise<Frame> {
  const { workflowId, status: execution } = run;
  if (execution.name === 'RUNNING') {
    const value = await statusOf<Status>(context, workflowId);
    const state = draw.needsPerson(value) ? 'needs a person' : undefined;
    return { lines: draw.status(value), value, state };
  }
  const { report, why = '' } = await endOf(context, run);
  if (report) return { lines: draw.report(report), value: { report }, state: 'ended' };
  const ended = execution.name.toLowerCase();
  const line = `${workflowId} ended as ${ended}${why ? `: ${why}` : ''}`;
  return { lines: [line], value: { ended, why }, state: 'failed' };
}
