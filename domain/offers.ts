import type { Progress, Waiting } from './checklist.ts';
import type { Classify, Retry, RetryAccept } from './decisions.ts';
import { evidenceCode, type Evidence } from './evidence.ts';
import type { Findings } from './holders.ts';

type Blocked = Extract<Waiting, { kind: 'blocked' }>;

/** Stands for whoever sends what is offered. */
export const YOU = 'you@example.org';

/** The evidence code of what is shown now, if an approval is waited for. */
export function currentCode(progress: Progress, runId: string): string | undefined {
  return progress.waiting?.kind === 'approval' ? evidenceCode(runId, progress.waiting.evidence) : undefined;
}

/** The approval that covers all the evidence offers, for a person to send under their own name. */
export function approvalFor(evidence: Evidence, runId: string): object {
  const unknown = evidence.toRevoke.some(({ standing }) => standing === 'holder-unknown');
  const codes = evidence.shortfalls.map(({ code }) => code);
  const shortfalls = [...new Set(codes)].filter((code) => code !== 'smoke-failed');
  return {
    by: YOU,
    evidence: evidenceCode(runId, evidence),
    ...(unknown ? { revoke: evidence.toRevoke.map(({ authorisationId }) => authorisationId) } : {}),
    ...(shortfalls.length > 0 ? { accept: shortfalls } : {}),
  };
}

/** What a retry can do about a failure beside going on. */
export interface Remedies {
  restart: boolean;
  sync: boolean;
  /** What a person may vouch for; the step does not go on without one of them. */
  accept: RetryAccept[];
}

const ACCEPTS: Partial<Record<string, RetryAccept[]>> = {
  UnlistedToken: ['unlisted-token'],
  CannotHandOver: ['already-handed-over', 'issue-another'],
};

/** What is on offer for a blocked rotation, and nothing else is taken: restarts where Deployments stand in the way, another sync before the rollout. */
export function remediesFor({ failure, step, workloads }: Pick<Blocked, 'failure' | 'step' | 'workloads'>): Remedies {
  return {
    restart: (workloads ?? []).some((workload) => workload.startsWith('Deployment/')),
    sync: step === 'roll out' && (failure === 'RolloutIncomplete' || failure === 'SecretNotUpdated'),
    accept: ACCEPTS[failure] ?? [],
  };
}

/** The retries that fit a failure, for a person to send under their own name; the first is the plain one, where it can help. */
export function retriesFor(blocked: Pick<Blocked, 'failure' | 'step' | 'workloads'>): [Retry, ...Retry[]] {
  const { restart, sync, accept } = remediesFor(blocked);
  const [first, ...more] = accept.map((one): Retry => ({ by: YOU, accept: [one] }));
  if (first) return [first, ...more];
  return [{ by: YOU }, ...(restart ? [{ by: YOU, restart: true }] : []), ...(sync ? [{ by: YOU, sync: true }] : [])];
}

/** The classifications that may be true, for a person to send under their own name. The last is to be filled in. */
export function classificationsFor({ recipient }: Findings): Classify[] {
  return [
    ...(recipient === undefined ? [] : [{ by: YOU, as: 'external' as const, recipient }]),
    { by: YOU, as: 'disused' },
    { by: YOU, as: 'internal', workload: 'Deployment/name', container: 'app', variable: 'NAME_BEARER_TOKEN' },
  ];
}
