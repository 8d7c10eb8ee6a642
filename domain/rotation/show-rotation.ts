import { censusSentence } from '../evidence/index.ts';
import { minute } from '../text/index.ts';
import { describeToken, type ListedToken } from '../tokens/index.ts';
import type { Progress } from './checklist.ts';
import { isFailure } from './failures.ts';
import type { Findings } from './holders.ts';
import { type Blocked, offersFor } from './offers.ts';
import type { RotationReport } from './report.ts';
import { showEvidence } from './show-evidence.ts';
import type { Line, Shown } from './shown.ts';

/**
 * Characters of a message that are read before the JSON, so that it stays on the first screen; all
 * of the message stands below.
 */
const LONGEST_FIRST_LINE = 120;
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

/** Who has approved, where one person is not enough. */
function approvalsSoFar(needed: number | undefined, approvedBy: readonly string[] = []): Line[] {
  if (needed === undefined) return [];
  const missing = needed - approvedBy.length;
  const by = approvedBy.length > 0 ? `by ${approvedBy.join(', ')}; ` : '';
  return [
    { label: 'Approved', text: `${approvedBy.length} of ${needed}: ${by}${missing} missing` },
  ];
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
