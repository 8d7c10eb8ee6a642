import { escapeMarkdown as text, minute, paragraphs, table } from '../text/index.ts';
import { command } from '../request/index.ts';
import { drawOffer, offer } from '../rotation/index.ts';
import { countByState, RANK, type RowState, type SweepReport, type SweepRow } from './sweep.ts';
import { isOfApiUser } from './api-user-request.ts';
import type { SweepRequest } from './sweep-request.ts';

/**
 * Where a sweep stands: the `status` query's answer, and what the current details are drawn from.
 */
export interface SweepProgress {
  request: SweepRequest;
  rows: SweepRow[];
  /** What is being done, one sentence. */
  doing: string;
  pausedBy?: string;
  /** What it waits for a person with. */
  blocked?: { failure: string; message: string; todo: string; since: string };
  outcome?: SweepReport['outcome'];
  lastAnswer?: string;
}

/** What a sweep is started with for the UI. */
export function introduceSweep(request: SweepRequest) {
  const { environment, requestedBy, plan } = request;
  const summary = `${plan ? 'Plan for expiring' : 'Expiring'} tokens of ${environment}`;
  const [what, why] = isOfApiUser(request)
    ? [text(`Leak: tokens of ${request.apiUser}, ${environment}`), `: ${text(request.reason)}`]
    : [summary, ''];
  return {
    staticSummary: what,
    staticDetails: `Requested by ${text(requestedBy)}${why}.\n\nThis page shows every pair and where it stands. It needs a running worker. Press R to refresh it.`,
  };
}

/**
 * More rows than these are counted, and only those that people can do something about are named.
 */
const NAMED_AT_MOST = 100;
const MARKS: Partial<Record<RowState, string>> = {
  blocked: '✗',
  'waiting-classification': '▶',
  'waiting-approval': '▶',
  revoking: '…',
  preparing: '…',
  'to come': '·',
  'open before': '–',
  'left alone': '–',
};

/** A sweep's table as Markdown for the Temporal UI, with what may be sent. */
export function drawSweep(progress: SweepProgress): string {
  const { request, rows, doing, pausedBy, blocked, outcome, lastAnswer } = progress;
  const isOpen = !outcome && !request.plan;
  const approveAll = command(request.environment, 'approve', '--waiting');
  return paragraphs(
    `### ${headingOf(progress)}`,
    blocked &&
      [
        text(blocked.message),
        `**Do this:** ${text(blocked.todo)}`,
        `**Blocked since:** ${minute(blocked.since)}. Open rotations continue.`,
      ].join('\n'),
    blocked && drawOffer(offer('To retry', 'retry')),
    pausedBy && drawOffer(offer('To continue', 'resume')),
    lastAnswer && !outcome && `**Last answer:** ${text(lastAnswer)}`,
    isOfApiUser(request) &&
      !outcome &&
      `**The leaked tokens work until somebody approves their revoke**, rotation by rotation: \`${approveAll}\`.`,
    text(doing),
    countByState(rows)
      .map(({ state, count }) => `**${state}:** ${count}`)
      .join(' · '),
    drawRows(rows),
    rows.some(({ state }) => state === 'waiting-approval') &&
      `To approve all that can be approved: \`${approveAll}\``,
    isOpen && !pausedBy && drawOffer(offer('To start no further wave', 'pause')),
    isOpen &&
      drawOffer(offer('To end the sweep (open rotations continue)', 'abort', { reason: '' })),
  );
}

function headingOf({ request, outcome, blocked, pausedBy }: SweepProgress): string {
  const { environment, plan } = request;
  const all = isOfApiUser(request)
    ? `All tokens of ${text(request.apiUser)}`
    : 'All expiring tokens';
  const what = plan ? 'What a sweep would do' : all;
  if (outcome) return `Outcome: ${outcome}. ${what} (${environment})`;
  if (blocked) return `✗ Blocked: ${text(blocked.failure)}`;
  if (pausedBy) return `▶ Paused by ${text(pausedBy)}: no wave starts`;
  return `${what} (${environment})`;
}

/** A table for each stage and what is done in it, since the UI's column is narrow. */
function drawRows(rows: readonly SweepRow[]): string {
  const quiet = ['left alone', 'to come'];
  const all =
    rows.length <= NAMED_AT_MOST ? rows : rows.filter(({ state }) => !quiet.includes(state));
  const named = all
    .toSorted((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state))
    .slice(0, NAMED_AT_MOST);
  if (named.length === 0) return '';
  const groups = new Map<string, SweepRow[]>();
  for (const row of named) {
    const heading = `${MARKS[row.state] ?? '✓'} ${row.state}**: ${text(row.what)}`;
    groups.set(heading, [...(groups.get(heading) ?? []), row]);
  }
  const more = rows.length - named.length;
  return paragraphs(
    ...[...groups].flatMap(([heading, members]) => [`**${heading}`, drawGroup(members)]),
    more > 0 && `and ${more} more: \`WorkflowType = "rotateToken"\` lists every rotation`,
  );
}

function drawGroup(rows: readonly SweepRow[]): string {
  return table(
    ['Ends', 'Pair'],
    rows.map(({ apiUser, application, ends }) => [
      ends?.replaceAll('-', UNBROKEN) ?? '',
      text(`${apiUser} → ${application}`),
    ]),
  );
}

/** A hyphen at which no line is broken. */
const UNBROKEN = '\u2011';
