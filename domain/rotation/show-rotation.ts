import { deploymentsOf, type Workload } from '../cluster/index.ts';
import { censusSentence } from '../evidence/index.ts';
import { needsSecondPerson, word } from '../request/index.ts';
import { minute } from '../text/index.ts';
import { describeToken, describeWithEnd } from '../tokens/index.ts';
import type { Progress } from './checklist.ts';
import { isFailure } from './failures.ts';
import type { Findings } from './holders.ts';
import { type Blocked, offersFor } from './offers.ts';
import type { RotationReport } from './report.ts';
import { showEvidence } from './show-evidence.ts';
import { type Line, lines, type Shown } from './shown.ts';

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
    const requested = lines('Requested by', reason ? `${requestedBy}: ${reason}` : requestedBy);
    return {
      ...read,
      before: approvalsSoFar(needed, approvedBy),
      offers,
      after: [...mustBeAnother(progress.request), ...read.after],
      details: [...requested, ...read.details],
    };
  }
  return { ...showFindings(waiting.findings), offers };
}

function showBlocked(blocked: Blocked): Omit<Shown, 'offers'> {
  const { step, since, failure, message, tokens, todo, tried, tries, workloads } = blocked;
  const heading = isFailure(failure) ? failure : 'Unexpected';
  const said = message.split('\n').filter((line) => line.trim() !== '');
  const first = cut(said.join(' · '), LONGEST_FIRST_LINE);
  const started = tries > 1 ? `; runs of this step so far: ${tries}` : '';
  return {
    heading: `✗ Blocked in ${step}: ${failure}`,
    before: [{ text: first }, ...lines('Tokens when last listed', tokens)],
    lead: todo,
    after: [
      { label: 'More about it', text: heading, page: `failures.md#${heading.toLowerCase()}` },
      ...lines(
        'Restart, in the consumers’ namespace, where needed',
        ...(blocked.mayRestart === false ? deploymentsOf(workloads).map(restartByHand) : []),
      ),
      ...lines('Blocked since', minute(since)),
      ...lines('Tried', tried && tried + started),
      ...(first === said.join('\n')
        ? []
        : said.map((text, at) => (at === 0 ? { label: 'Message', text } : { text: `│ ${text}` }))),
    ],
    details: [],
  };
}

/** Who may not approve, where a second person must; the address is no person's after an alert. */
function mustBeAnother({ environment, requestedBy }: Progress['request']): Line[] {
  const isPerson = requestedBy.includes('@') && needsSecondPerson(environment);
  return lines(
    'Who may approve',
    isPerson && `in ${environment}, not ${requestedBy}, who requested it`,
  );
}

/** The command for somebody who may restart what the worker may not. */
export function restartByHand(deployment: Workload): string {
  return `kubectl rollout restart ${word(deployment.replace('Deployment/', 'deployment/'))}`;
}

/** Who has approved, where one person is not enough. */
function approvalsSoFar(needed: number | undefined, approvedBy: readonly string[] = []): Line[] {
  if (needed === undefined) return [];
  const missing = needed - approvedBy.length;
  const by = approvedBy.length > 0 ? `by ${approvedBy.join(', ')}; ` : '';
  return lines('Approved', `${approvedBy.length} of ${needed}: ${by}${missing} missing`);
}

function showFindings(findings: Findings): Omit<Shown, 'offers'> {
  const { secret, domain, internal, tokens, census, recipient } = findings;
  const [ends] = tokens.map(({ expires }) => expires).toSorted();
  return {
    heading: '▶ Who holds this token?',
    before: [
      {
        text: `No workload reads the Secret ${secret}, and no container that was asked holds a token of the pair.`,
      },
    ],
    lead: 'Ask the team that owns the API user first. This rotation has issued no token.',
    after: [
      ...lines(
        'Time left',
        ends && `until ${ends}. Then whoever holds the first token loses access`,
      ),
      {
        label: 'More about it',
        text: 'who may hold it, and what you can send',
        page: 'holders.md',
      },
      ...lines(
        'API user',
        `${domain} is ${internal ? 'a' : 'not a'} domain whose tokens Signon renews`,
      ),
      ...lines(
        'Holder outside the cluster (settings)',
        recipient ??
          'none. To hand a token over, add one with its age key, restart the worker, abort here and start again',
      ),
    ],
    details: [
      ...lines('Asked', censusSentence(census)),
      ...lines(
        'Not asked',
        ...census.starting.map((one) => `${one} has not started`),
        ...census.unasked,
      ),
      ...lines(
        'Token',
        ...tokens.map((one) => `${describeWithEnd(one)}, generated ${one.generated}`),
      ),
    ],
  };
}

export function showEnd(report: RotationReport): Shown {
  const { outcome, why, newToken, revoked, alive, approvals, syncJobs } = report;
  return {
    heading: `Outcome: ${outcome}`,
    before: [
      { text: why },
      ...lines('Revoked', ...revoked.map(describeToken)),
      ...lines('New token', newToken && describeWithEnd(newToken)),
      ...lines(
        'Live when last listed',
        ...alive
          .filter(({ authorisationId }) => authorisationId !== newToken?.authorisationId)
          .map(describeWithEnd),
      ),
      ...lines('Approved', ...approvals.map(describeApproval)),
    ],
    offers: [],
    after: [],
    details: lines('Sync Jobs', syncJobs.join(', ')),
  };
}

function describeApproval(approval: RotationReport['approvals'][number]): string {
  const { asks, by, authenticated, revoke, accept = [], at } = approval;
  const who = authenticated === false ? `${by} (not authenticated)` : by;
  const what = asks === 'hand-over' ? 'to hand a token over' : `to revoke ${revoke.join(', ')}`;
  const accepting = accept.length > 0 ? `, accepting ${accept.join(', ')}` : '';
  return `by ${who}, ${minute(at)}, ${what}${accepting}`;
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
