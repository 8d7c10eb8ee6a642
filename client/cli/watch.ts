import { WorkflowFailedError, type WorkflowExecutionDescription } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import type { Printed } from './columns.ts';
import type { Context } from './context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { statusOf } from './open-rotation.ts';

const LOOK_EVERY_MS = 1000;

/** What a command shows at one moment. */
export interface Frame {
  lines: Printed[];
  /** The same for programs. */
  value: unknown;
  /** What is compared with the look before; the lines, unless said. */
  key?: unknown;
  /** Nothing changes any more. */
  ended?: boolean;
  /** It ended without a report: failed, terminated or timed out. */
  failed?: boolean;
  /** Until a person decides, nothing changes. */
  needsPerson?: boolean;
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
    const frame = await look();
    const { lines, value, key = lines, ended = false, failed = false } = frame;
    const seen = JSON.stringify(key);
    if (seen !== before) context.print(before === undefined ? lines : ['', ...lines], value);
    before = seen;
    if (watch && failed) return EXIT.failed;
    if (!watch || ended) return EXIT.done;
    if (frame.needsPerson && until === 'needed') return EXIT.needsPerson;
    await after(LOOK_EVERY_MS);
  }
}

/**
 * Where a run stands; of one that has completed its report, of another how it ended, for nothing it
 * shows waits any more.
 */
export async function frameOf<Status>(
  context: Context,
  { workflowId, runId, status: { name } }: WorkflowExecutionDescription,
  draw: {
    status: (status: Status) => Printed[];
    needsPerson: (status: Status) => boolean;
    report: (report: unknown) => Printed[];
  },
): Promise<Frame> {
  if (name === 'RUNNING') {
    const value = await statusOf<Status>(context, workflowId);
    return { lines: draw.status(value), value, needsPerson: draw.needsPerson(value) };
  }
  try {
    const handle = context.client.workflow.getHandle(workflowId, runId);
    const report: unknown = await handle.result();
    return { lines: draw.report(report), value: { report }, ended: true };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const why = error.cause?.message ?? '';
    const ended = name.toLowerCase();
    const line = `${workflowId} ended as ${ended}${why ? `: ${why}` : ''}`;
    return { lines: [line], value: { ended, why }, ended: true, failed: true };
  }
}
