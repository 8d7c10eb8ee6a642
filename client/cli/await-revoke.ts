import type { WorkflowExecutionDescription } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import {
  coveredBy,
  type Answer,
  type Approve,
  type Evidence,
} from '../../domain/evidence/index.ts';
import type { RotationReport } from '../../domain/rotation/index.ts';
import { isToken, type ListedToken } from '../../domain/tokens/index.ts';
import { askStatus, type Status } from '../rotations.ts';
import type { Context } from './context.ts';
import type { SentDecision } from './decide.ts';
import { describeRotation, endOf } from './open-rotation.ts';

const LOOK_EVERY_MS = 1000;

/** The tokens that an approval covers. */
export function approvedTokens(evidence: Evidence, named: Pick<Approve, 'revoke'>): ListedToken[] {
  return coveredBy(evidence, named).map((id) =>
    evidence.toRevoke.find(isToken({ authorisationId: id }))!,
  );
}

/**
 * Waits until what an approval covers is revoked, or it is known why it is not: an accepted
 * approval is no revoke yet.
 */
export async function revokedOrWhyNot(
  context: Context,
  approved: SentDecision,
  evidence: Evidence,
  named: Pick<Approve, 'revoke'>,
): Promise<SentDecision> {
  const { workflowId, answer } = approved;
  const tokens = approvedTokens(evidence, named);
  for (;;) {
    const run = await describeRotation(context, workflowId);
    const end =
      run.status.name === 'RUNNING'
        ? await whileRunning(context, workflowId, evidence, tokens)
        : await onceEnded(context, run, tokens);
    if (end) return { workflowId, ...end, answer: `${answer}; ${end.answer}` };
    await after(LOOK_EVERY_MS);
  }
}

/** Accepted: revoked, or approved as far as one person can. */
async function whileRunning(
  context: Context,
  workflowId: string,
  { round }: Evidence,
  tokens: readonly ListedToken[],
): Promise<Answer | undefined> {
  const status = await askStatus(context.client, workflowId);
  if (!status) {
    await context.needWorker();
    return undefined;
  }
  const note = status.steps.find(({ name }) => name === 'revoke')?.note ?? '';
  if (tokens.every(({ masked }) => note.includes(masked)))
    return { accepted: true, answer: `${note}; confirm follows` };
  const { waiting } = status;
  if (!waiting) return undefined;
  if (waiting.kind !== 'approval' || waiting.evidence.round !== round)
    return { accepted: false, answer: `NOT revoked: ${whyNot(status)}` };
  return waiting.approvedBy?.length
    ? { accepted: true, answer: `nothing is revoked before ${waiting.needed} people have approved` }
    : undefined;
}

function whyNot({ waiting, notes }: Status): string {
  if (waiting?.kind === 'blocked')
    return `blocked in “${waiting.step}” by ${waiting.failure}: ${waiting.message}`;
  const voided = notes.findLast((note) => note.includes('no longer holds'));
  return `an approval is asked for again${voided === undefined ? '' : `. ${voided}`}`;
}

async function onceEnded(
  context: Context,
  run: WorkflowExecutionDescription,
  tokens: readonly ListedToken[],
): Promise<Answer> {
  const report = (await endOf(context, run)).report as RotationReport | undefined;
  const revoked =
    report !== undefined && tokens.every((token) => report.revoked.some(isToken(token)));
  return {
    accepted: revoked,
    answer: `${revoked ? 'revoked' : 'NOT revoked'}; it ended as ${report?.outcome ?? 'failed'}`,
  };
}
