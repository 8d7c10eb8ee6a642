import pLimit from 'p-limit';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Answer, Decisions } from '../../domain/evidence/index.ts';
import { isFailure, restartable } from '../../domain/rotation/index.ts';
import { decide, type Sendable } from '../rotations.ts';
import { AT_ONCE, type Context } from './context.ts';
import { badUsage, notAccepted, EXIT, type ExitCode } from './exit-codes.ts';
import { thoseThatWait } from './list.ts';
import { openRotation, statusOf } from './open-rotation.ts';

/** Ends a rotation, as `reject` or `abort` does, after a question. */
export async function end(
  context: Context,
  name: 'reject' | 'abort',
  pair: string[],
  reason: string,
): Promise<ExitCode> {
  const decision = { by: context.who(), reason };
  const workflowId = await context.idOf(pair);
  const firstRunId = await openRotation(context, workflowId);
  await context.needWorker();
  const what = name === 'reject' ? 'Keep the old token and end' : 'Stop';
  await context.confirm(`${what} ${workflowId} in ${context.environment}?`);
  return sendEach(context, name, [{ workflowId, firstRunId, decision }]);
}

/** Lets one rotation go on from the step it is blocked in, or all that the same failure blocks. */
export async function retry(
  context: Context,
  pair: string[],
  { blockedBy, restart, sync, accept }: Omit<Decisions['retry'], 'by'> & { blockedBy?: string },
): Promise<ExitCode> {
  if ((blockedBy === undefined) === (pair.length === 0))
    throw badUsage('Name one rotation, or say --blocked-by.');
  const decision = { by: context.who(), restart, sync, accept };
  await context.needWorker();
  if (blockedBy !== undefined && !isFailure(blockedBy))
    throw badUsage(`${blockedBy} is not the name of a failure; docs/failures.md lists them.`);
  if (blockedBy === undefined) {
    const workflowId = await context.idOf(pair);
    if (restart) {
      await openRotation(context, workflowId);
      await confirmRestart(context, [workflowId]);
    }
    return sendEach(context, 'retry', [{ workflowId, decision }]);
  }
  if (accept && accept.length > 0)
    throw badUsage('--accept is one person’s word on one token: name its rotation.');
  const { found: blocked, atBest } = await thoseThatWait(
    context,
    `is blocked by ${blockedBy}`,
    ({ workflowId, status: { waiting } }) =>
      waiting?.kind === 'blocked' && waiting.failure === blockedBy ? workflowId : undefined,
  );
  if (restart) await confirmRestart(context, blocked);
  const decisions = blocked.map((workflowId) => ({ workflowId, decision }));
  const code = await sendEach(context, 'retry', decisions);
  return code === EXIT.done ? atBest : code;
}

/**
 * Asks before Deployments are restarted, and names them. A rotation that is blocked anew meanwhile
 * would restart others.
 */
async function confirmRestart(context: Context, workflowIds: readonly string[]): Promise<void> {
  const read = async (): Promise<string> => {
    const statuses = await pLimit(AT_ONCE).map(workflowIds, (id) => statusOf(context, id));
    const named = statuses.flatMap(({ waiting }) =>
      waiting?.kind === 'blocked' ? restartable(waiting) : [],
    );
    return [...new Set(named)].toSorted().join(', ');
  };
  const deployments = await read();
  if (deployments === '')
    throw notAccepted(
      'Nothing was sent: no Deployment stands in the way, or the worker may not restart it. The command “show” says which.',
    );
  await context.confirm(`Restart ${deployments} in ${context.environment}?`);
  if ((await read()) !== deployments)
    throw notAccepted(
      'Nothing was sent: the Deployments to restart changed meanwhile. Run the command again.',
    );
}

export async function classify(
  context: Context,
  pair: string[],
  { as, recipient, workload, container, variable }: Record<string, string | undefined>,
): Promise<ExitCode> {
  const said = { by: context.who(), as, recipient, workload, container, variable };
  const decision = said as Decisions['classify'];
  await context.needWorker();
  return sendEach(context, 'classify', [{ workflowId: await context.idOf(pair), decision }]);
}

/** What became of a decision that was sent to one rotation. */
export type SentDecision = Answer & { workflowId: string };

interface Sending<Name extends keyof Sendable> {
  workflowId: string;
  /** Taken by no other rotation that has been started under the id since then. */
  firstRunId?: string;
  decision: Sendable[Name];
}

export async function sendEach<Name extends keyof Sendable>(
  context: Context,
  name: Name,
  decisions: Sending<Name>[],
): Promise<ExitCode> {
  return printAnswers(context, await answersTo(context, name, decisions));
}

/** Prints what became of decisions. @returns whether all were accepted */
export function printAnswers(context: Context, answers: SentDecision[]): ExitCode {
  context.print(
    answers.map(({ workflowId, answer }) => `${workflowId}: ${answer}`),
    answers,
  );
  return answers.every(({ accepted }) => accepted) ? EXIT.done : EXIT.notAccepted;
}

/**
 * Sends a decision to each rotation; one that cannot be reached keeps no other from getting its
 * own.
 */
export function answersTo<Name extends keyof Sendable>(
  context: Context,
  name: Name,
  decisions: Sending<Name>[],
): Promise<SentDecision[]> {
  return pLimit(AT_ONCE).map(decisions, async ({ workflowId, firstRunId, decision }) => {
    try {
      const to = { workflowId, firstRunId };
      return { workflowId, ...(await decide(context.client, to, name, decision)) };
    } catch (error) {
      const isGone = error instanceof WorkflowNotFoundError;
      if (decisions.length > 1 && error instanceof Error) {
        const answer = isGone ? 'it is not open any more' : error.message;
        return { workflowId, accepted: false, answer };
      }
      if (!isGone) throw error;
      await openRotation(context, workflowId);
      throw notAccepted(
        `Nothing was sent: that rotation has ended, and ${workflowId} is another by now.`,
      );
    }
  });
}
