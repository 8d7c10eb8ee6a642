import {
  allHold,
  holdersOf,
  inSecretSince,
  type Readers,
  seenHeld,
  type SeenHolding,
  type SeenReader,
  unseenConsumers,
  type Workload,
} from '../cluster/index.ts';
import { othersAlive, type Proof } from '../evidence/index.ts';
import { readersAfter } from './holders.ts';
import type { Assessment, Outcome } from './plan.ts';
import type { Recipient } from '../settings/index.ts';
import { isToken, successorOf, withKnownDigest, type ListedToken } from '../tokens/index.ts';

/** A watch of every pod, for one that reads the Secret. */
export interface WatchState {
  /** ISO: since when without a gap; undefined where nobody watches. */
  since?: string;
  /** ISO: when it ended; the next begins there, so that a gap is seen. */
  until?: string;
  /** The pod that was seen: then nothing more is watched for. */
  seen?: SeenReader;
}

/** What is known of a pair: its tokens, who reads them and what was seen. */
export interface Situation extends Assessment {
  cronJob: { name: string; uid: string };
  /** The holder outside the cluster, where there is one. */
  recipient?: Recipient;
  /** Ids that a forced rotation must not fall back to. */
  before: number[];
  /** Workloads that were there when the rotation began. */
  known: Workload[];
  readers: Readers;
  /** Containers that were seen holding a token, some of them for each. */
  everHeld: SeenHolding[];
  /** The state of the watch of a disused pair, as passed to continue-as-new. */
  watch?: WatchState;
  /** How many revokes were confirmed. */
  confirmedRevokes: number;
}

/** A sync that was seen to end. */
export interface Sync {
  job: string;
  /** ISO, by the worker's clock. */
  seenAt: string;
  /** The same of the sync before it, where that was not enough. */
  firstSeenAt?: string;
  /** Its Job was deleted before its end was seen: it may not have written the Secret. */
  isUnsure?: true;
}

/** What is being proven: that every consumer of the pair holds one token, the new one. */
export interface Round extends Situation {
  newToken: ListedToken;
  /** ISO: when the new token was there for certain. A sync Job made before counts for nothing. */
  issuedAt: string;
  /** ISO: the first moment at which the pair's Secret is known to have had the new token. */
  inSecretSince?: string;
  /** The authorisation id of the new token that was synced last. */
  syncedFor?: number;
  /** The sync that the rollout follows, if one was needed. */
  sync?: Sync;
  /** The evidence of the last approval; revokes are confirmed against it. */
  proof?: Proof;
}

/** A fresh look at a pair, and its tokens as listed with it. */
export type Observation = Pick<Situation, 'tokens' | 'look'>;

/**
 * What a fresh look makes of a round: a later token may have become the new one, and whoever was
 * seen holding a token is remembered. Undefined where the new token is gone and no other can take
 * its place.
 */
export function observe(
  round: Omit<Round, 'look'>,
  seen: Observation,
  now: number,
): Round | undefined {
  const { settings, before, known, newToken } = round;
  const tokens = withKnownDigest(seen.tokens, newToken);
  const successor = successorOf(newToken, tokens, { before, window: settings.window, now });
  if (!successor) return undefined;
  const isSame = isToken(newToken)(successor);
  return {
    ...round,
    tokens,
    look: seen.look,
    newToken: successor,
    ...(!isSame && { issuedAt: new Date(now).toISOString() }),
    inSecretSince: inSecretSince(seen.look, successor, isSame ? round.inSecretSince : undefined),
    readers: readersAfter(round.readers, tokens, seen.look, successor),
    everHeld: seenHeld(round.everHeld, seen.look.containers, known),
  };
}

/**
 * Why no sync is needed; undefined where one is. A consumer that does not run cannot be asked what
 * it holds, so each new token is synced once.
 */
export function whyNoSync({
  look,
  newToken,
  syncedFor,
  inSecretSince: since,
}: Round): string | undefined {
  const isSynced = syncedFor === newToken.authorisationId || unseenConsumers(look).length === 0;
  if (!isSynced || !allHold(look, newToken, since)) return undefined;
  return look.consumers.length > 0
    ? 'every consumer holds the new token already'
    : 'no container reads the token';
}

/** What a rotation has done. */
export interface Done {
  /** How many tokens it revoked, all of them confirmed. */
  revoked: number;
  /** What is known of the holder outside: they use the new token, or they have it. */
  holder: 'uses' | 'has' | undefined;
}

/**
 * How a rotation ends once every consumer was shown to hold the new token; undefined while another
 * token lives.
 */
export function endOf(
  { tokens, newToken, recipient, look }: Round,
  { revoked, holder }: Done,
  now: number,
): { outcome: Outcome; why: string } | undefined {
  if (othersAlive(tokens, newToken, now).length > 0) return undefined;
  const old =
    revoked > 0
      ? 'the old one is revoked'
      : 'no older one is live: it expired, or somebody revoked it';
  if (recipient) {
    const outside = holder
      ? `${recipient.name} ${holder} the new token`
      : `the new token was issued for ${recipient.name}, who has not confirmed that they use it`;
    const inCluster = recipient.alsoInCluster ? ', every consumer in the cluster holds it' : '';
    return { outcome: 'handed-over', why: `${outside}${inCluster}, and ${old}` };
  }
  return {
    outcome: revoked > 0 ? 'rotated' : 'old-token-expired',
    why: `${holdersOf(look)}, and ${old}`,
  };
}
