import {
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
  describeContainer,
  describeIdle,
  describeOthers,
  holds,
  isHolder,
  running,
  runsOf,
  sameConsumer,
} from '../cluster/index.ts';
import { type Evidence, HOLDERS_NAMED, type SmokeResult } from './evidence.ts';
import { describeToken, isLive, type ListedToken } from '../tokens/index.ts';

/**
 * Why approved evidence no longer holds, from a fresh look; undefined when it does.
 * New pods with the new token change nothing, and an expired token that Signon deleted counts for
 * nothing.
 * @param ended ids this rotation revoked itself, or began to
 */
export function voidedBy(
  evidence: Evidence,
  fresh: {
    tokens: readonly ListedToken[];
    look: ClusterLook;
    now: number;
    ended: readonly number[];
    /** Ids that the approval covers. */
    revoke: readonly number[];
  },
): string | undefined {
  const { newToken } = evidence;
  const approved: ListedToken[] = [...(newToken ? [newToken] : []), ...evidence.toRevoke];
  const appeared = fresh.tokens.find(
    (token) => isLive(token, fresh.now) && !approved.some((known) => isSame(known, token)),
  );
  if (appeared) return `a live token appeared: ${describeToken(appeared)}`;

  const gone = approved.find(
    (token) =>
      isLive(token, fresh.now) &&
      !fresh.ended.includes(token.authorisationId) &&
      !fresh.tokens.some((listed) => isSame(listed, token)),
  );
  if (gone) return `${describeToken(gone)} was revoked by somebody`;

  // If the only holder was outside the cluster, any consumer that joins voids the evidence, even
  // with the new token.
  const wasOutside = evidence.recipient !== undefined && evidence.consumers.length === 0;
  // Whether one holds another token is checked for all containers at once, below.
  const good = newToken ? [newToken] : [];
  const unshown = joinedSince(evidence, fresh.look).find(
    (consumer) => wasOutside || !isHolder(consumer, fresh.look, good),
  );
  if (unshown)
    return `a new consumer appeared, and nothing shows what it holds: ${unshown.container} of ${unshown.workload}`;

  // Unless the approver was told; of many holders, some are named.
  const next = fresh.look.idleHolders?.find((idle) =>
    evidence.toRevoke.some(
      ({ authorisationId, masked, heldBy }) =>
        fresh.revoke.includes(authorisationId) &&
        masked === idle.token &&
        heldBy.length < HOLDERS_NAMED &&
        !heldBy.includes(describeIdle(idle)),
    ),
  );
  if (next)
    return `the next run of ${next.container} of ${next.workload} will hold ${next.token}, from ${next.from}`;

  const unknown = unheardOf(evidence, fresh.look);
  if (unknown !== undefined) return unknown;

  if (fresh.look.mountedBy.length > 0)
    return `${fresh.look.mountedBy.join(', ')} mount the Secret as files`;

  const others = running(fresh.look).filter(
    (container) => !newToken || !holds(container, newToken),
  );
  return others.length > 0 ? describeOthers(others, fresh.tokens) : undefined;
}

/** Consumers that the evidence does not name: a one-off Job, a new workload. */
export function joinedSince({ consumers }: Evidence, look: ClusterLook): Consumer[] {
  return look.consumers.filter(
    (consumer) => !consumers.some((known) => sameConsumer(known, consumer)),
  );
}

/**
 * Says which container may hold a token, cannot be asked and is not in the evidence, so that nobody
 * accepted it.
 */
function unheardOf({ census }: Evidence, { census: now }: ClusterLook): string | undefined {
  const starting = now.starting.find((container) => !census.starting.includes(container));
  if (starting !== undefined) return `${starting} has not started, and cannot be asked yet`;
  // Where this worker did not see a last run, another did and showed what it held.
  const shown = [...census.unasked, ...(census.lastRuns ?? [])];
  return now.unasked.find((what) => !shown.includes(what));
}

/**
 * Which of the smoke calls that passed in the evidence do not pass any more; undefined where all
 * do. A run that is over has nothing to lapse.
 */
export function smokeThatLapsed(
  evidence: Evidence,
  look: Pick<ClusterLook, 'containers'>,
  again: readonly SmokeResult[],
): string | undefined {
  const lapsed = lapsedOf(evidence, again)
    .filter(({ consumer }) => !isOver(consumer, look))
    .map(({ why }) => why);
  return lapsed.length > 0
    ? `smoke calls that passed no longer do: ${lapsed.join('; ')}`
    : undefined;
}

/**
 * What keeps a revoke from being confirmed: containers that have not started, and consumers that
 * run, passed their smoke call before the revoke and do not pass it now. A consumer of which
 * nothing runs shows nothing, as before.
 * @param again undefined where no calls were made
 */
export function unconfirmed(
  evidence: Evidence,
  look: ClusterLook,
  again: readonly SmokeResult[] | undefined,
): { why: string; containers: ConsumingContainer[] } | undefined {
  const staying = look.containers.filter(
    ({ state, terminating }) => state !== 'ended' && !terminating,
  );
  const starting = staying.filter(({ state }) => state === 'starting');
  const lapsed = (again ? lapsedOf(evidence, again) : [])
    .map(({ consumer, why }) => ({
      why,
      those: runsOf({ containers: staying }, consumer),
    }))
    .filter(({ those }) => those.length > 0);
  if (starting.length === 0 && lapsed.length === 0) return undefined;
  return {
    why: [
      ...starting.map((one) => `${describeContainer(one)} has not started`),
      ...lapsed.map(({ why }) => `a smoke call that passed no longer does: ${why}`),
    ].join('; '),
    containers: [...starting, ...lapsed.flatMap(({ those }) => those)],
  };
}

/**
 * Whether a consumer was one run, e.g. of a Job, of which nothing runs or starts any more. A
 * Deployment starts its containers again.
 */
function isOver(consumer: Consumer, { containers }: Pick<ClusterLook, 'containers'>): boolean {
  const lasts = /^(Deployment|StatefulSet|DaemonSet)\//.test(consumer.workload);
  return !lasts && !containers.some((one) => one.state !== 'ended' && sameConsumer(one, consumer));
}

/** Consumers that passed the smoke call in the evidence and did not pass it again. */
function lapsedOf(
  evidence: Evidence,
  again: readonly SmokeResult[],
): { consumer: Consumer; why: string }[] {
  return (
    evidence.consumers
      // A run that is over cannot call again.
      .filter(({ smoke, seenAt }) => smoke === 'passed' && seenAt === undefined)
      .flatMap((consumer) => {
        const now = again.find((result) => sameConsumer(result, consumer));
        const why = `${consumer.container} of ${consumer.workload}: ${now?.detail ?? 'no ready pod to call from'}`;
        return now?.verdict === 'passed' ? [] : { consumer, why };
      })
  );
}

function isSame(a: ListedToken, b: ListedToken): boolean {
  return (
    a.authorisationId === b.authorisationId && a.masked === b.masked && a.expires === b.expires
  );
}
