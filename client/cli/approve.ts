import pLimit from 'p-limit';
import { whatLacks, type Evidence, type Shortfall } from '../../domain/evidence/index.ts';
import { comparable, needsSecondPerson } from '../../domain/request/index.ts';
import { describeToken } from '../../domain/tokens/index.ts';
import type { Status } from '../rotations.ts';
import { AT_ONCE, type Context } from './context.ts';
import type { Printed } from './columns.ts';
import { answersTo, printAnswers } from './decide.ts';
import { approvedTokens, revokedOrWhyNot } from './await-revoke.ts';
import { notAccepted, nothingThere, EXIT, type ExitCode } from './exit-codes.ts';
import { thoseThatWait } from './list.ts';
import { codeLine, evidenceLines } from './print.ts';
import { openRotation, statusOf } from './open-rotation.ts';

/** What an approver names. */
export interface Named {
  accept: Shortfall[];
  revoke?: number[];
  /** The evidence code that was read before, in place of a question. */
  evidence?: string;
  /** Until what was approved is revoked, or it is known why not. */
  wait: boolean;
}

/** A rotation that asks for approval, with its evidence and the code that stands for it now. */
interface Asking {
  workflowId: string;
  status: Status;
  evidence: Evidence;
  code: string;
}

/** Shows one rotation's evidence, asks, and approves exactly that. */
export async function approve(context: Context, pair: string[], named: Named): Promise<ExitCode> {
  const by = context.who();
  const workflowId = await context.idOf(pair);
  await openRotation(context, workflowId);
  const asking = askingOf(workflowId, await statusOf(context, workflowId));
  if (!asking) throw nothingThere(`${workflowId} does not wait for approval.`);
  context.say(...shown(asking));
  const lacking = lacks(asking, by, named);
  if (lacking !== undefined) throw notAccepted(`Nothing was sent: ${lacking}.`);
  const { evidence } = named;
  if (evidence !== undefined && evidence.trim().toLowerCase() !== asking.code)
    throw notAccepted(
      `Nothing was sent: ${evidence} is not the code of this evidence, which may have changed. Its code is ${asking.code}.`,
    );
  return send(context, by, named, [asking]);
}

/**
 * Shows the evidence of everything that waits, asks once, and sends each its own code. What cannot
 * be approved as it is, is named and left.
 */
export async function approveWaiting(
  context: Context,
  named: Omit<Named, 'revoke' | 'evidence'>,
): Promise<ExitCode> {
  const by = context.who();
  const { found: all, atBest } = await thoseThatWait(
    context,
    'waits for approval',
    ({ workflowId, status }) => askingOf(workflowId, status),
  );
  const ready = all.filter((asking) => lacks(asking, by, named) === undefined);
  for (const asking of all) {
    const lacking = lacks(asking, by, named);
    context.say(...shown(asking), ...(lacking === undefined ? [] : [`LEFT OUT: ${lacking}.`]), '');
  }
  if (ready.length === 0) throw notAccepted('Nothing was sent: none can be approved as it is.');
  const code = await send(context, by, named, ready);
  return code === EXIT.done ? atBest : code;
}

/** Asks first, unless the code was given and compared: whoever gave it has read the evidence. */
async function send(
  context: Context,
  by: string,
  named: Named,
  askings: Asking[],
): Promise<ExitCode> {
  const tokens = askings.flatMap(({ evidence }) =>
    approvedTokens(evidence, named).map((token) => describeToken(token)),
  );
  const recipients = askings.flatMap(({ evidence: { asks, recipient } }) =>
    asks === 'hand-over' ? [recipient?.name ?? ''] : [],
  );
  const of = askings.length === 1 ? '' : ` of ${askings.length} rotations`;
  const count = `${tokens.length} token${tokens.length === 1 ? '' : 's'}${of}`;
  const { environment } = context;
  const questions = [
    recipients.length > 0 &&
      `Issue a token in ${environment} and encrypt it for its holder outside: ${recipients.join(', ')}?`,
    tokens.length > 0 && `Revoke ${count} in ${environment}: ${tokens.join(', ')}?`,
  ];
  if (named.evidence === undefined) await context.confirm(questions.filter(Boolean).join(' '));
  const { accept, revoke, wait } = named;
  const answers = await answersTo(
    context,
    'approve',
    askings.map(({ workflowId, code }) => ({
      workflowId,
      decision: { by, evidence: code, revoke, ...(accept.length > 0 && { accept }) },
    })),
  );
  if (!wait) return printAnswers(context, answers);
  context.say('Waiting for the revoke (--no-wait skips this).');
  const ends = await pLimit(AT_ONCE).map(answers, (answer, at) => {
    const { evidence } = askings[at]!;
    if (!answer.accepted || evidence.asks !== 'revoke') return answer;
    return revokedOrWhyNot(context, answer, evidence, named).catch((error: unknown) => {
      if (answers.length === 1 || !(error instanceof Error)) throw error;
      const unknown = `${answer.answer}; whether it is revoked is not known: ${error.message}`;
      return { ...answer, accepted: false, answer: unknown };
    });
  });
  return printAnswers(context, ends);
}

function askingOf(workflowId: string, status: Status): Asking | undefined {
  return status.waiting?.kind === 'approval' && status.code
    ? { workflowId, status, evidence: status.waiting.evidence, code: status.code }
    : undefined;
}

function shown({ status: { request }, evidence, code }: Asking): Printed[] {
  return [
    `${request.apiUser} → ${request.application} (${request.environment}), requested by ${request.requestedBy}`,
    ...evidenceLines(evidence, request.environment),
    ...codeLine(code),
  ];
}

/**
 * What an approval would be refused for, so that nobody is asked in vain; the rotation judges
 * again.
 */
function lacks(
  { evidence, status: { request } }: Asking,
  by: string,
  named: Named,
): string | undefined {
  if (needsSecondPerson(request.environment) && comparable(by) === comparable(request.requestedBy))
    return `in ${request.environment} another person must approve: ${request.requestedBy} asked for this rotation`;
  return whatLacks(evidence, named, {
    revoke: 'name authorisation ids with --revoke',
    accept: (codes) =>
      `To approve all the same, add: ${codes.map((code) => `--accept ${code}`).join(' ')}`,
  });
}
