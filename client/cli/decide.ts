import { WorkflowNotFoundError } from '@temporalio/client';
import type { DecisionName, Decisions } from '../../domain/decisions.ts';
import { decide } from '../rotations.ts';
import type { Context } from './context.ts';
import { Ended, EXIT, type ExitCode } from './exit-codes.ts';
import { knownRotations } from './list.ts';
import { plain } from './print.ts';
import { notThere } from './show.ts';

/** Ends a rotation, as `reject` or `abort` does, after a question. */
export async function end(
  context: Context,
  name: 'reject' | 'abort',
  pair: string[],
  reason: string,
): Promise<ExitCode> {
  const decision = { by: context.who(), reason };
  const workflowId = context.idOf(pair);
  await context.needWorker();
  const what = name === 'reject' ? 'Keep the old token and end' : 'Stop';
  await context.confirm(plain(`${what} ${workflowId} in ${context.environment}?`));
  return sendTo(context, [workflowId], name, decision);
}

/** Lets one rotation go on from the step it is blocked in, or all that the same failure blocks. */
export async function retry(
  context: Context,
  pair: string[],
  { blockedBy, accept }: { blockedBy?: string; accept?: 'unlisted-token'[] },
): Promise<ExitCode> {
  const decision = { by: context.who(), ...(accept && { accept }) };
  await context.needWorker();
  if (blockedBy === undefined) return sendTo(context, [context.idOf(pair)], 'retry', decision);
  const known = await knownRotations(context, { waiting: true });
  const blocked = known.filter(
    ({ status }) => status?.waiting?.kind === 'blocked' && status.waiting.failure === blockedBy,
  );
  if (blocked.length === 0)
    throw new Ended(EXIT.nothing, plain(`No rotation is blocked by ${blockedBy} in ${context.environment}.`));
  return sendTo(
    context,
    blocked.map(({ workflowId }) => workflowId),
    'retry',
    decision,
  );
}

/** Says who holds a token that no container reads. */
export async function classify(
  context: Context,
  pair: string[],
  said: Omit<Decisions['classify'], 'by'>,
): Promise<ExitCode> {
  const decision = { ...said, by: context.who() } as Decisions['classify'];
  await context.needWorker();
  return sendTo(context, [context.idOf(pair)], 'classify', decision);
}

async function sendTo<Name extends DecisionName>(
  context: Context,
  ids: string[],
  name: Name,
  decision: Decisions[Name],
): Promise<ExitCode> {
  const answers = [];
  for (const workflowId of ids) {
    const answer = await decide(context.client, workflowId, name, decision).catch((error: unknown) => {
      throw error instanceof WorkflowNotFoundError ? notThere(context, workflowId) : error;
    });
    answers.push({ workflowId, ...answer });
  }
  context.print(
    answers.map(({ workflowId, answer }) => plain(`${workflowId}: ${answer}`)),
    answers,
  );
  return answers.every(({ accepted }) => accepted) ? EXIT.done : EXIT.notAccepted;
}
