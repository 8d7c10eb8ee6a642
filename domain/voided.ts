import {
  describeContainer,
  running,
  sameConsumer,
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
} from './cluster.ts';
import type { Evidence, SmokeResult } from './evidence.ts';
import { describeOthers, holds } from './possession.ts';
import { isLive, type ListedToken } from './tokens.ts';

/**
 * Why approved evidence no longer holds, from a fresh look; undefined when it does.
 * New pods with the new token change nothing, and an expired token that Signon deleted counts for nothing.
 * @param ended ids this rotation revoked itself, or began to
 */
export function voidedBy(
  evidence: Evidence,
  fresh: {
    tokens: readonly ListedToken[];
    look: ClusterLook;
    now: number;
    ended: readonly number[];
  },
): string | undefined {
  const { newToken } = evidence;
  const approved: ListedToken[] = [...(newToken ? [newToken] : []), ...evidence.toRevoke];
  const appeared = fresh.tokens.find(
    (token) => isLive(token, fresh.now) && !approved.some((known) => isSame(known, token)),
  );
  if (appeared) return `a live token appeared: ${appeared.masked} (authorisation ${appeared.authorisationId})`;

  const gone = approved.find(
    (token) =>
      isLive(token, fresh.now) &&
      !fresh.ended.includes(token.authorisationId) &&
      !fresh.tokens.some((listed) => isSame(listed, token)),
  );
  if (gone) return `${gone.masked} (authorisation ${gone.authorisationId}) was revoked by somebody`;

  const joined = fresh.look.consumers.find(
    (consumer) => !evidence.consumers.some((known) => sameConsumer(known, consumer)),
  );
  if (joined) return `a new consumer appeared: ${joined.container} of ${joined.workload}`;

  const unknown = unheardOf(evidence, fresh.look);
  if (unknown !== undefined) return unknown;

  if (fresh.look.mountedBy.length > 0) return `${fresh.look.mountedBy.join(', ')} mount the Secret as files`;

  const others = running(fresh.look).filter((container) => !newToken || !holds(container, newToken));
  return others.length > 0 ? describeOthers(others, fresh.tokens) : undefined;
}

/** A container that may hold a token and cannot be asked, which nobody accepted since the evidence does not name it. */
function unheardOf({ searched }: Evidence, { searched: now }: ClusterLook): string | undefined {
  const starting = now?.starting.find((container) => !searched?.starting.includes(container));
  if (starting !== undefined) return `${starting} has not started, and cannot be asked yet`;
  return now?.unasked.find((what) => !searched?.unasked.includes(what));
}

/** Which of the smoke calls that passed in the evidence do not pass any more; undefined where all do. */
export function smokeThatLapsed(evidence: Evidence, again: readonly SmokeResult[]): string | undefined {
  const lapsed = lapsedOf(evidence, again).map(({ why }) => why);
  return lapsed.length > 0 ? `what passed the smoke call does not any more: ${lapsed.join('; ')}` : undefined;
}

/**
 * What keeps a revoke from being confirmed: containers that have not started, and consumers that run, passed their smoke call before the
 * revoke and do not pass it now. A consumer of which nothing runs shows nothing, as before.
 */
export function unconfirmed(
  evidence: Evidence,
  look: ClusterLook,
  again: readonly SmokeResult[],
): { why: string; containers: ConsumingContainer[] } | undefined {
  const staying = look.containers.filter(({ state, terminating }) => state !== 'ended' && !terminating);
  const starting = staying.filter(({ state }) => state === 'starting');
  const lapsed = lapsedOf(evidence, again)
    .map(({ consumer, why }) => ({
      why,
      those: running({ containers: staying }).filter((one) => sameConsumer(one, consumer)),
    }))
    .filter(({ those }) => those.length > 0);
  if (starting.length === 0 && lapsed.length === 0) return undefined;
  return {
    why: [
      ...starting.map((one) => `${describeContainer(one)} has not started`),
      ...lapsed.map(({ why }) => `what passed the smoke call does not any more: ${why}`),
    ].join('; '),
    containers: [...starting, ...lapsed.flatMap(({ those }) => those)],
  };
}

/** Consumers that passed the smoke call in the evidence and did not pass it again. */
function lapsedOf(evidence: Evidence, again: readonly SmokeResult[]): { consumer: Consumer; why: string }[] {
  return evidence.consumers
    .filter(({ smoke, seenAt }) => smoke === 'passed' && seenAt === undefined) // a run that is over cannot call again
    .flatMap((consumer) => {
      const now = again.find((result) => sameConsumer(result, consumer));
      if (now?.verdict === 'passed') return [];
      return [
        {
          consumer,
          why: `${consumer.container} of ${consumer.workload}: ${now?.detail ?? 'no ready pod to call from'}`,
        },
      ];
    });
}

function isSame(a: ListedToken, b: ListedToken): boolean {
  return a.authorisationId === b.authorisationId && a.masked === b.masked && a.expires === b.expires;
}
