import { MARKS, type Progress, type Waiting } from './checklist.ts';
import type { DecisionName } from './decisions.ts';
import type { Evidence } from './evidence.ts';
import { isFailure } from './failures.ts';
import { startFormLink } from './links.ts';
import { escapeMarkdown as text, table } from './markdown.ts';
import { approvalFor, retriesFor, YOU } from './offers.ts';
import type { RotationRequest } from './request.ts';

const STOP = { by: YOU, reason: 'why it should end here' };

/** What a rotation is started with for the UI: its summary, and what stands beside the current details for good. */
export function introduce({ apiUser, application, environment, requestedBy, reason }: RotationRequest): {
  staticSummary: string;
  staticDetails: string;
} {
  return {
    staticSummary: text(`${apiUser} → ${application}, ${environment}`),
    staticDetails: `Asked for by ${text(requestedBy)}${reason ? `: ${text(reason)}` : ''}.\n\nThe current details show what it waits for and what to send; they need a live worker, and refresh on R.`,
  };
}

/**
 * The runbook's checklist as Markdown for the Temporal UI, with what is waited for and the exact JSON to send.
 * The UI draws a line break as one and flattens nested lists, so a paragraph is lines, and there is no nesting.
 */
export function drawChecklist(progress: Progress, runId: string): string {
  const { request, waiting, links, outcome } = progress;
  return [
    `### ${text(request.apiUser)} → ${text(request.application)} (${request.environment})`,
    outcome ? `#### Ended as ${outcome}` : undefined,
    progress.lastAnswer ? `**Last answer:** ${text(progress.lastAnswer)}` : undefined,
    waiting?.kind === 'blocked' ? drawBlocked(waiting, links.docs) : undefined,
    waiting?.kind === 'approval' ? drawApproval(waiting, runId) : undefined,
    table(
      ['', 'Step', 'What happened'],
      progress.steps.map(({ name, state, note }) => [MARKS[state], name, text(note)]),
    ),
    progress.retrying.length > 0 ? ['**Tried again by itself:**', ...lines(progress.retrying)].join('\n') : undefined,
    progress.notes.length > 0 ? lines(progress.notes).join('\n') : undefined,
    outcome && links.ui ? `[Start it again](${startFormLink(links.ui, request)})` : undefined,
    waiting || outcome ? undefined : toSend('abort', STOP),
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
    lines(problems).join('\n'),
    `Start another, with an input like this:\n\n\`${JSON.stringify(request)}\``,
  ].join('\n\n');
}

function drawBlocked(blocked: Extract<Waiting, { kind: 'blocked' }>, docs: string | undefined): string {
  const { step, since, failure, message, todo, tried, tries } = blocked;
  const heading = isFailure(failure) ? failure : 'Unexpected';
  const page = `docs/failures.md, “${heading}”`;
  return [
    `#### ✗ Blocked in “${step}” since ${minute(since)}`,
    `**${text(failure)}**: ${text(message)}`,
    ...(tried ? [`**Tried:** ${text(tried)}${tries > 1 ? `; the step was begun ${tries} times` : ''}`] : []),
    `**What to do:** ${text(todo)} (${docs ? `[${page}](${docs}/failures.md#${heading.toLowerCase()})` : page})`,
    ...retriesFor(blocked).map((retry) =>
      toSend(
        'retry',
        retry,
        retry.restart
          ? 'To restart the Deployments named here and go on'
          : retry.sync
            ? 'To make another sync Job and go on'
            : undefined,
      ),
    ),
    toSend('abort', STOP),
  ].join('\n\n');
}

/** A signal with the JSON to send, to be copied as it stands. Not a block: the UI would not wrap it. */
function toSend(signal: DecisionName, input: object, purpose?: string): string {
  const what = {
    approve: 'To revoke what this evidence covers',
    reject: 'To keep the old token and end',
    retry: 'To go on from this step',
    abort: 'To stop',
    classify: 'To say who holds the token',
  };
  return `${purpose ?? what[signal]}, send the signal \`${signal}\` with \`${JSON.stringify(input)}\``;
}

function lines(texts: readonly string[]): string[] {
  return texts.map((one) => `· ${text(one)}`);
}

function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

function drawApproval({ evidence, since }: Extract<Waiting, { kind: 'approval' }>, runId: string): string {
  const { newToken, toRevoke, consumers, oddities, shortfalls } = evidence;
  return [
    `#### ▶ Waiting for approval since ${minute(since)}`,
    `Evidence of round ${evidence.round}, gathered ${minute(evidence.gatheredAt)}. New token \`${newToken.masked}\`, authorisation ${newToken.authorisationId}, until ${newToken.expires}.`,
    [
      '**Tokens to revoke:**',
      ...toRevoke.map(
        (token) =>
          `· \`${token.masked}\`, authorisation ${token.authorisationId}, until ${token.expires}: ${token.standing === 'given-up' ? 'given up by its holders' : '**holder unknown**, name it in `revoke`'}`,
      ),
    ].join('\n'),
    ...consumers.map((consumer) => drawConsumer(consumer, newToken.masked)),
    ...(oddities.length > 0 ? [['**Odd:**', ...lines(oddities)].join('\n')] : []),
    [
      '**Not shown:**',
      ...shortfalls.map(({ code, what }) => `· \`${code}\`: ${text(what)}`),
      '· holders outside the namespace, and when a token was last used: neither can be seen from here',
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
    pods.length === 0
      ? '✗ no pod is running'
      : `✓ ${pods.length} running, ${pods.length === 1 ? 'holds' : 'all hold'} \`${masked}\`: ${text(pods.join(', '))}`,
    `${smoke === 'passed' ? '✓' : '✗'} smoke call: ${text(detail)}`,
  ].join('\n');
}
