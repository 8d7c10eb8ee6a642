import { MARKS, type Progress, type Waiting } from '../../domain/checklist.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { RotationReport } from '../../domain/report.ts';
import type { Status } from '../rotations.ts';

/** Text from outside, for a terminal: nothing in it moves the cursor, colours or turns text around. */
export function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, '�');
}

/** `✓ issue: issued: W1_Y1fNn…tHU9rYv0 (authorisation 163)`, a line for each step. */
export function stepLines({ steps }: Pick<Progress, 'steps'>): string[] {
  return steps.map(({ name, state, note }) => plain(`${MARKS[state]} ${name}${note ? `: ${note}` : ''}`));
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
    ...(waiting && !outcome ? ['', ...waitingLines(waiting, status.code)] : []),
  ];
}

function waitingLines(waiting: Waiting, code: string | undefined): string[] {
  if (waiting.kind === 'approval') return [...evidenceLines(waiting.evidence), `Evidence code: ${code ?? ''}`];
  return [
    plain(`Blocked in “${waiting.step}” since ${waiting.since}: ${waiting.failure}: ${waiting.message}`),
    ...(waiting.tried ? [plain(`Tried: ${waiting.tried}`)] : []),
    plain(`What to do: ${waiting.todo}`),
  ];
}

/** Everything an approver is to read. */
export function evidenceLines(evidence: Evidence): string[] {
  const { newToken, toRevoke, consumers, oddities, shortfalls } = evidence;
  return [
    `Evidence of round ${evidence.round}, gathered ${evidence.gatheredAt}`,
    `  new token   ${newToken.masked}, authorisation ${newToken.authorisationId}, until ${newToken.expires}`,
    ...toRevoke.map(
      ({ masked, authorisationId, expires, standing }) =>
        `  to revoke   ${masked}, authorisation ${authorisationId}, until ${expires}: ${standing === 'given-up' ? 'given up by its holders' : 'HOLDER UNKNOWN, revoked only if named'}`,
    ),
    ...consumers.flatMap(({ container, workload, variable, pods, smoke, detail }) => [
      plain(`  ${smoke === 'passed' && pods.length > 0 ? '✓' : '✗'} ${container} of ${workload} reads ${variable}`),
      plain(`      ${pods.length === 0 ? 'no pod is running' : `holds the new token in ${pods.join(', ')}`}`),
      plain(`      smoke call: ${detail}`),
    ]),
    ...oddities.map((oddity) => plain(`  odd         ${oddity}`)),
    ...shortfalls.map(({ code, what }) => plain(`  not shown   ${code}: ${what}`)),
    '  cannot be seen: holders outside the namespace, and when a token was last used',
  ];
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
    ...approvals.map(({ by, revoke }) => plain(`  approved   by ${by}, for ${revoke.join(', ')}`)),
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
