import type { Outcome } from './plan.ts';
import { evidenceCode, type Evidence } from './evidence.ts';
import { startFormLink, type TemporalUi } from './links.ts';
import { isFailure } from './failures.ts';
import type { DecisionName } from './decisions.ts';
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
  | {
      kind: 'blocked';
      step: StepName;
      failure: string;
      message: string;
      todo: string;
      /** What was tried, and how often, where an activity was. */
      tried?: string;
      since: string;
      /** How often the step was begun. */
      tries: number;
    }
  | { kind: 'approval'; evidence: Evidence; since: string };

/** Where a rotation stands: the `status` query's answer, and what the current details are drawn from. */
export interface Progress {
  request: RotationRequest;
  steps: StepProgress[];
  waiting?: Waiting;
  /** The rotation has ended so: there is nothing left to send. */
  outcome?: Outcome;
  /** Where the Temporal UI and the documentation are, once the settings are known and if they say. */
  links: { ui?: TemporalUi; docs?: string };
  /** Activities that are tried again: which, how often so far, what failed last. One sentence each. */
  retrying: string[];
  /** The answer to the last decision somebody sent. */
  lastAnswer?: string;
  notes: string[];
}

/** How a step's state is shown. */
export const MARKS: Record<StepProgress['state'], string> = {
  'to come': '·',
  now: '▶',
  blocked: '✗',
  done: '✓',
  skipped: '–',
};

/** The runbook's checklist as Markdown for the Temporal UI, with what is waited for and the exact JSON to send. */
export function drawChecklist(progress: Progress, runId: string): string {
  const { request, waiting, links } = progress;
  return [
    `### ${text(request.apiUser)} → ${text(request.application)} (${request.environment})`,
    waiting?.kind === 'blocked' ? drawBlocked(waiting, links.docs) : undefined,
    waiting?.kind === 'approval' ? drawApproval(waiting, runId) : undefined,
    progress.lastAnswer ? `**Last answer:** ${text(progress.lastAnswer)}` : undefined,
    table(
      ['', 'Step', 'What happened'],
      progress.steps.map(({ name, state, note }) => [MARKS[state], name, text(note)]),
    ),
    progress.retrying.length > 0 ? ['**Tried again by itself:**', ...list(progress.retrying)].join('\n') : undefined,
    progress.notes.length > 0 ? list(progress.notes).join('\n') : undefined,
    progress.outcome && links.ui ? `[Start it again](${startFormLink(links.ui, request)})` : undefined,
    waiting || progress.outcome ? undefined : toSend('abort', STOP),
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

/** What was wrong with an input, and one that would do. */
export function drawInvalid(problems: readonly string[]): string {
  const request: RotationRequest = {
    environment: 'integration',
    apiUser: 'short-url-manager@alphagov.co.uk',
    application: 'publishing-api',
    requestedBy: YOU,
  };
  return [
    '### ✗ The request cannot be read',
    list([...problems]).join('\n'),
    `Start another, with an input like this:\n\n\`\`\`\n${JSON.stringify(request)}\n\`\`\``,
  ].join('\n\n');
}

/** The evidence code of what is shown now, if an approval is waited for. */
export function currentCode(progress: Progress, runId: string): string | undefined {
  return progress.waiting?.kind === 'approval' ? evidenceCode(runId, progress.waiting.evidence) : undefined;
}

const YOU = 'you@example.org';
const STOP = { by: YOU, reason: 'why it should end here' };

function drawBlocked(blocked: Extract<Waiting, { kind: 'blocked' }>, docs: string | undefined): string {
  const { step, since, failure, message, todo, tried, tries } = blocked;
  const heading = isFailure(failure) ? failure : 'Unexpected';
  const page = `docs/failures.md, “${heading}”`;
  return [
    `#### ✗ Blocked in “${step}” since ${minute(since)}`,
    `**${text(failure)}**: ${text(message)}`,
    ...(tried ? [`**Tried:** ${text(tried)}${tries > 1 ? `; the step was begun ${tries} times` : ''}`] : []),
    `**What to do:** ${text(todo)} (${docs ? `[${page}](${docs}/failures.md#${heading.toLowerCase()})` : page})`,
    toSend('retry', retryFor(failure)),
    toSend('abort', STOP),
  ].join('\n\n');
}

/** A signal with the JSON to send, to be copied as it stands. */
function toSend(signal: DecisionName, input: object): string {
  const what = {
    approve: 'To revoke what this evidence covers',
    reject: 'To keep the old token and end',
    retry: 'To go on from this step',
    abort: 'To stop',
    classify: 'To say who holds the token',
  };
  return `${what[signal]}, send the signal \`${signal}\`:\n\n\`\`\`\n${JSON.stringify(input)}\n\`\`\``;
}

/** The UI flattens nested lists, so there is none. */
function list(lines: string[]): string[] {
  return lines.map((line) => `- ${text(line)}`);
}

function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** The retry that fits a failure, for a person to send under their own name. */
export function retryFor(failure: string): object {
  return failure === 'UnlistedToken' ? { by: YOU, accept: ['unlisted-token'] } : { by: YOU };
}

function drawApproval({ evidence, since }: Extract<Waiting, { kind: 'approval' }>, runId: string): string {
  const { newToken, toRevoke, consumers, shortfalls } = evidence;
  return [
    `#### ▶ Waiting for approval since ${minute(since)}`,
    `Evidence of round ${evidence.round}, gathered ${minute(evidence.gatheredAt)}. New token \`${newToken.masked}\`, authorisation ${newToken.authorisationId}, until ${newToken.expires}.`,
    table(
      ['Token to revoke', 'Authorisation', 'Until', 'Standing'],
      toRevoke.map((token) => [
        `\`${token.masked}\``,
        String(token.authorisationId),
        token.expires,
        token.standing === 'given-up' ? 'given up by its holders' : '**holder unknown**: name it in `revoke`',
      ]),
    ),
    ...consumers.map((consumer) => drawConsumer(consumer, newToken.masked)),
    [
      '**Not shown:**',
      ...shortfalls.map(({ code, what }) => `- \`${code}\`: ${text(what)}`),
      '- holders outside the namespace, and when a token was last used: neither can be seen from here',
    ].join('\n'),
    toSend('approve', approvalFor(evidence, runId)),
    toSend('reject', { by: YOU, reason: 'why the old token must stay' }),
    toSend('abort', STOP),
  ].join('\n\n');
}

function drawConsumer(
  { container, workload, variable, pods, smoke, detail }: Evidence['consumers'][number],
  masked: string,
): string {
  return [
    `${pods.length > 0 && smoke === 'passed' ? '✓' : '✗'} **${text(`${container} of ${workload}`)}** reads ${text(variable)}`,
    '',
    pods.length === 0
      ? '- ✗ no pod is running'
      : `- ✓ ${pods.length} running, ${pods.length === 1 ? 'holds' : 'all hold'} \`${masked}\`: ${text(pods.join(', '))}`,
    `- ${smoke === 'passed' ? '✓' : '✗'} smoke call: ${text(detail)}`,
  ].join('\n');
}

/** The approval that covers all the evidence offers, for a person to send under their own name. */
export function approvalFor(evidence: Evidence, runId: string): object {
  const unknown = evidence.toRevoke.some(({ standing }) => standing === 'holder-unknown');
  const shortfalls = [...new Set(evidence.shortfalls.map(({ code }) => code))];
  return {
    by: YOU,
    evidence: evidenceCode(runId, evidence),
    ...(unknown ? { revoke: evidence.toRevoke.map(({ authorisationId }) => authorisationId) } : {}),
    ...(shortfalls.length > 0 ? { accept: shortfalls } : {}),
  };
}
