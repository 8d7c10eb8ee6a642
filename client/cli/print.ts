import { isSeldom, MARKS, type Progress, type Waiting } from '../../domain/checklist.ts';
import type { Searched } from '../../domain/cluster.ts';
import { word } from '../../domain/deployment.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { Findings } from '../../domain/holders.ts';
import type { RotationRequest } from '../../domain/request.ts';
import { plain } from '../../domain/plain-text.ts';
import type { HandOver, RotationReport } from '../../domain/report.ts';
import type { Status } from '../rotations.ts';

/** `✓ issue: issued: W1_Y1fNn…tHU9rYv0 (authorisation 163)`, a line for each step. */
export function stepLines({ steps }: Pick<Progress, 'steps'>): string[] {
  return steps
    .filter(({ name, state }) => state !== 'to come' || !isSeldom(name))
    .map(({ name, state, note }) => plain(`${MARKS[state]} ${name}${note ? `: ${note}` : ''}`));
}

/** Where a rotation stands, and what to do next. */
export function statusLines(status: Status): string[] {
  const { request, waiting, retrying, lastAnswer, notes, outcome } = status;
  return [
    plain(`${request.apiUser} → ${request.application} (${request.environment}), asked for by ${request.requestedBy}`),
    ...stepLines(status).map((line) => `  ${line}`),
    ...retrying.map((line) => plain(`  tried again by itself: ${line}`)),
    ...notes.map((note) => plain(`  note: ${note}`)),
    ...(lastAnswer ? [plain(`  last answer: ${lastAnswer}`)] : []),
    ...(waiting && !outcome ? ['', ...waitingLines(waiting, status.code), ...nextCommand(request, waiting)] : []),
  ];
}

function waitingLines(waiting: Waiting, code: string | undefined): string[] {
  if (waiting.kind === 'classification') return findingsLines(waiting.findings);
  if (waiting.kind === 'approval') return [...evidenceLines(waiting.evidence), `Evidence code: ${code ?? ''}`];
  return [
    plain(`Blocked in “${waiting.step}” since ${waiting.since}: ${waiting.failure}: ${waiting.message}`),
    ...(waiting.tried ? [plain(`Tried: ${waiting.tried}`)] : []),
    plain(`What to do: ${waiting.todo}`),
  ];
}

/** What is typed next; where a person must first find something out, nothing is offered. */
function nextCommand({ apiUser, application, environment }: RotationRequest, waiting: Waiting): string[] {
  if (waiting.kind === 'classification') return [];
  const pair = `${word(apiUser)} ${word(application)} --environment ${environment}`;
  if (waiting.kind === 'blocked') return [plain(`Once that is done: signon-rotation retry ${pair}`)];
  const { shortfalls, toRevoke } = waiting.evidence;
  if (shortfalls.some(({ code }) => code === 'smoke-failed')) return [];
  const unknown = toRevoke.filter(({ standing }) => standing !== 'given-up');
  const options = [
    ...new Set(shortfalls.map(({ code }) => ` --accept ${code}`)),
    ...(unknown.length > 0 ? [` --revoke ${toRevoke.map(({ authorisationId }) => authorisationId).join(',')}`] : []),
  ];
  return [plain(`To approve all of it: signon-rotation approve ${pair}${options.join('')}`)];
}

/** Everything an approver is to read. */
export function evidenceLines(evidence: Evidence): string[] {
  const { asks, newToken, recipient, toRevoke, consumers, oddities, warnings, searched, shortfalls } = evidence;
  return [
    `Evidence of round ${evidence.round}, gathered ${evidence.gatheredAt}`,
    asks === 'hand-over'
      ? '  to approve  a token is issued and handed over; nothing is revoked yet'
      : newToken
        ? `  new token   ${newToken.masked}, authorisation ${newToken.authorisationId}, until ${newToken.expires}`
        : '  new token   NONE: nobody is to have access any more',
    ...(recipient
      ? [plain(`  goes to     ${recipient.name}, outside the cluster, encrypted to ${recipient.key}`)]
      : []),
    ...toRevoke.map(
      ({ masked, authorisationId, expires, standing }) =>
        `  to revoke   ${masked}, authorisation ${authorisationId}, until ${expires}: ${standing === 'given-up' ? 'given up by its holders' : 'HOLDER UNKNOWN, revoked only if named'}`,
    ),
    ...consumers.flatMap(({ container, workload, variable, pods, smoke, detail, seenAt }) => [
      plain(`  ${smoke === 'passed' && pods.length > 0 ? '✓' : '✗'} ${container} of ${workload} reads ${variable}`),
      plain(
        `      ${pods.length === 0 ? 'no pod is running' : `${seenAt === undefined ? 'holds the new token' : `held the new token at ${seenAt},`} in ${pods.join(', ')}`}`,
      ),
      plain(`      smoke call: ${detail}`),
    ]),
    ...(searched ? [searchedLine(searched)] : []),
    ...warnings.map((warning) => plain(`  mind        ${warning}`)),
    ...oddities.map((oddity) => plain(`  odd         ${oddity}`)),
    ...shortfalls.map(({ code, what }) => plain(`  not shown   ${code}: ${what}`)),
    '  cannot be seen: holders outside the namespace, copies under a variable of another name, and when a token was last used',
  ];
}

/** What is known of a token that nobody seems to read. */
function findingsLines(findings: Findings): string[] {
  const { secret, domain, internal, lastSyncedAt, recipient, tokens, searched } = findings;
  return [
    plain(`Who holds this token? No workload reads the Secret ${secret}.`),
    searchedLine(searched),
    ...searched.starting.map((line) => plain(`  not asked   ${line} has not started`)),
    ...searched.unasked.map((line) => plain(`  not asked   ${line}`)),
    plain(`  e-mail      of ${domain}, ${internal ? 'one' : 'none'} of Signon’s internal domains`),
    plain(`  last synced ${lastSyncedAt ?? 'not shown by Signon'}`),
    plain(`  outside     ${recipient ?? 'the settings name no holder outside'}`),
    ...tokens.map(
      ({ masked, authorisationId, generated, expires }) =>
        `  token       ${masked}, authorisation ${authorisationId}, generated ${generated}, until ${expires}`,
    ),
    'Say so with: signon-rotation classify … --as external|disused|internal',
  ];
}

function searchedLine({ asked, starting, unasked, copies }: Searched): string {
  const notAsked = starting.length + unasked.length;
  if (copies)
    return `  asked too   ${asked} running containers with a token from elsewhere than a pair’s Secret; not asked: ${notAsked}`;
  return `  searched    ${asked} running containers with a token of some pair; not asked: ${notAsked}, nor what does not run now`;
}

/** A token on its way to a holder outside: the armoured text, and what to tell them. */
export function handOverLines(
  { recipient, masked, authorisationId, armoured }: HandOver,
  { apiUser, application, environment }: Pick<RotationReport, 'apiUser' | 'application' | 'environment'>,
  oldEnds: string | undefined,
): { armoured: string[]; tell: string[] } {
  return {
    armoured: armoured.trim().split('\n').map(plain),
    tell: [
      plain(
        `For ${recipient}: the new token of ${apiUser} for ${application}, ${environment} (${masked}, authorisation ${authorisationId}).`,
      ),
      'Send them the text between BEGIN and END, by mail or chat: only their key opens it. Tell them:',
      '  1. Save it as token.age, and decrypt it where the token belongs: age --decrypt --identity KEY-FILE token.age',
      plain(
        `  2. Use it as the bearer token for ${application} from now on. The old one works until it is revoked${oldEnds ? `, at the latest until ${oldEnds}` : ''}.`,
      ),
      '  3. Say when every caller uses it. Only then is the old one revoked.',
      'When they have said so: signon-rotation approve … --accept consumer-confirmed --revoke IDS',
    ],
  };
}

/** How a rotation ended. */
export function reportLines(report: RotationReport): string[] {
  const { outcome, why, newToken, revoked, approvals, syncJobs } = report;
  return [
    plain(`Outcome: ${outcome}. ${why}`),
    ...(newToken
      ? [`  new token  ${newToken.masked}, authorisation ${newToken.authorisationId}, until ${newToken.expires}`]
      : []),
    ...revoked.map(({ masked, authorisationId }) => `  revoked    ${masked}, authorisation ${authorisationId}`),
    ...approvals.map(({ asks, by, revoke }) =>
      plain(`  approved   by ${by}, ${asks === 'hand-over' ? 'to hand a token over' : `for ${revoke.join(', ')}`}`),
    ),
    plain(`  sync Jobs  ${syncJobs.join(', ') || 'none'}`),
  ];
}

/** Columns as wide as their widest cell. */
export function columns(head: string[], rows: string[][]): string[] {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => plain(row[at] ?? '').length)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, at) => plain(cell).padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
