import { evidenceCode, type Evidence } from './evidence.ts';
import { escapeMarkdown as text, table } from './markdown.ts';
import type { RotationRequest } from './request.ts';

export const STEPS = ['assess', 'issue', 'sync', 'roll out', 'smoke', 'approve', 'revoke', 'confirm'] as const;
export type StepName = (typeof STEPS)[number];

export interface StepProgress {
  name: StepName;
  state: 'to come' | 'now' | 'blocked' | 'done' | 'skipped';
  note: string;
}

/** What a rotation waits for a person with. */
export type Waiting =
  | { kind: 'blocked'; step: StepName; failure: string; message: string; todo: string; since: string; tries: number }
  | { kind: 'approval'; evidence: Evidence; since: string };

/** Where a rotation stands: the `status` query's answer, and what the current details are drawn from. */
export interface Progress {
  request: RotationRequest;
  steps: StepProgress[];
  waiting?: Waiting;
  /** The rotation has ended: there is nothing left to send. */
  ended?: boolean;
  /** Activities that are tried again: which, how often so far, what failed last. One sentence each. */
  retrying: string[];
  /** The answer to the last decision somebody sent. */
  lastAnswer?: string;
  notes: string[];
}

const MARKS: Record<StepProgress['state'], string> = {
  'to come': '·',
  now: '▶',
  blocked: '✗',
  done: '✓',
  skipped: '–',
};

/** The runbook's checklist as Markdown for the Temporal UI, with what is waited for and the exact JSON to send. */
export function drawChecklist(progress: Progress, runId: string): string {
  const { request, waiting } = progress;
  return [
    `### ${text(request.apiUser)} → ${text(request.application)} (${request.environment})`,
    waiting?.kind === 'blocked' ? drawBlocked(waiting) : undefined,
    waiting?.kind === 'approval' ? drawApproval(waiting.evidence, runId) : undefined,
    progress.lastAnswer ? `**Last answer:** ${text(progress.lastAnswer)}` : undefined,
    table(
      ['', 'Step', 'What happened'],
      progress.steps.map(({ name, state, note }) => [MARKS[state], name, text(note)]),
    ),
    progress.retrying.length > 0
      ? ['**Tried again by itself:**', ...progress.retrying.map((line) => `- ${text(line)}`)].join('\n')
      : undefined,
    progress.notes.length > 0 ? progress.notes.map((note) => `- ${text(note)}`).join('\n') : undefined,
    waiting || progress.ended ? undefined : 'To stop: signal `abort` with `{"by": "you@example.org", "reason": "…"}`.',
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

/** The evidence code of what is shown now, if an approval is waited for. */
export function currentCode(progress: Progress, runId: string): string | undefined {
  return progress.waiting?.kind === 'approval' ? evidenceCode(runId, progress.waiting.evidence) : undefined;
}

function drawBlocked(blocked: Extract<Waiting, { kind: 'blocked' }>): string {
  return [
    `#### ✗ Blocked in “${blocked.step}” since ${blocked.since}`,
    `**${text(blocked.failure)}**: ${text(blocked.message)}`,
    `**What to do:** ${text(blocked.todo)} (\`docs/failures.md\`, “${text(blocked.failure)}”)`,
    'Then send one of these signals:',
    table(
      ['Signal', 'Input'],
      [
        ['`retry`', `\`${JSON.stringify(retryFor(blocked.failure))}\``],
        ['`abort`', '`{"by": "you@example.org", "reason": "why it should end here"}`'],
      ],
    ),
  ].join('\n\n');
}

function retryFor(failure: string): object {
  return failure === 'UnlistedToken'
    ? { by: 'you@example.org', accept: ['unlisted-token'] }
    : { by: 'you@example.org' };
}

function drawApproval(evidence: Evidence, runId: string): string {
  return [
    `#### ▶ Waiting for approval (round ${evidence.round}, evidence of ${evidence.gatheredAt.slice(0, 16).replace('T', ' ')} UTC)`,
    `New token \`${evidence.newToken.masked}\`, authorisation ${evidence.newToken.authorisationId}, until ${evidence.newToken.expires}.`,
    table(
      ['Token to revoke', 'Authorisation', 'Expires', 'Standing'],
      evidence.toRevoke.map((token) => [
        `\`${token.masked}\``,
        String(token.authorisationId),
        token.expires,
        token.standing === 'given-up' ? 'given up by its holders' : '**holder unknown**: name it in `revoke` to end it',
      ]),
    ),
    evidence.consumers
      .map(({ container, workload, variable, pods, smoke, detail }) =>
        [
          `- **${text(`${container} of ${workload}`)}**, ${text(variable)}`,
          `  - ${pods.length === 0 ? '✗ no pod is running' : `✓ ${pods.length} hold the new token: ${text(pods.join(', '))}`}`,
          `  - ${smoke === 'passed' ? '✓' : '✗'} ${text(detail)}`,
        ].join('\n'),
      )
      .join('\n'),
    'Not visible from here: holders outside the namespace, and when a token was last used.',
    'To go on, send one of these signals:',
    table(
      ['Signal', 'Input'],
      [
        ['`approve`', `\`${JSON.stringify(approvalFor(evidence, runId))}\``],
        ['`reject`', '`{"by": "you@example.org", "reason": "why the old token must stay"}`'],
        ['`abort`', '`{"by": "you@example.org", "reason": "why it should end here"}`'],
      ],
    ),
  ].join('\n\n');
}

/** The approval that covers all the evidence offers, for a person to send under their own name. */
export function approvalFor(evidence: Evidence, runId: string): object {
  const unknown = evidence.toRevoke.some(({ standing }) => standing === 'holder-unknown');
  const shortfalls = [...new Set(evidence.shortfalls.map(({ code }) => code))];
  return {
    by: 'you@example.org',
    evidence: evidenceCode(runId, evidence),
    ...(unknown ? { revoke: evidence.toRevoke.map(({ authorisationId }) => authorisationId) } : {}),
    ...(shortfalls.length > 0 ? { accept: shortfalls } : {}),
  };
}
