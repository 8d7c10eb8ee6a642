import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type ms from 'ms';
import type { Census, Consumer, ConsumingContainer, SeenHolding } from '../cluster/index.ts';
import type { Recipient } from '../settings/index.ts';
import { isLive, type ListedToken } from '../tokens/index.ts';

/** What the smoke calls showed in one consuming container of one ready pod. */
export interface SmokeResult extends Consumer {
  pod: string;
  verdict: 'passed' | 'failed' | 'no-proof' | 'not-tested';
  /**
   * What was called and seen, e.g. `lookup_content_id returned; a made-up token was refused with
   * 401`.
   */
  detail: string;
}

/** A later run of a consumer that did not run at the look, e.g. of a CronJob. */
export interface Sighting {
  /** ISO, by the worker's clock. */
  at: string;
  container: ConsumingContainer;
  /** Absent where the run ended before its smoke call. */
  smoke?: SmokeResult;
}

/** What cannot be shown, and is accepted by name or not at all. */
export const SHORTFALLS = [
  'not-smoke-tested',
  'no-pod-seen',
  'consumer-confirmed',
  'not-asked',
  'not-watched-long-enough',
] as const;
export type Shortfall = (typeof SHORTFALLS)[number];

export interface TokenToRevoke extends ListedToken {
  /** Given up: a container was seen holding it in this rotation and no longer does. */
  standing: 'given-up' | 'holder-unknown';
  /** Containers that were seen holding it, some of them. */
  heldBy: string[];
}

/** Holders of one token, or pods of one consumer, named in evidence. */
export const HOLDERS_NAMED = 20;

/** What an approver is shown, and what the code they quote stands for. */
export interface Evidence {
  /**
   * What an approval allows: to end tokens, or to issue one and hand it over to somebody outside.
   */
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
    /** Pods that hold the new token, named up to twenty. */
    pods: string[];
    /** How many there are. */
    running: number;
    /** Pods of it that cannot be asked which token they hold, named up to twenty. */
    mute?: string[];
    smoke: SmokeResult['verdict'];
    detail: string;
    /** ISO: it does not run now, and was seen then. */
    seenAt?: string;
  })[];
  /**
   * Variables that are not named after the application whose token they hold: a name that misleads
   * whoever looks by hand.
   */
  oddities: string[];
  /** What will or may happen after an approval. */
  warnings: string[];
  census: EvidenceCensus;
  /**
   * For how long every pod of the namespace was watched, where nobody is to have access any more.
   */
  watched?: Watched;
  /** `smoke-failed` is never up for acceptance. */
  shortfalls: { code: Shortfall | 'smoke-failed'; what: string }[];
}

/** Of the census, what an approval rests on. */
export type EvidenceCensus = Pick<Census, 'asked' | 'starting' | 'unasked' | 'lastRuns'>;

/** Evidence that a new token has taken an old one's place. */
export type Proof = Evidence & { newToken: ListedToken };

/**
 * A watch over every pod of the namespace: whether one reads the pair's Secret, however short it
 * lives.
 */
export interface Watched {
  /** ISO; absent where nobody watches. */
  since?: string;
  /** How long is long enough. */
  wanted: ms.StringValue;
  /** Why nobody watches. */
  why?: string;
}

/** Which containers held the tokens that are given up now. */
export function givenUpIn({ toRevoke }: Evidence): SeenHolding[] {
  const givenUp = toRevoke.filter(({ standing }) => standing === 'given-up');
  return givenUp.flatMap(({ masked, heldBy }) => heldBy.map((by) => ({ token: masked, by })));
}

/** What no census shows. */
export const CANNOT_BE_SEEN =
  'holders outside the namespace; tokens in files, images or arguments; tokens fetched at run time; encoded or split tokens, or tokens inside longer words; changes to a Secret or ConfigMap since its last reader started; when a token was last used';

export function censusSentence({ asked, starting, unasked }: EvidenceCensus): string {
  return `${asked} running containers of the namespace said what they hold; ${starting.length + unasked.length} could not be asked`;
}

/** Live tokens of the pair but the new one. */
export function othersAlive(
  tokens: readonly ListedToken[],
  newToken: ListedToken,
  now: number,
): ListedToken[] {
  return tokens.filter(
    (token) => token.authorisationId !== newToken.authorisationId && isLive(token, now),
  );
}

/**
 * The code an approval quotes: 8 hex characters. Computed each time it is shown or judged, from the
 * run it is shown in; so an approval meant for another run or another round counts for nothing.
 */
export function evidenceCode(
  runId: string,
  evidence: Pick<Evidence, 'asks' | 'round' | 'newToken' | 'recipient' | 'toRevoke'>,
): string {
  const parts = [
    runId,
    evidence.asks,
    String(evidence.round),
    ...evidence.toRevoke
      .map(({ authorisationId, masked }) => `${authorisationId}:${masked}`)
      .toSorted(),
    evidence.newToken?.maskedSha256 ?? '',
    evidence.recipient?.key ?? '',
  ];
  return bytesToHex(sha256(utf8ToBytes(parts.join('\n')))).slice(0, 8);
}
