import {
  describeContainer,
  running,
  sameConsumer,
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
} from './cluster.ts';
import type { Environment } from './request.ts';
import { sameToken, type Fingerprint, type ListedToken } from './tokens.ts';

/** Where a rollout stands, from one look. */
export type Rollout =
  | { kind: 'held' }
  | { kind: 'waiting'; for: ConsumingContainer[] }
  /** Containers started after the sync ended and hold another token: the Secret was not updated. */
  | { kind: 'not-updated'; containers: ConsumingContainer[] };

/**
 * Judges a look. Held means: every running container holds the new token, terminating pods included, and none is about to start.
 * @param syncedAt ms since the epoch when the sync ended, whole seconds; undefined where no sync ran.
 */
export function judgeRollout(look: ClusterLook, token: Fingerprint, syncedAt: number | undefined): Rollout {
  const others = running(look).filter((container) => !holds(container, token));
  const startedAfter = others.filter(
    ({ startedAt }) => syncedAt !== undefined && startedAt !== undefined && Date.parse(startedAt) > syncedAt,
  );
  if (startedAfter.length > 0) return { kind: 'not-updated', containers: startedAfter };
  const starting = look.containers.filter(({ state, terminating }) => state === 'starting' && !terminating);
  const waitedFor = [...others, ...starting];
  return waitedFor.length === 0 ? { kind: 'held' } : { kind: 'waiting', for: waitedFor };
}

/** Whether this container's variable is that token. */
export function holds(container: ConsumingContainer, token: Fingerprint): boolean {
  return container.digests !== undefined && sameToken(container.digests, token);
}

/** Whether each consumer that runs has a container to call from: a ready one, of a pod that stays. */
export function allReady({ consumers, containers }: Pick<ClusterLook, 'consumers' | 'containers'>): boolean {
  return consumers.every((consumer) => {
    const staying = running({ containers }).filter((one) => !one.terminating && sameConsumer(one, consumer));
    return staying.length === 0 || staying.some(({ ready }) => ready);
  });
}

/** Which of the listed tokens running containers hold. */
export function heldTokens(look: Pick<ClusterLook, 'containers'>, tokens: readonly ListedToken[]): ListedToken[] {
  return tokens.filter((token) => running(look).some((container) => holds(container, token)));
}

/** Whether every running consuming container holds the token already. */
export function allHold(look: ClusterLook, token: Fingerprint): boolean {
  return judgeRollout(look, token, undefined).kind === 'held';
}

/** Consumers of which no container runs now: what the Secret holds for them cannot be seen. */
export function unseenConsumers(look: ClusterLook): Consumer[] {
  return look.consumers.filter((consumer) => !running(look).some((container) => sameConsumer(container, consumer)));
}

/** Says, container by container, who holds another token; with its masked value where it is listed. */
export function describeOthers(containers: readonly ConsumingContainer[], tokens: readonly ListedToken[]): string {
  return containers
    .map((container) => {
      if (container.state === 'starting') return `${describeContainer(container)} has not started`;
      const token = tokens.find((listed) => holds(container, listed));
      const what = token ? `${token.masked} (authorisation ${token.authorisationId})` : 'a token Signon does not list';
      return `${describeContainer(container)}${container.terminating ? ', terminating,' : ''} holds ${what}`;
    })
    .join('; ');
}

/** What does not fit together between the request, the cluster and Signon. Empty when all agree. */
export function disagreements(
  look: Pick<ClusterLook, 'containers' | 'searched'>,
  tokens: readonly ListedToken[],
  environment: Environment,
): { environment: string[]; unlisted: string[] } {
  const live = running(look);
  const others = live.filter((container) => container.environment !== environment);
  const searched = (look.searched?.environments ?? []).filter(({ value }) => value !== environment);
  return {
    environment: [
      ...others.map((container) => [describeContainer(container), container.environment ?? '']),
      ...searched.map(({ value, seenIn }) => [seenIn, value]),
    ].map(([who, seen]) => `${who} has GOVUK_ENVIRONMENT "${seen}", the request says "${environment}"`),
    unlisted: live
      .filter((container) => !tokens.some((token) => holds(container, token)))
      .map((container) => `${describeContainer(container)} holds a token that Signon does not list for this pair`),
  };
}
