import type { Progress, Waiting } from './checklist.ts';
import { type DecisionName, type Evidence, evidenceCode, type Retry } from '../evidence/index.ts';
import { deploymentsOf, type Workload } from '../cluster/index.ts';

/** A step whose retries are spent. */
export type Blocked = Extract<Waiting, { kind: 'blocked' }>;

/** Who sends what is offered: to be filled in, so that nobody signs with a made-up name. */
const YOU = { by: '' };

/** A decision that may be sent now, and what it does. */
export interface Offer {
  /** What it does, e.g. `To approve the revoke`. */
  purpose: string;
  decision: DecisionName | 'pause' | 'resume';
  input: object;
}

/** An offer, whose input names who sends it. */
export function offer(purpose: string, decision: Offer['decision'], input: object = {}): Offer {
  return { purpose, decision, input: { ...YOU, ...input } };
}

/** The evidence code of what is shown now, if an approval is waited for. */
export function currentCode(progress: Progress, runId: string): string | undefined {
  return progress.waiting?.kind === 'approval'
    ? evidenceCode(runId, progress.waiting.evidence)
    : undefined;
}

/** The approval that covers all the evidence offers, for a person to send under their own name. */
export function approvalFor(evidence: Evidence, runId: string): object {
  const unknown = evidence.toRevoke.some(({ standing }) => standing === 'holder-unknown');
  const codes = evidence.shortfalls.map(({ code }) => code);
  const shortfalls = [...new Set(codes)].filter((code) => code !== 'smoke-failed');
  return {
    ...YOU,
    evidence: evidenceCode(runId, evidence),
    ...(unknown ? { revoke: evidence.toRevoke.map(({ authorisationId }) => authorisationId) } : {}),
    ...(shortfalls.length > 0 ? { accept: shortfalls } : {}),
  };
}

/** What decides which retries help. */
type Stuck = Pick<Blocked, 'failure' | 'step' | 'workloads' | 'mayRestart'>;

/** A retry that may be sent, what it does, and the blocked rotations that it helps. */
interface RetryOffer {
  purpose: string;
  retry: Retry;
  helps: (blocked: Stuck) => boolean;
}

/** What a person vouches for: the step does not go on without one of these. */
const VOUCHED: readonly RetryOffer[] = [
  {
    purpose: 'To continue although Signon does not list that token',
    retry: { ...YOU, accept: ['unlisted-token'] },
    helps: ({ failure }) => failure === 'UnlistedToken',
  },
  {
    purpose: 'If its holder has this very token',
    retry: { ...YOU, accept: ['already-handed-over'] },
    helps: ({ failure }) => failure === 'CannotHandOver',
  },
  {
    purpose: 'If its holder does not have it, to issue another',
    retry: { ...YOU, accept: ['issue-another'] },
    helps: ({ failure }) => failure === 'CannotHandOver',
  },
];
const RETRIES: readonly RetryOffer[] = [
  { purpose: 'To retry this step', retry: YOU, helps: () => true },
  {
    purpose: 'To restart the Deployments named in the message, then retry',
    retry: { ...YOU, restart: true },
    helps: (blocked) => restartable(blocked).length > 0,
  },
  {
    purpose: 'To make another sync Job and retry',
    retry: { ...YOU, sync: true },
    helps: ({ step, failure }) =>
      step === 'roll out' && (failure === 'RolloutIncomplete' || failure === 'SecretNotUpdated'),
  },
];

/** The Deployments that a retry may restart. */
export function restartable({
  workloads,
  mayRestart,
}: Pick<Stuck, 'workloads' | 'mayRestart'>): Workload[] {
  return mayRestart === false ? [] : deploymentsOf(workloads);
}

/**
 * The retries offered to a person, to send under their own name; the first is the plain one, where
 * it can help. What they ask beside going on is taken only where it is offered.
 */
export function retriesFor(blocked: Stuck): RetryOffer[] {
  const vouched = VOUCHED.filter(({ helps }) => helps(blocked));
  return vouched.length > 0 ? vouched : RETRIES.filter(({ helps }) => helps(blocked));
}

/** Why a blocked rotation does not accept a retry; undefined where it does. */
export function whyNoRetry(
  { restart, sync, accept = [] }: Retry,
  blocked: Blocked,
): string | undefined {
  const offered = retriesFor(blocked).map(({ retry }) => retry);
  const words = offered.flatMap((retry) => retry.accept ?? []);
  if (accept.some((one) => !words.includes(one)))
    return `accept: ${words.length > 0 ? `expected one of ${words.join(', ')}` : 'nothing is up for acceptance here'}`;
  if (accept.length > 1) return 'accept: name only one of them';
  if (restart && !offered.some((retry) => retry.restart)) return 'restart: it is not offered here';
  return sync && !offered.some((retry) => retry.sync)
    ? 'sync: another sync Job would not help here'
    : undefined;
}

/** What a retry asks for beside going on, for a person. */
export function beside(
  { sync, accept }: Retry,
  restarting: readonly Workload[] | undefined,
): string[] {
  return [
    ...(restarting ? [`restarting ${restarting.join(', ')}`] : []),
    ...(sync ? ['with another sync Job'] : []),
    ...(accept ? [`accepting ${accept.join(', ')}`] : []),
  ];
}

const ABORT = offer('To end the rotation here', 'abort', { reason: '' });

/** All that may be sent about what is waited for; the first is what helps. */
export function offersFor(waiting: Waiting | undefined, runId: string): Offer[] {
  if (waiting?.kind === 'approval') {
    const { evidence } = waiting;
    const isRevoke = evidence.asks === 'revoke';
    const isRefused = evidence.shortfalls.some(({ code }) => code === 'smoke-failed');
    const approve = offer(
      isRevoke ? 'To approve the revoke' : 'To approve the new token',
      'approve',
      approvalFor(evidence, runId),
    );
    const keeps = isRevoke ? 'keep the old token' : 'issue nothing';
    const reject = offer(`To refuse, ${keeps} and end`, 'reject', { reason: '' });
    const again = isRevoke ? [offer('To gather the evidence anew', 'retry')] : [];
    const others = [reject, ...again, ABORT];
    return isRefused ? others : [approve, ...others];
  }
  if (waiting?.kind === 'blocked') {
    const retries = retriesFor(waiting).map(({ purpose, retry }) => offer(purpose, 'retry', retry));
    return helpsToRetry(waiting) ? [...retries, ABORT] : [ABORT, ...retries];
  }
  if (waiting?.kind === 'classification') {
    const { recipient } = waiting.findings;
    const outside = { as: 'external', recipient };
    return [
      ...(recipient === undefined
        ? []
        : [offer('If a holder outside the cluster uses it', 'classify', outside)]),
      offer('If a container holds it (fill in the names)', 'classify', {
        as: 'internal',
        workload: 'Deployment/name',
        container: 'app',
        variable: 'NAME_BEARER_TOKEN',
      }),
      offer(
        'If its owner says that nobody uses it (you are asked again before the revoke)',
        'classify',
        { as: 'disused' },
      ),
      ABORT,
    ];
  }
  return [ABORT];
}

/** A request that names what does not exist is not helped by another try. */
function helpsToRetry({ failure }: Blocked): boolean {
  return failure !== 'UnknownApiUser' && failure !== 'UnknownApplication';
}
