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
import { command, type RotationRequest, word } from '../../domain/request/index.ts';
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
    ...retrying.map((line) => `  under way: ${line}`),
    ...notes.map((note) => `  note: ${note}`),
    ...(lastAnswer ? [`  last answer, ${minute(lastAnswer.at)}: ${lastAnswer.text}`] : []),
    ...(read
      ? ['', ...shownLines(read), ...codeLine(status.code), ...nextCommands(request, read.offers)]
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

/** What helps, as commands: the first offer, and others of its kind. */
function nextCommands(request: RotationRequest, offers: readonly Offer[]): string[] {
  const { apiUser, application, environment } = request;
  const those = offers.filter(({ decision }) => decision === offers[0]?.decision);
  const commands = those.map(({ purpose, decision, input }) => {
    const send = command(environment, decision, apiUser, application);
    return `${purpose}: ${send}${optionsOf(decision, input)}`;
  });
  return commands.length > 0 ? ['', ...commands] : [];
}

function optionsOf(decision: Offer['decision'], input: object): string {
  const { accept, revoke, restart, sync, as, ...named } = input as Partial<
    Decisions['approve'] & Decisions['retry'] & Record<string, string>
  >;
  const names = ['recipient', 'workload', 'container', 'variable'].filter((name) => named[name]);
  return [
    ...(as ? [` --as ${as}`] : []),
    ...names.map((name) => ` --${name} ${word(named[name]!)}`),
    ...(accept ?? []).map((code) => ` --accept ${code}`),
    ...(revoke ? [` --revoke ${revoke.join(',')}`] : []),
    ...(restart ? [' --restart'] : []),
    ...(sync ? [' --sync'] : []),
    ...(decision === 'reject' || decision === 'abort' ? [` --reason 'why'`] : []),
  ].join('');
}
