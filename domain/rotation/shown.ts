import type { Progress } from './checklist.ts';
import {
  CANNOT_BE_SEEN,
  censusSentence,
  type Evidence,
  podNames,
  type TokenToRevoke,
  watchSentence,
} from '../evidence/index.ts';
import type { Findings } from './holders.ts';
import { isFailure } from './failures.ts';
import { type Blocked, offersFor, type Offer } from './offers.ts';
import type { RotationReport } from './report.ts';
import { minute } from '../text/index.ts';
import { describeToken, type ListedToken } from '../tokens/index.ts';

/** One line for a person. Text may come from outside: whoever draws it escapes it. */
export interface Line {
  label?: string;
  text: string;
  /** A page of the documentation that says more, e.g. `failures.md#unreachable`. */
  page?: string;
}

export interface ShownTable {
  head: string[];
  rows: string[][];
}

/**
 * What a person reads about a rotation, in the order in which they read it: heading, `before`, the
 * first offer, `after`, evidence, then the other offers and details. The Temporal UI draws it as
 * Markdown, the CLI as text.
 */
export interface Shown {
  heading: string;
  /** Read before the first offer. */
  before: Line[];
  /** What to do before the first offer is sent, one sentence or two. */
  lead?: string;
  /** What may be sent; the first is the one that helps. */
  offers: Offer[];
  /** Read after the first offer: what speaks against it, and how long there is time. */
  after: Line[];
  table?: ShownTable;
  details: Line[];
}

/**
 * Characters of a message that are read before the JSON, so that it stays on the first screen; all
 * of the message stands below.
 */
const LONGEST_FIRST_LINE = 120;
/** Things that speak against an approval, named at the top; all of them stand below. */
const NAMED_FIRST = 2;

/** What a person reads about a rotation now; undefined while nobody is needed. */
export function shown(progress: Progress, runId: string): Shown | undefined {
  const { waiting, ended } = progress;
  if (ended) return showEnd(ended);
  if (!waiting) return undefined;
  const offers = offersFor(waiting, runId);
  if (waiting.kind === 'blocked') return { ...showBlocked(waiting), offers };
  if (waiting.kind === 'approval') {
    const { evidence, needed, approvedBy } = waiting;
    const read = showEvidence(evidence, progress.request.environment);
    const { requestedBy, reason } = progress.request;
    const requested = {
      label: 'Requested by',
      text: reason ? `${requestedBy}: ${reason}` : requestedBy,
    };
    return {
      ...read,
      before: approvalsSoFar(needed, approvedBy),
      offers,
      details: [requested, ...read.details],
    };
  }
  return { ...showFindings(waiting.findings), offers };
}

function showBlocked(blocked: Blocked): Omit<Shown, 'offers'> {
  const { step, since, failure, message, tokens, todo, tried, tries } = blocked;
  const heading = isFailure(failure) ? failure : 'Unexpected';
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  const first = cut(lines.join(' · '), LONGEST_FIRST_LINE);
  return {
    heading: `✗ Blocked in ${step}: ${failure}`,
    before: [{ text: first }, { label: 'Tokens', text: tokens }],
    lead: todo,
    after: [
      { label: 'More about it', text: heading, page: `failures.md#${heading.toLowerCase()}` },
      { label: 'Blocked since', text: minute(since) },
      ...(tried
        ? [
            {
              label: 'Tried',
              text: `${tried}${tries > 1 ? `; this step was started ${tries} times` : ''}`,
            },
          ]
        : []),
      ...(first === lines.join('\n')
        ? []
        : lines.map((text, at) => (at === 0 ? { label: 'Message', text } : { text: `│ ${text}` }))),
    ],
    details: [],
  };
}

/** Evidence, as an approver reads it. */
export function showEvidence(evidence: Evidence, environment: string): Omit<Shown, 'offers'> {
  const { asks, newToken, recipient, toRevoke, consumers, oddities, warnings, census, watched } =
    evidence;
  const [first] = toRevoke.map(({ expires }) => expires).toSorted();
  return {
    heading: `▶ ${questionOf(evidence, environment)}`,
    before: [],
    after: [
      ...againstIt(evidence),
      ...(first
        ? [
            {
              label: 'Time left',
              text: `until ${first}, when the ${toRevoke.length > 1 ? 'first ' : ''}token expires`,
            },
          ]
        : []),
      ...toRevoke.map((token) => ({ label: 'Revokes', text: describeToRevoke(token) })),
      ...(asks === 'revoke' && !newToken
        ? [{ label: 'Afterwards', text: 'nobody has access' }]
        : []),
      ...(recipient ? [{ label: 'Goes to', text: `${recipient.name}, outside the cluster` }] : []),
    ],
    ...(consumers.length > 0 && { table: consumerTable(consumers) }),
    details: [
      ...(newToken
        ? [{ label: 'New token', text: `${describeToken(newToken)}, expires ${newToken.expires}` }]
        : []),
      ...(asks === 'hand-over'
        ? [{ label: 'Now', text: 'no token is issued yet, and none is revoked' }]
        : []),
      { label: 'Gathered', text: `${minute(evidence.gatheredAt)}, round ${evidence.round}` },
      { label: 'Asked', text: censusSentence(census) },
      ...(watched?.since ? [{ label: 'Watched', text: watchSentence(watched.since) }] : []),
      ...consumers.map(describeEvidenceOf),
      ...toRevoke
        .filter(({ heldBy }) => heldBy.length > 0)
        .map(({ masked, heldBy }) => ({
          label: `Held ${masked} when seen`,
          text: heldBy.join(', '),
        })),
      ...evidence.shortfalls.map(({ code, what }) => ({
        label: 'Not proven',
        text: `${code}: ${what}`,
      })),
      ...warnings.map((text) => ({ label: 'Warning', text })),
      ...oddities.map((text) => ({ label: 'Unexpected', text })),
      { label: 'Not visible', text: CANNOT_BE_SEEN },
    ],
  };
}

/** Who has approved, where one person is not enough. */
function approvalsSoFar(needed: number | undefined, approvedBy: readonly string[] = []): Line[] {
  if (needed === undefined) return [];
  const missing = needed - approvedBy.length;
  const by = approvedBy.length > 0 ? `by ${approvedBy.join(', ')}; ` : '';
  return [
    { label: 'Approved', text: `${approvedBy.length} of ${needed}: ${by}${missing} missing` },
  ];
}

/** What an approval is asked for, one question. */
export function questionOf(
  { asks, newToken, toRevoke, recipient }: Evidence,
  environment: string,
): string {
  if (asks === 'hand-over')
    return `Approve: issue a token for ${recipient?.name ?? ''} in ${environment}?`;
  const { length } = toRevoke;
  const count = newToken
    ? `${length} token${length === 1 ? '' : 's'}`
    : length === 1
      ? 'the last token'
      : `the last ${length} tokens`;
  return `Approve: revoke ${count} in ${environment}?`;
}

/** What speaks against an approval; one line that says so where nothing does. */
function againstIt({ shortfalls, warnings, consumers, newToken, toRevoke }: Evidence): Line[] {
  const unknown = newToken ? toRevoke.filter(({ standing }) => standing === 'holder-unknown') : [];
  const all = [
    ...unknown.map(({ masked }) => ({
      label: 'Not proven',
      text: `nobody knows who holds ${masked}; the JSON names it`,
    })),
    ...shortfalls.map(({ code, what }) => ({ label: 'Not proven', text: `${code}: ${what}` })),
    ...warnings.map((text) => ({ label: 'Warning', text })),
  ];
  if (all.length === 0 && newToken && consumers.length > 0) {
    const ended = consumers.filter(({ seenAt }) => seenAt !== undefined).length;
    const held = `${consumers.length - ended} of ${consumers.length} consumers hold the new token`;
    return [
      { label: 'Proven', text: ended > 0 ? `${held}; ${ended} held it when last run` : held },
    ];
  }
  const more = all.length - NAMED_FIRST;
  return [
    ...all.slice(0, NAMED_FIRST),
    ...(more > 0 ? [{ text: `and ${more} more, listed below` }] : []),
  ];
}

function consumerTable(consumers: Evidence['consumers']): ShownTable {
  const smokes = {
    passed: '✓ passed',
    failed: '✗ failed',
    'no-proof': '✗ no proof',
    'not-tested': '✗ not called',
  };
  return {
    head: ['Consumer', 'New token', 'Smoke call'],
    rows: consumers.map(({ container, workload, running, seenAt, smoke }) => [
      `${container} of ${workload}`,
      seenAt
        ? '✓ last run held it'
        : running > 0
          ? `✓ ${running} pod${running === 1 ? '' : 's'}`
          : '✗ no pod',
      smokes[smoke],
    ]),
  };
}

function describeEvidenceOf(consumer: Evidence['consumers'][number]): Line {
  const { container, workload, variable, seenAt, pods, detail } = consumer;
  const where =
    pods.length === 0
      ? 'no pod'
      : `${podNames(consumer)}${seenAt ? `, which ran until after ${minute(seenAt)}` : ''}`;
  return {
    label: `${container} of ${workload}`,
    text: `${variable} in ${where}. Smoke call: ${detail}`,
  };
}

function describeToRevoke(token: TokenToRevoke): string {
  const known =
    token.standing === 'given-up'
      ? 'given up by its holders'
      : 'HOLDER UNKNOWN, revoked only if named';
  return `${describeToken(token)}, expires ${token.expires}, ${known}`;
}

function showFindings({
  secret,
  domain,
  internal,
  lastSyncedAt,
  tokens,
  census,
  recipient,
}: Findings): Omit<Shown, 'offers'> {
  return {
    heading: '▶ Who holds this token?',
    before: [
      {
        text: `No workload reads the Secret ${secret}, and no container that was asked holds a token of the pair.`,
      },
    ],
    after: [
      {
        label: 'API user',
        text: `its e-mail is of ${domain}, ${internal ? 'an internal domain of Signon' : 'not an internal domain of Signon'}`,
      },
      {
        label: 'Holder outside, by the settings',
        text:
          recipient ??
          'none. To hand a token over, add one with its age key, restart the worker, abort here and start again',
      },
    ],
    details: [
      { label: 'Asked', text: censusSentence(census) },
      ...[...census.starting.map((one) => `${one} has not started`), ...census.unasked].map(
        (text) => ({
          label: 'Not asked',
          text,
        }),
      ),
      { label: 'Last synced', text: lastSyncedAt ?? 'Signon does not show it' },
      ...tokens.map((token) => ({
        label: 'Token',
        text: `${describeToken(token)}, generated ${token.generated}, expires ${token.expires}`,
      })),
    ],
  };
}

/** How a rotation ended. */
export function showEnd(report: RotationReport): Shown {
  const { outcome, why, newToken, revoked, alive, approvals, joined, syncJobs } = report;
  const token = (one: ListedToken): string => `${describeToken(one)}, expires ${one.expires}`;
  return {
    heading: `Outcome: ${outcome}`,
    before: [
      { text: why },
      ...revoked.map((one) => ({ label: 'Revoked', text: describeToken(one) })),
      ...(newToken ? [{ label: 'New token', text: token(newToken) }] : []),
      ...alive
        .filter(({ authorisationId }) => authorisationId !== newToken?.authorisationId)
        .map((one) => ({ label: 'Live when last listed', text: token(one) })),
      ...approvals.map(({ asks, by, authenticated, revoke, accept, at }) => ({
        label: 'Approved',
        text: [
          `by ${by}${authenticated === false ? ' (not authenticated)' : ''}, ${minute(at)}, ${asks === 'hand-over' ? 'to hand a token over' : `to revoke ${revoke.join(', ')}`}`,
          ...(accept && accept.length > 0 ? [`accepting ${accept.join(', ')}`] : []),
        ].join(', '),
      })),
    ],
    offers: [],
    after: [],
    details: [
      ...(syncJobs.length > 0 ? [{ label: 'Sync Jobs', text: syncJobs.join(', ') }] : []),
      ...joined.map((text) => ({
        label: 'Joined',
        text: `${text}: started after the evidence, and held the new token`,
      })),
    ],
  };
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
