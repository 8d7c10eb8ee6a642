import type { Progress } from './checklist.ts';
import { evidenceCode, type Evidence } from './evidence.ts';

/** Stands for whoever sends what is offered. */
export const YOU = 'you@example.org';

/** The evidence code of what is shown now, if an approval is waited for. */
export function currentCode(progress: Progress, runId: string): string | undefined {
  return progress.waiting?.kind === 'approval' ? evidenceCode(runId, progress.waiting.evidence) : undefined;
}

/** The approval that covers all the evidence offers, for a person to send under their own name. */
export function approvalFor(evidence: Evidence, runId: string): object {
  const unknown = evidence.toRevoke.some(({ standing }) => standing === 'holder-unknown');
  const shortfalls = [...new Set(evidence.shortfalls.map(({ code }) => code))];
  return {
    by: YOU,
    evidence: evidenceCode(runId, evidence),
    ...(unknown ? { revoke: evidence.toRevoke.map(({ authorisationId }) => authorisationId) } : {}),
    ...(shortfalls.length > 0 ? { accept: shortfalls } : {}),
  };
}

/** The retry that fits a failure, for a person to send under their own name. */
export function retryFor(failure: string): object {
  return failure === 'UnlistedToken' ? { by: YOU, accept: ['unlisted-token'] } : { by: YOU };
}
