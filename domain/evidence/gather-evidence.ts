import ms from 'ms';
import {
  type ClusterLook,
  type Consumer,
  describeContainer,
  describeIdle,
  holds,
  running,
  runsOf,
  sameConsumer,
  seenHeld,
  type SeenHolding,
  type Workload,
} from '../cluster/index.ts';
import type { Recipient } from '../settings/index.ts';
import { isNamedAfter, minute } from '../text/index.ts';
import { isLive, type ListedToken } from '../tokens/index.ts';
import {
  type Evidence,
  type EvidenceCensus,
  HOLDERS_NAMED,
  othersAlive,
  type Proof,
  type Sighting,
  type SmokeResult,
  type TokenToRevoke,
  type Watched,
} from './evidence.ts';

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
    const pods = runsOf(seen.look, consumer)
      .filter((container) => holds(container, seen.newToken))
      .map(({ pod }) => pod);
    const last = pods.length > 0 ? undefined : lastSighting(seen.sightings, consumer);
    const sighted = last && holds(last.container, seen.newToken) ? last : undefined;
    const smoke = sighted
      ? sighted.smoke
      : seen.smoke.find((result) => sameConsumer(result, consumer));
    const mute = seen.look.mute
      ?.filter((container) => sameConsumer(container, consumer))
      .map(({ pod }) => pod);
    return {
      ...consumer,
      ...(mute && mute.length > 0 && { mute: mute.slice(0, HOLDERS_NAMED) }),
      pods: sighted ? [sighted.container.pod] : pods.slice(0, HOLDERS_NAMED),
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
  const lastSeen = sightings
    .map(({ container }) => lastSighting(sightings, container)!.container)
    .filter((last) => runsOf(seen.look, last).length === 0);
  /** Whoever holds a token now, held it when last seen, or will hold it when it runs. */
  const lastHolders = ({ masked }: ListedToken): string[] => [
    ...(seen.look.idleHolders ?? []).filter(({ token }) => token === masked).map(describeIdle),
    ...[...running(seen.look), ...lastSeen]
      .filter(({ token }) => token === masked)
      .map(describeContainer),
  ];
  return {
    ...evidenceOfNothing(seen),
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
    shortfalls: [
      ...notAsked(seen.look),
      ...shortfall(
        'consumer-confirmed',
        recipient &&
          `${recipient.name} uses the new token: nobody can see that from here, so ask them`,
      ),
      ...shortfall(
        'no-pod-seen',
        consumers.length === 0 &&
          !recipient &&
          'no container that has the token is left: nothing shows what the next will hold',
      ),
      ...consumers.flatMap((consumer): Evidence['shortfalls'] => {
        const name = `${consumer.container} of ${consumer.workload}`;
        const held = lastSighting(sightings, consumer);
        const next = seen.look.idleHolders?.find(
          (one) => sameConsumer(one, consumer) && !holds(one, seen.newToken),
        );
        const otherwise = held
          ? `; its last run, ${minute(held.at)}, held another token than the new one`
          : next
            ? `; its next run will hold ${next.token}, from ${next.from}`
            : '';
        if (consumer.pods.length === 0 && consumer.mute)
          return shortfall(
            'not-smoke-tested',
            `${name}: no smoke call, because it runs but cannot be asked what it holds`,
          );
        if (consumer.pods.length === 0)
          return shortfall('no-pod-seen', `${name}: no pod is running${otherwise}`);
        const code = consumer.smoke === 'failed' ? 'smoke-failed' : 'not-smoke-tested';
        return shortfall(code, consumer.smoke !== 'passed' && `${name}: ${consumer.detail}`);
      }),
    ],
  };
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
  const { name, key } = seen.recipient;
  return {
    ...evidenceOfNothing(seen),
    asks: 'hand-over',
    recipient: { name, key },
    warnings: [
      `a token is issued and leaves this system encrypted to the key ${key}: whoever has the private key to it has access`,
    ],
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
  const { now, tokens, look, recipient, warnings, watched } = seen;
  return {
    ...evidenceOfNothing(seen),
    toRevoke: tokens
      .filter((token) => isLive(token, now))
      .map((token) => ({ ...token, standing: 'holder-unknown', heldBy: [] })),
    warnings,
    watched,
    shortfalls: [
      ...notAsked(look),
      ...notWatched(watched, now),
      ...shortfall(
        'consumer-confirmed',
        recipient &&
          `the settings name ${recipient.name} as a holder outside: ask whether they still use it`,
      ),
    ],
  };
}

/** Evidence before anything speaks for or against a revoke. */
function evidenceOfNothing(seen: { round: number; now: number; look: ClusterLook }): Evidence {
  return {
    asks: 'revoke',
    round: seen.round,
    gatheredAt: new Date(seen.now).toISOString(),
    toRevoke: [],
    consumers: [],
    oddities: [],
    warnings: [],
    census: censusShown(seen.look),
    shortfalls: [],
  };
}

/** What of a census people are shown. */
export function censusShown({ census }: ClusterLook): EvidenceCensus {
  const { asked, starting, unasked, lastRuns } = census;
  return { asked, starting, unasked, lastRuns };
}

function standingOf(
  { masked }: ListedToken,
  everHeld: readonly SeenHolding[],
  lastHolders: readonly string[],
): Pick<TokenToRevoke, 'standing' | 'heldBy'> {
  const heldBy = everHeld.filter(({ token }) => token === masked).map(({ by }) => by);
  if (lastHolders.length > 0)
    return {
      standing: 'holder-unknown',
      heldBy: [...new Set(lastHolders)].slice(0, HOLDERS_NAMED),
    };
  return { standing: heldBy.length > 0 ? 'given-up' : 'holder-unknown', heldBy };
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

/** What cannot be shown; nothing where there is nothing to say. */
function shortfall(
  code: Evidence['shortfalls'][number]['code'],
  what: string | undefined | false,
): Evidence['shortfalls'] {
  return what ? [{ code, what }] : [];
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
