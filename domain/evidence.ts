import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  running,
  sameConsumer,
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
  type Searched,
} from './cluster.ts';
import { isNamedAfter } from './parameterize.ts';
import { heldTokens, holds } from './possession.ts';
import type { Recipient } from './settings.ts';
import { isLive, sameToken, type ListedToken } from './tokens.ts';

/** What the smoke calls showed in one consuming container of one ready pod. */
export interface SmokeResult extends Consumer {
  pod: string;
  verdict: 'passed' | 'failed' | 'no-proof' | 'not-tested';
  /** What was called and seen, e.g. `lookup_content_id returned; a made-up token was refused with 401`. */
  detail: string;
}

/** A consumer of which nothing ran, seen in a run of its own: a CronJob's. */
export interface Sighting {
  /** ISO, by the worker's clock. */
  at: string;
  container: ConsumingContainer;
  /** Absent where the run ended before its smoke call. */
  smoke?: SmokeResult;
}

/** What cannot be shown, and is accepted by name or not at all. */
export const SHORTFALLS = ['not-smoke-tested', 'no-pod-seen', 'consumer-confirmed', 'not-asked'] as const;
export type Shortfall = (typeof SHORTFALLS)[number];

export interface TokenToRevoke extends ListedToken {
  /** Given up: a container was seen holding it in this rotation and no longer does. */
  standing: 'given-up' | 'holder-unknown';
}

/** What an approver is shown, and what the code they quote stands for. */
export interface Evidence {
  /** What an approval allows: to end tokens, or to issue one and hand it over to somebody outside. */
  asks: 'revoke' | 'hand-over';
  round: number;
  /** ISO, by the workflow's clock. */
  gatheredAt: string;
  /** Absent where none is issued yet, and where the pair is to have none. */
  newToken?: ListedToken;
  /** Who the new token goes to outside the cluster. */
  recipient?: Pick<Recipient, 'name' | 'key'>;
  toRevoke: TokenToRevoke[];
  consumers: (Consumer & {
    pods: string[];
    smoke: SmokeResult['verdict'];
    detail: string;
    /** ISO: it does not run now, and was seen then. */
    seenAt?: string;
  })[];
  /** Variables that are not named after the application whose token they hold: a name that misleads whoever looks by hand. */
  oddities: string[];
  /** What will or may happen after an approval. */
  warnings: string[];
  /** A search through all containers, where it is part of the evidence. */
  searched?: Searched;
  /** `smoke-failed` is never up for acceptance. */
  shortfalls: { code: Shortfall | 'smoke-failed'; what: string }[];
}

/** Evidence that a new token has taken an old one's place. */
export type Proof = Evidence & { newToken: ListedToken };

/** Puts together what was seen. Only live tokens other than the new one can be revoked. */
export function gatherEvidence(seen: {
  round: number;
  /** The server application's name. */
  application: string;
  now: number;
  look: ClusterLook;
  tokens: readonly ListedToken[];
  newToken: ListedToken;
  recipient?: Recipient;
  everHeld: readonly ListedToken[];
  smoke: readonly SmokeResult[];
  sightings?: readonly Sighting[];
}): Proof {
  const consumers = seen.look.consumers.map((consumer) => {
    const pods = running(seen.look)
      .filter((container) => sameConsumer(container, consumer) && holds(container, seen.newToken))
      .map(({ pod }) => pod);
    const last = pods.length > 0 ? undefined : lastSighting(seen.sightings, consumer);
    const sighted = last && holds(last.container, seen.newToken) ? last : undefined;
    const smoke = sighted ? sighted.smoke : seen.smoke.find((result) => sameConsumer(result, consumer));
    return {
      ...consumer,
      pods: sighted ? [sighted.container.pod] : pods,
      ...(sighted && { seenAt: sighted.at }),
      smoke: smoke?.verdict ?? ('not-tested' as const),
      detail: smoke?.detail ?? (sighted ? 'its run ended before the call' : 'no ready pod to call from'),
    };
  });
  const { recipient, sightings = [] } = seen;
  const everHeld = [
    ...seen.everHeld,
    ...sightings.flatMap(({ container }) => heldTokens({ containers: [container] }, seen.tokens)),
  ];
  /** Whoever holds a token now, or held it when last seen. */
  const lastHolders = (token: ListedToken): ConsumingContainer[] =>
    [...running(seen.look), ...sightings.map(({ container }) => lastSighting(sightings, container)!.container)].filter(
      (container) => holds(container, token),
    );
  return {
    asks: 'revoke',
    round: seen.round,
    gatheredAt: new Date(seen.now).toISOString(),
    newToken: seen.newToken,
    ...(recipient && { recipient: { name: recipient.name, key: recipient.key } }),
    toRevoke: othersAlive(seen.tokens, seen.newToken, seen.now).map((token) => ({
      ...token,
      standing:
        everHeld.some((held) => sameToken(held, token)) && lastHolders(token).length === 0
          ? 'given-up'
          : 'holder-unknown',
    })),
    consumers,
    oddities: consumers
      .filter(({ variable }) => !isNamedAfter(variable, seen.application))
      .map(
        ({ container, workload, variable }) =>
          `${container} of ${workload} has this token, which is for ${seen.application}, in ${variable}`,
      ),
    warnings: [],
    ...(seen.look.searched && { searched: seen.look.searched }),
    shortfalls: [
      ...notAsked(seen.look),
      ...(recipient
        ? [
            {
              code: 'consumer-confirmed' as const,
              what: `${recipient.name} uses the new token: nobody can see that from here, so ask them`,
            },
          ]
        : []),
      ...consumers.flatMap((consumer): Evidence['shortfalls'] => {
        const name = `${consumer.container} of ${consumer.workload}`;
        const held = lastSighting(sightings, consumer);
        const otherwise = held ? `; when it last ran, ${held.at}, it held another token than the new one` : '';
        if (consumer.pods.length === 0)
          return [{ code: 'no-pod-seen', what: `${name}: no pod is running${otherwise}` }];
        if (consumer.smoke === 'passed') return [];
        if (consumer.smoke === 'failed') return [{ code: 'smoke-failed', what: `${name}: ${consumer.detail}` }];
        return [{ code: 'not-smoke-tested', what: `${name}: ${consumer.detail}` }];
      }),
    ],
  };
}

/** What is shown before a token is issued for somebody outside: nothing of the pair is to end yet. */
export function gatherHandOver(seen: {
  round: number;
  now: number;
  recipient: Recipient;
  look: ClusterLook;
}): Evidence {
  const { round, now, recipient, look } = seen;
  return {
    asks: 'hand-over',
    round,
    gatheredAt: new Date(now).toISOString(),
    recipient: { name: recipient.name, key: recipient.key },
    toRevoke: [],
    consumers: [],
    oddities: [],
    warnings: [
      `a token is issued and leaves this system encrypted to the key ${recipient.key}: whoever has the private key to it has access`,
    ],
    ...(look.searched && { searched: look.searched }),
    shortfalls: [],
  };
}

/** What is shown before a pair that nobody uses loses its access. */
export function gatherDisused(seen: {
  round: number;
  now: number;
  tokens: readonly ListedToken[];
  look: ClusterLook;
  /** The holder outside that the settings name, though a person says that nobody holds it. */
  recipient?: Recipient;
  warnings: string[];
}): Evidence {
  const { round, now, tokens, look, recipient, warnings } = seen;
  return {
    asks: 'revoke',
    round,
    gatheredAt: new Date(now).toISOString(),
    toRevoke: tokens.filter((token) => isLive(token, now)).map((token) => ({ ...token, standing: 'holder-unknown' })),
    consumers: [],
    oddities: [],
    warnings,
    ...(look.searched && { searched: look.searched }),
    shortfalls: [
      ...notAsked(look),
      ...(recipient
        ? [
            {
              code: 'consumer-confirmed' as const,
              what: `the settings name ${recipient.name} as a holder outside: only they can say that they use it no more, so ask them`,
            },
          ]
        : []),
    ],
  };
}

function notAsked({ searched }: ClusterLook): Evidence['shortfalls'] {
  const starting = (searched?.starting ?? []).map((container) => `${container} has not started`);
  return [...starting, ...(searched?.unasked ?? [])].map((what) => ({ code: 'not-asked', what }));
}

function lastSighting(sightings: readonly Sighting[] | undefined, consumer: Consumer): Sighting | undefined {
  return sightings?.findLast(({ container }) => sameConsumer(container, consumer));
}

/** Live tokens of the pair but the new one. */
export function othersAlive(tokens: readonly ListedToken[], newToken: ListedToken, now: number): ListedToken[] {
  return tokens.filter((token) => token.authorisationId !== newToken.authorisationId && isLive(token, now));
}

/**
 * The code an approval quotes: 8 hex characters. Computed each time it is shown or judged, from the run it is shown in;
 * so an approval meant for another run or another round counts for nothing.
 */
export function evidenceCode(
  runId: string,
  evidence: Pick<Evidence, 'asks' | 'round' | 'newToken' | 'recipient' | 'toRevoke'>,
): string {
  const parts = [
    runId,
    evidence.asks,
    String(evidence.round),
    ...evidence.toRevoke.map(({ authorisationId, masked }) => `${authorisationId}:${masked}`).toSorted(),
    evidence.newToken?.maskedSha256 ?? '',
    evidence.recipient?.key ?? '',
  ];
  return bytesToHex(sha256(utf8ToBytes(parts.join('\n')))).slice(0, 8);
}
