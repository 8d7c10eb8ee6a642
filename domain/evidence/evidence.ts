import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  type Census,
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
  describeContainer,
  holds,
  running,
  sameConsumer,
  seenHeld,
  type SeenHolding,
  type Workload,
} from '../cluster/index.ts';
import ms from 'ms';
import { isNamedAfter, minute } from '../text/index.ts';
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

/** A consumer of which nothing ran, seen in a run of its own: a CronJob's. */
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
  /** What asking every running container of the namespace came to. */
  census: EvidenceCensus;
  /**
   * For how long every pod of the namespace was watched, where nobody is to have access any more.
   */
  watched?: Watched;
  /** `smoke-failed` is never up for acceptance. */
  shortfalls: { code: Shortfall | 'smoke-failed'; what: string }[];
}

/** Of the census, what an approval rests on. */
export type EvidenceCensus = Pick<Census, 'asked' | 'starting' | 'unasked'>;

/** Pods of one consumer named in evidence. */
const PODS_NAMED = 20;

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
  everHeld: readonly SeenHolding[];
  /** Workloads that were there when the rotation began. */
  known: readonly Workload[];
  smoke: readonly SmokeResult[];
  sightings?: readonly Sighting[];
}): Proof {
  const consumers = seen.look.consumers.map((consumer) => {
    const pods = running(seen.look)
      .filter((container) => sameConsumer(container, consumer) && holds(container, seen.newToken))
      .map(({ pod }) => pod);
    const last = pods.length > 0 ? undefined : lastSighting(seen.sightings, consumer);
    const sighted = last && holds(last.container, seen.newToken) ? last : undefined;
    const smoke = sighted
      ? sighted.smoke
      : seen.smoke.find((result) => sameConsumer(result, consumer));
    return {
      ...consumer,
      pods: sighted ? [sighted.container.pod] : pods.slice(0, PODS_NAMED),
      running: sighted ? 1 : pods.length,
      seenAt: sighted?.at,
      smoke: smoke?.verdict ?? ('not-tested' as const),
      detail:
        smoke?.detail ?? (sighted ? 'its run ended before the call' : 'no ready pod to call from'),
    };
  });
  const { recipient, sightings = [] } = seen;
  const everHeld = seenHeld(
    seen.everHeld,
    sightings.map(({ container }) => container),
    seen.known,
  );
  /** Whoever holds a token now, or held it when last seen. */
  const lastHolders = (token: ListedToken): ConsumingContainer[] =>
    [
      ...running(seen.look),
      ...sightings.map(({ container }) => lastSighting(sightings, container)!.container),
    ].filter((container) => holds(container, token));
  return {
    asks: 'revoke',
    round: seen.round,
    gatheredAt: new Date(seen.now).toISOString(),
    newToken: seen.newToken,
    recipient: recipient && { name: recipient.name, key: recipient.key },
    toRevoke: othersAlive(seen.tokens, seen.newToken, seen.now).map((token) => ({
      ...token,
      ...standingOf(token, everHeld, lastHolders(token)),
    })),
    consumers,
    oddities: consumers
      .filter(({ variable }) => !isNamedAfter(variable, seen.application))
      .map(
        ({ container, workload, variable }) =>
          `${container} of ${workload} has this token, which is for ${seen.application}, in ${variable}`,
      ),
    warnings: [],
    census: censusShown(seen.look),
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
        const otherwise = held
          ? `; when it last ran, ${held.at}, it held another token than the new one`
          : '';
        if (consumer.pods.length === 0)
          return [{ code: 'no-pod-seen', what: `${name}: no pod is running${otherwise}` }];
        if (consumer.smoke === 'passed') return [];
        if (consumer.smoke === 'failed')
          return [{ code: 'smoke-failed', what: `${name}: ${consumer.detail}` }];
        return [{ code: 'not-smoke-tested', what: `${name}: ${consumer.detail}` }];
      }),
    ],
  };
}

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

/** What a watch came to, so far. @param since ISO */
export function watchSentence(since: string): string {
  return `every pod of the namespace since ${minute(since)}; none read the Secret`;
}

/**
 * A watch that is shorter than it is to be: what reads the Secret for seconds a week may not have
 * been seen.
 */
function notWatched({ since, wanted, why }: Watched, now: number): Evidence['shortfalls'] {
  if (ms(wanted) === 0) return [];
  const code = 'not-watched-long-enough';
  if (since === undefined)
    return [{ code, what: `pods that come and go are not watched: ${why ?? ''}` }];
  const lasted = now - Date.parse(since);
  if (lasted >= ms(wanted)) return [];
  const soFar = `so far every pod of the namespace was watched for ${ms(Math.max(0, lasted), { long: true })} of ${wanted}`;
  return [{ code, what: `${soFar}, and none read the Secret` }];
}

/**
 * What is shown before a token is issued for somebody outside: nothing of the pair is to end yet.
 */
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
    census: censusShown(look),
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
  watched: Watched;
}): Evidence {
  const { round, now, tokens, look, recipient, warnings, watched } = seen;
  return {
    asks: 'revoke',
    round,
    gatheredAt: new Date(now).toISOString(),
    toRevoke: tokens
      .filter((token) => isLive(token, now))
      .map((token) => ({ ...token, standing: 'holder-unknown', heldBy: [] })),
    consumers: [],
    oddities: [],
    warnings,
    census: censusShown(look),
    watched,
    shortfalls: [
      ...notAsked(look),
      ...notWatched(watched, now),
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

function standingOf(
  { masked }: ListedToken,
  everHeld: readonly SeenHolding[],
  lastHolders: readonly ConsumingContainer[],
): Pick<TokenToRevoke, 'standing' | 'heldBy'> {
  const heldBy = everHeld.filter(({ token }) => token === masked).map(({ by }) => by);
  if (lastHolders.length > 0)
    return {
      standing: 'holder-unknown',
      heldBy: [...new Set(lastHolders.map(describeContainer))].slice(0, PODS_NAMED),
    };
  return { standing: heldBy.length > 0 ? 'given-up' : 'holder-unknown', heldBy };
}

/** Which containers held the tokens that are given up now. */
export function givenUpIn({ toRevoke }: Evidence): SeenHolding[] {
  const givenUp = toRevoke.filter(({ standing }) => standing === 'given-up');
  return givenUp.flatMap(({ masked, heldBy }) => heldBy.map((by) => ({ token: masked, by })));
}

/** What no census shows. */
export const CANNOT_BE_SEEN =
  'holders outside the namespace; tokens in files, images or arguments, or fetched at run time; when a token was last used';

/** How many containers were asked, and how many were not. */
export function censusSentence({ asked, starting, unasked }: EvidenceCensus): string {
  return `${asked} running containers of the namespace said what they hold; ${starting.length + unasked.length} could not be asked`;
}

/** The pods of a consumer, for a sentence. */
export function podNames({
  pods,
  running: all,
}: Pick<Evidence['consumers'][number], 'pods' | 'running'>): string {
  return pods.join(', ') + (all > pods.length ? ` and ${all - pods.length} more` : '');
}

/** What of a census people are shown. */
export function censusShown({ census: { asked, starting, unasked } }: ClusterLook): EvidenceCensus {
  return { asked, starting, unasked };
}

function notAsked({ census: { starting, unasked } }: ClusterLook): Evidence['shortfalls'] {
  const notStarted = starting.map((container) => `${container} has not started`);
  return [...notStarted, ...unasked].map((what) => ({ code: 'not-asked', what }));
}

function lastSighting(
  sightings: readonly Sighting[] | undefined,
  consumer: Consumer,
): Sighting | undefined {
  return sightings?.findLast(({ container }) => sameConsumer(container, consumer));
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
