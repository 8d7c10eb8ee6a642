import {
  isSeldom,
  type Line,
  MARKS,
  type Offer,
  type Progress,
  type RotationReport,
  shown,
  type Shown,
  showEnd,
  showEvidence,
} from '../../domain/rotation/index.ts';
import { command, type RotationRequest } from '../../domain/request/index.ts';
import type { Decisions, Evidence } from '../../domain/evidence/index.ts';
import { minute } from '../../domain/text/index.ts';
import type { Status } from '../rotations.ts';
import type { Printed } from './columns.ts';

/** `✓ issue: issued: W1_Y1fNn…tHU9rYv0 (authorisation 163)`, a line for each step. */
export function stepLines({ steps }: Pick<Progress, 'steps'>): string[] {
  return steps
    .filter(({ name, state }) => state !== 'to come' || !isSeldom(name))
    .map(({ name, state, note }) => `${MARKS[state]} ${name}${note ? `: ${note}` : ''}`);
}

/** Where a rotation stands, and the next command. */
export function statusLines(status: Status, runId: string): Printed[] {
  const { request, retrying, lastAnswer, notes } = status;
  const read = shown(status, runId);
  return [
    `${request.apiUser} → ${request.application} (${request.environment}), requested by ${request.requestedBy}`,
    ...stepLines(status).map((line) => `  ${line}`),
    ...retrying.map((line) => `  retrying: ${line}`),
    ...notes.map((note) => `  note: ${note}`),
    ...(lastAnswer ? [`  last answer, ${minute(lastAnswer.at)}: ${lastAnswer.text}`] : []),
    ...(read
      ? ['', ...shownLines(read), ...codeLine(status.code), ...nextCommand(request, read.offers)]
      : []),
  ];
}

export function evidenceLines(evidence: Evidence, environment: string): Printed[] {
  return shownLines({ ...showEvidence(evidence, environment), offers: [] });
}

export function reportLines(report: RotationReport): Printed[] {
  return shownLines(showEnd(report));
}

/** The code that stands for the evidence, as `approve --evidence` takes it. */
export function codeLine(code: string | undefined): string[] {
  return code === undefined ? [] : [`  Evidence code: ${code}`];
}

function shownLines({ heading, before, lead, after, table, details }: Shown): Printed[] {
  const line = ({ label, text, page }: Line): string =>
    `  ${label === undefined ? '' : `${label}: `}${text}${page === undefined ? '' : ` (docs/${page})`}`;
  return [
    heading,
    ...before.map(line),
    ...(lead === undefined ? [] : [line({ label: 'Do this', text: lead })]),
    ...after.map(line),
    ...(table ? ['', { ...table, indent: 2 }, ''] : []),
    ...details.map(line),
  ];
}

/** The first offer as a command; none where a person must first find something out. */
function nextCommand(request: RotationRequest, [first]: readonly Offer[]): string[] {
  if (!first) return [];
  const { apiUser, application, environment } = request;
  const send = command(environment, first.decision, apiUser, application);
  if (first.decision === 'classify')
    return ['', `When you know who holds it: ${send} --as CLASS (external, disused or internal)`];
  const { accept, revoke, restart, sync } = first.input as Partial<
    Decisions['approve'] & Decisions['retry']
  >;
  const options = [
    ...(accept ?? []).map((code) => ` --accept ${code}`),
    ...(revoke ? [` --revoke ${revoke.join(',')}`] : []),
    ...(restart ? [' --restart'] : []),
    ...(sync ? [' --sync'] : []),
    ...(first.decision === 'reject' || first.decision === 'abort' ? [` --reason '…'`] : []),
  ];
  return ['', `${first.purpose}: ${send}${options.join('')}`];
}
