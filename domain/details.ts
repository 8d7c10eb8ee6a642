import { isSeldom, MARKS, type Progress, type Waiting } from './checklist.ts';
import type { DecisionName, Retry } from './decisions.ts';
import type { Searched } from './cluster.ts';
import type { Evidence, TokenToRevoke } from './evidence.ts';
import { isFailure } from './failures.ts';
import { startFormLink } from './links.ts';
import { escapeMarkdown as text, table } from './markdown.ts';
import { approvalFor, classificationsFor, retriesFor, YOU } from './offers.ts';
import type { HandOver } from './report.ts';
import type { RotationRequest } from './request.ts';
import type { ListedToken } from './tokens.ts';

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
    waiting?.kind === 'classification' ? drawClassification(waiting) : undefined,
    progress.handOver ? drawHandOver(progress.handOver) : undefined,
    table(
      ['', 'Step', 'What happened'],
      progress.steps
        .filter(({ name, state }) => state !== 'to come' || !isSeldom(name))
        .map(({ name, state, note }) => [MARKS[state], name, text(note)]),
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
    ...retriesFor(blocked).map((retry) => toSend('retry', retry, purposeOf(retry))),
    toSend('abort', STOP),
  ].join('\n\n');
}

/** What a retry does beside going on; undefined for the plain one. */
function purposeOf({ restart, sync, accept }: Retry): string | undefined {
  if (restart) return 'To restart the Deployments named here and go on';
  if (sync) return 'To make another sync Job and go on';
  if (accept?.includes('already-handed-over')) return 'Where its holder has this very token';
  if (accept?.includes('issue-another')) return 'To issue another and hand that over';
  return undefined;
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
  return `${purpose ?? what[signal]}, send the signal \`${signal}\` with \`${JSON.stringify(input).replaceAll('`', '\\u0060')}\``;
}

function lines(texts: readonly string[]): string[] {
  return texts.map((one) => `· ${text(one)}`);
}

function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

function drawApproval({ evidence, since }: Extract<Waiting, { kind: 'approval' }>, runId: string): string {
  const { asks, newToken, recipient, toRevoke, consumers, oddities, warnings, searched, shortfalls } = evidence;
  return [
    `#### ▶ Waiting for approval since ${minute(since)}`,
    [
      `Evidence of round ${evidence.round}, gathered ${minute(evidence.gatheredAt)}.`,
      ...(newToken
        ? [`New token \`${newToken.masked}\`, authorisation ${newToken.authorisationId}, until ${newToken.expires}.`]
        : []),
      ...(recipient ? [`It goes to **${text(recipient.name)}**, outside the cluster.`] : []),
      ...(asks === 'revoke' && !newToken ? ['**Nobody is to have access any more.**'] : []),
    ].join(' '),
    ...(asks === 'revoke'
      ? [['**Tokens to revoke:**', ...toRevoke.map((token) => drawToken(token, standing(token)))].join('\n')]
      : ['**To approve:** a token is issued and handed over. Nothing is revoked yet.']),
    ...(warnings.length > 0 ? [['**Mind:**', ...lines(warnings)].join('\n')] : []),
    ...(searched ? [drawSearched(searched, consumers.length === 0)] : []),
    ...consumers.map((consumer) => drawConsumer(consumer, newToken?.masked ?? '')),
    ...(oddities.length > 0 ? [['**Odd:**', ...lines(oddities)].join('\n')] : []),
    [
      '**Not shown:**',
      ...shortfalls.map(({ code, what }) => `· \`${code}\`: ${text(what)}`),
      '· holders outside the namespace, copies under a variable of another name, and when a token was last used: none can be seen from here',
    ].join('\n'),
    toSend(
      'approve',
      approvalFor(evidence, runId),
      asks === 'hand-over' ? 'To issue a token and hand it over' : undefined,
    ),
    toSend('reject', { by: YOU, reason: 'why the old token must stay' }),
    toSend('abort', STOP),
  ].join('\n\n');
}

function standing({ standing: how }: TokenToRevoke): string {
  return how === 'given-up' ? 'given up by its holders' : '**holder unknown**, name it in `revoke`';
}

function drawToken({ masked, authorisationId, expires }: ListedToken, what: string): string {
  return `· \`${masked}\`, authorisation ${authorisationId}, until ${expires}${what ? `: ${what}` : ''}`;
}

function drawSearched({ asked, starting, unasked, copies }: Searched, nobody = true): string {
  const notAsked = starting.length + unasked.length;
  if (copies)
    return `**Asked too:** ${asked} running containers with a variable named …\\_BEARER\\_TOKEN from elsewhere than a pair’s Secret. Not asked: ${notAsked}.`;
  return [
    `**Searched:** ${asked} running containers that have a token of some pair were asked;`,
    nobody ? 'none holds one of this pair’s.' : 'those that hold one of this pair’s are shown below.',
    ...(notAsked > 0 ? [`Not asked: ${notAsked}.`] : []),
    'Containers that do not run now cannot be asked.',
  ].join(' ');
}

/** Who holds a token that nobody seems to read: what is known, and what may be said. */
function drawClassification({ findings, since }: Extract<Waiting, { kind: 'classification' }>): string {
  const { secret, domain, internal, lastSyncedAt, tokens, searched, recipient } = findings;
  return [
    `#### ▶ Who holds this token? Asked since ${minute(since)}`,
    `No workload reads the Secret \`${secret}\`.`,
    drawSearched(searched),
    ...(searched.starting.length + searched.unasked.length > 0
      ? [lines([...searched.starting.map((one) => `${one} has not started`), ...searched.unasked]).join('\n')]
      : []),
    [
      '**Known:**',
      `· the API user’s e-mail is of ${text(domain)}, ${internal ? 'one of Signon’s internal domains' : 'none of Signon’s internal domains'}`,
      `· last synced: ${lastSyncedAt === undefined ? 'Signon does not show it' : text(lastSyncedAt)}`,
      `· holder outside, by the settings: ${recipient === undefined ? 'none; to hand a token over, enter one with its age key, start the worker again, abort here and start anew' : text(recipient)}`,
      ...tokens.map((token) => drawToken(token, `generated ${token.generated}`)),
    ].join('\n'),
    ...classificationsFor(findings).map((classify) => toSend('classify', classify, CLASSES[classify.as])),
    toSend('abort', STOP),
  ].join('\n\n');
}

const CLASSES = {
  external: 'Where a holder outside the cluster uses it',
  disused: 'Where nobody uses it any more, to be asked whether to revoke it',
  internal: 'Where a container holds it, with the names as they are',
};

/** The way a sealed token goes to its holder. */
function drawHandOver({ recipient, masked, authorisationId, armoured }: HandOver): string {
  return [
    `**For ${text(recipient)}:** \`${masked}\`, authorisation ${authorisationId}, encrypted to the key of the settings. Send them this; the command \`signon-rotation handover\` prints it with what to tell them.`,
    // Not a block: the UI would not wrap it. A line that wraps is copied as one.
    armoured
      .trim()
      .split('\n')
      .map((line) => `\`${line}\``)
      .join('\n'),
  ].join('\n\n');
}

function drawConsumer(
  { container, workload, variable, pods, smoke, detail, seenAt }: Evidence['consumers'][number],
  masked: string,
): string {
  return [
    `${pods.length > 0 && smoke === 'passed' ? '✓' : '✗'} **${text(`${container} of ${workload}`)}** reads ${text(variable)}`,
    pods.length === 0
      ? '✗ no pod is running'
      : seenAt !== undefined
        ? `✓ held \`${masked}\` when it ran, ${minute(seenAt)}: ${text(pods.join(', '))}`
        : `✓ ${pods.length} running, ${pods.length === 1 ? 'holds' : 'all hold'} \`${masked}\`: ${text(pods.join(', '))}`,
    `${smoke === 'passed' ? '✓' : '✗'} smoke call: ${text(detail)}`,
  ].join('\n');
}
