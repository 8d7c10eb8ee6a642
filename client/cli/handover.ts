import type { HandOver, RotationReport } from '../../domain/rotation/index.ts';
import { plain } from '../../domain/text/index.ts';
import type { RotateToken } from '../start-rotation.ts';
import type { Context } from './context.ts';
import { CommandEnd, EXIT, type ExitCode } from './exit-codes.ts';
import { describeRotation, statusOf } from './open-rotation.ts';
import { handOverLines } from './print.ts';

type PairNames = Pick<RotationReport, 'apiUser' | 'application' | 'environment'>;

/**
 * Prints the new token for its holder outside the cluster, encrypted to their key, and what to tell
 * them.
 */
export async function handover(context: Context, pair: string[]): Promise<ExitCode> {
  const workflowId = await context.idOf(pair);
  const { of, handOver, oldEnds } = await sealedBy(context, workflowId);
  if (!handOver)
    throw new CommandEnd(
      EXIT.nothing,
      plain(`${workflowId} has handed no token over, so there is nothing to send.`),
    );
  const { armoured, tell } = handOverLines(handOver, of, oldEnds);
  context.say(...tell, '');
  context.print(armoured, handOver);
  return EXIT.done;
}

/** From the report of a rotation that has ended, else from what it says itself. */
async function sealedBy(
  context: Context,
  workflowId: string,
): Promise<{ of: PairNames; handOver?: HandOver; oldEnds?: string }> {
  const { runId, status: execution } = await describeRotation(context, workflowId);
  if (execution.name === 'RUNNING') {
    const { request, handOver, waiting } = await statusOf(context, workflowId);
    const toRevoke = waiting?.kind === 'approval' ? waiting.evidence.toRevoke : [];
    const [oldEnds] = toRevoke.map(({ expires }) => expires).toSorted();
    return { of: request, handOver, oldEnds };
  }
  if (execution.name !== 'COMPLETED')
    throw new CommandEnd(EXIT.nothing, plain(`${workflowId} left no report.`));
  const report = await context.client.workflow.getHandle<RotateToken>(workflowId, runId).result();
  return { of: report, handOver: report.handOver };
}
