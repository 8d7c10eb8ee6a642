import {
  describeContainer,
  running,
  runsOf,
  sameConsumer,
  type Census,
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
  type Workload,
} from './cluster.ts';
import type { Environment } from '../request/index.ts';
import { describeToken, type Fingerprint, type ListedToken } from '../tokens/index.ts';

/** Where a rollout stands, from one look. */
export type Rollout =
  | { kind: 'held' }
  /** Containers that are waited for. */
  | { kind: 'incomplete'; containers: ConsumingContainer[] }
  /** Containers started after the sync ended and hold another token: the Secret was not updated. */
  | { kind: 'not-updated'; containers: ConsumingContainer[] }
  /**
   * Containers started after the Secret was updated and hold its old value, which their node had
   * kept; nothing is about to replace them.
   */
  | { kind: 'stale'; containers: ConsumingContainer[] };

/**
 * So long after its start, a container that holds the old token is not about to be replaced by
 * Reloader.
 */
const REPLACED_WITHIN_MS = 60_000;

/**
 * Judges a look. Held means: every running container holds the new token, terminating pods
 * included, and none is about to start.
 * @param syncedAt ISO: when the sync ended, whole seconds; undefined where no sync ran
 * @param firstSyncedAt ISO: when the sync before it ended, where there was one
 * @param knownSince ISO: the Secret is known to have had the token then. A container that cannot be
 * asked, and started before the first such moment, is waited for: a sync alone shows nothing.
 */
export function judgeRollout(
  look: Pick<ClusterLook, 'at' | 'containers' | 'mute'>,
  token: Fingerprint,
  syncedAt: string | undefined,
  firstSyncedAt = syncedAt,
  knownSince?: string,
): Rollout {
  const others = running(look).filter((container) => !holds(container, token));
  const startedSince = (
    { from, startedAt }: ConsumingContainer,
    moment: string | undefined,
  ): boolean =>
    from === undefined &&
    moment !== undefined &&
    startedAt !== undefined &&
    Date.parse(startedAt) > Date.parse(moment);
  const isUpdated = running(look).some((one) => holds(one, token) && startedSince(one, syncedAt));
  const startedAfter = others.filter((one) => startedSince(one, syncedAt));
  if (startedAfter.length > 0 && !isUpdated)
    return { kind: 'not-updated', containers: startedAfter };
  const starting = look.containers.filter(
    ({ state, terminating }) => state === 'starting' && !terminating,
  );
  const stays = ({ workload, terminating, startedAt }: ConsumingContainer): boolean =>
    !terminating &&
    [startedAt, syncedAt].every(
      (moment) => Date.parse(look.at) - Date.parse(moment ?? look.at) >= REPLACED_WITHIN_MS,
    ) &&
    ![...starting, ...running(look).filter((one) => !one.ready && holds(one, token))].some(
      (one) => one.workload === workload,
    );
  const stale = others.filter((one) => startedSince(one, firstSyncedAt) && stays(one));
  if (stale.length > 0) return { kind: 'stale', containers: stale };
  const known = firstKnown(look, token, [knownSince]);
  const tooOld = (look.mute ?? []).filter(
    ({ startedAt }) => startedAt !== undefined && Date.parse(startedAt) < known,
  );
  const containers = [...others, ...starting, ...tooOld];
  return containers.length === 0 ? { kind: 'held' } : { kind: 'incomplete', containers };
}

/**
 * The first moment (ISO) since which a pair's Secret is known to have had a token: a container that
 * got it from there started then, or it was known before; and none got another from there later.
 * @param before ISO: moments at which it was
 */
export function inSecretSince(
  look: Pick<ClusterLook, 'containers'>,
  token: Fingerprint,
  ...before: readonly (string | undefined)[]
): string | undefined {
  const first = firstKnown(look, token, before);
  return first === Infinity ? undefined : new Date(first).toISOString();
}

/** The same in ms since the epoch. */
function firstKnown(
  look: Pick<ClusterLook, 'containers'>,
  token: Fingerprint,
  before: readonly (string | undefined)[],
): number {
  const readers = running(look).filter(({ from }) => from === undefined);
  const others = readers.filter((one) => !holds(one, token)).map(startOf);
  const starts = readers.filter((one) => holds(one, token)).map(startOf);
  // One that got another token later shows that the Secret had lost this one.
  const moments = [...starts, ...before.map((one) => (one ? Date.parse(one) : Infinity))];
  return Math.min(...moments.filter((moment) => others.every((other) => other < moment)));
}

/** In ms since the epoch; never, where it is not known. */
function startOf({ startedAt }: ConsumingContainer): number {
  return startedAt === undefined ? Infinity : Date.parse(startedAt);
}

export function holds(
  container: Pick<ConsumingContainer, 'token'>,
  token: Pick<Fingerprint, 'masked'>,
): boolean {
  return container.token === token.masked;
}

/** Whether a running container of a consumer holds one of the tokens. */
export function isHolder(
  consumer: Consumer,
  look: Pick<ClusterLook, 'containers'>,
  tokens: readonly ListedToken[],
): boolean {
  return runsOf(look, consumer).some((one) => tokens.some((token) => holds(one, token)));
}

/**
 * Whether each consumer that runs has a container to call from: a ready one, of a pod that stays.
 */
export function allReady({
  consumers,
  containers,
}: Pick<ClusterLook, 'consumers' | 'containers'>): boolean {
  return consumers.every((consumer) => {
    const staying = runsOf({ containers }, consumer).filter(({ terminating }) => !terminating);
    return staying.length === 0 || staying.some(({ ready }) => ready);
  });
}

/** A container that was seen holding a token. */
export interface SeenHolding {
  /** The token's masked value. */
  token: string;
  /** `app in short-url-manager-6c9…`. */
  by: string;
}

/** Holders kept for each token, at most: one already shows that it was held. */
const NAMED_FOR_A_TOKEN = 3;

/**
 * Adds the holders that a look shows to those seen before. Only workloads that were there when the
 * rotation began count: a container that joins, falsely claims a token and drops it must not make
 * the token look given up.
 */
export function seenHeld(
  before: readonly SeenHolding[],
  containers: readonly ConsumingContainer[],
  known: readonly Workload[],
): SeenHolding[] {
  const seen = [...before];
  for (const container of containers) {
    const { token, workload, state } = container;
    if (state !== 'running' || token === undefined || !known.includes(workload)) continue;
    const by = describeContainer(container);
    const those = seen.filter((one) => one.token === token);
    if (those.length < NAMED_FOR_A_TOKEN && !those.some((one) => one.by === by))
      seen.push({ token, by });
  }
  return seen;
}

/** Whether every running consuming container holds the token already. */
export function allHold(look: ClusterLook, token: Fingerprint, knownSince?: string): boolean {
  return judgeRollout(look, token, undefined, undefined, knownSince).kind === 'held';
}

/**
 * Consumers of which no container runs now that tells what it holds: what the Secret holds for them
 * cannot be seen.
 */
export function unseenConsumers(look: ClusterLook): Consumer[] {
  return look.consumers.filter((consumer) => runsOf(look, consumer).length === 0);
}

/**
 * Says, container by container, who holds another token; with its masked value where it is listed.
 */
export function describeOthers(
  containers: readonly ConsumingContainer[],
  tokens: readonly ListedToken[],
): string {
  return containers
    .map((container) => {
      const why = container.why === undefined ? '' : ` (${container.why})`;
      if (container.state === 'starting')
        return `${describeContainer(container)} has not started${why}`;
      if (container.unable !== undefined)
        return `${describeContainer(container)} may have started before the Secret held the new token, and ${container.unable}`;
      const token = tokens.find((listed) => holds(container, listed));
      const what = token
        ? describeToken(token)
        : container.isEmpty
          ? `no token in ${container.variable}`
          : 'a token Signon does not list';
      const from = container.from === undefined ? '' : `, from ${container.from}`;
      return `${describeContainer(container)}${container.terminating ? ', terminating,' : ''} holds ${what}${from}${why}`;
    })
    .join('; ');
}

/**
 * What does not fit together between the request, the cluster and Signon. Empty when all agree. A
 * container without GOVUK_ENVIRONMENT (an Argo Workflow's has none) proves nothing. Where no
 * consumer tells, the other containers of the namespace tell the environment.
 */
export function disagreements(
  look: Pick<ClusterLook, 'containers'> & { census: Pick<Census, 'environments'> },
  environment: Environment,
): { environment: string[]; unlisted: string[] } {
  const live = running(look);
  const { environments } = look.census;
  const telling = live.flatMap((container): Census['environments'] => {
    const { environment: value } = container;
    return value ? [{ value, seenIn: describeContainer(container) }] : [];
  });
  const isThere = environments.some(({ value }) => value === environment);
  const others = telling.length > 0 || isThere ? telling : environments;
  return {
    environment: others
      .filter(({ value }) => value !== environment)
      .map(
        ({ value, seenIn }) =>
          `${seenIn} has GOVUK_ENVIRONMENT "${value}", but the request says "${environment}"`,
      ),
    unlisted: live
      .filter(({ token, isEmpty }) => token === undefined && !isEmpty)
      .map(
        (container) =>
          `${describeContainer(container)} holds a token that Signon does not list for this pair`,
      ),
  };
}

/** Says how many consumers hold a token, once all that run do. @param what names the token */
export function holdersOf(look: ClusterLook, what = 'the new token'): string {
  const { length: all } = look.consumers;
  if (all === 0) return 'no consumer is left';
  const unseen = unseenConsumers(look);
  if (unseen.length === 0) return `every consumer holds ${what}`;
  const isMute = (consumer: Consumer): boolean =>
    look.mute?.some((container) => sameConsumer(container, consumer)) === true;
  const { length: mute } = unseen.filter(isMute);
  const others = [
    ...(unseen.length > mute ? [`${unseen.length - mute} without a running pod`] : []),
    ...(mute > 0 ? [`${mute} that could not be asked`] : []),
  ];
  return `${all - unseen.length} of ${all} consumers hold ${what} (others: ${others.join(', ')})`;
}
