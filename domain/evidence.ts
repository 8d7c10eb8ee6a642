import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { running, sameConsumer, type ClusterLook, type Consumer } from './cluster.ts';
import { isNamedAfter } from './parameterize.ts';
import { heldTokens, holds } from './possession.ts';
import { isLive, sameToken, type ListedToken } from './tokens.ts';

/** What the smoke calls showed in one consuming container of one ready pod. */
export interface SmokeResult extends Consumer {
  pod: string;
  verdict: 'passed' | 'failed' | 'no-proof' | 'not-tested';
  /** What was called and seen, e.g. `lookup_content_id returned; a made-up token was refused with 401`. */
  detail: string;
}

/** What cannot be shown, and is accepted by name or not at all. */
export type Shortfall = 'not-smoke-tested' | 'no-pod-seen';

export interface TokenToRevoke extends ListedToken {
  /** Given up: a container was seen holding it in this rotation and no longer does. */
  standing: 'given-up' | 'holder-unknown';
}

/** What an approver is shown, and what the code they quote stands for. */
export interface Evidence {
  round: number;
  /** ISO, by the workflow's clock. */
  gatheredAt: string;
  newToken: ListedToken;
  toRevoke: TokenToRevoke[];
  consumers: (Consumer & { pods: string[]; smoke: SmokeResult['verdict']; detail: string })[];
  /** Variables that are not named after the application whose token they hold: a name that misleads whoever looks by hand. */
  oddities: string[];
  /** `smoke-failed` is never up for acceptance. */
  shortfalls: { code: Shortfall | 'smoke-failed'; what: string }[];
}

/** Puts together what was seen. Only live tokens other than the new one can be revoked. */
export function gatherEvidence(seen: {
  round: number;
  /** The server application's name. */
  application: string;
  now: number;
  look: ClusterLook;
  tokens: readonly ListedToken[];
  newToken: ListedToken;
  everHeld: readonly ListedToken[];
  smoke: readonly SmokeResult[];
}): Evidence {
  const consumers = seen.look.consumers.map((consumer) => {
    const pods = running(seen.look)
      .filter((container) => sameConsumer(container, consumer) && holds(container, seen.newToken))
      .map(({ pod }) => pod);
    const smoke = seen.smoke.find((result) => sameConsumer(result, consumer));
    return {
      ...consumer,
      pods,
      smoke: smoke?.verdict ?? ('not-tested' as const),
      detail: smoke?.detail ?? 'no ready pod to call from',
    };
  });
  return {
    round: seen.round,
    gatheredAt: new Date(seen.now).toISOString(),
    newToken: seen.newToken,
    toRevoke: othersAlive(seen.tokens, seen.newToken, seen.now).map((token) => ({
      ...token,
      standing:
        seen.everHeld.some((held) => sameToken(held, token)) && heldTokens(seen.look, [token]).length === 0
          ? 'given-up'
          : 'holder-unknown',
    })),
    consumers,
    oddities: consumers
      .filter(({ variable }) => !isNamedAfter(variable, seen.application))
      .map(
        ({ container, workload, variable }) =>
          `${container} of ${workload} reads this Secret, which is for ${seen.application}, through ${variable}`,
      ),
    shortfalls: consumers.flatMap((consumer): Evidence['shortfalls'] => {
      const name = `${consumer.container} of ${consumer.workload}`;
      if (consumer.pods.length === 0) return [{ code: 'no-pod-seen', what: `${name}: no pod is running` }];
      if (consumer.smoke === 'passed') return [];
      if (consumer.smoke === 'failed') return [{ code: 'smoke-failed', what: `${name}: ${consumer.detail}` }];
      return [{ code: 'not-smoke-tested', what: `${name}: ${consumer.detail}` }];
    }),
  };
}

/** Live tokens of the pair but the new one. */
export function othersAlive(tokens: readonly ListedToken[], newToken: ListedToken, now: number): ListedToken[] {
  return tokens.filter((token) => token.authorisationId !== newToken.authorisationId && isLive(token, now));
}

/**
 * The code an approval quotes: 8 hex characters. Computed each time it is shown or judged, from the run it is shown in;
 * so an approval meant for another run or another round counts for nothing.
 */
export function evidenceCode(runId: string, evidence: Pick<Evidence, 'round' | 'newToken' | 'toRevoke'>): string {
  const parts = [
    runId,
    String(evidence.round),
    ...evidence.toRevoke.map(({ authorisationId, masked }) => `${authorisationId}:${masked}`).toSorted(),
    evidence.newToken.maskedSha256,
  ];
  return bytesToHex(sha256(utf8ToBytes(parts.join('\n')))).slice(0, 8);
}
