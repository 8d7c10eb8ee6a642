import type { Approve, RetryAccept } from '../../domain/evidence/decisions.ts';
import type { SmokeResult } from '../../domain/evidence/evidence.ts';

/**
 * How a container that does not read the Secret is met: it answers, with a token in a variable of a
 * usual or an odd name, or it gives no answer.
 */
export type Stray = 'open' | 'odd' | 'mute';

/** What happens to a world between two steps. Numbers pick one of what is there, counted round. */
export type Happening =
  | { kind: 'time passes'; minutes: number }
  | { kind: 'a token appears'; days: number }
  | { kind: 'a token is revoked by somebody' | 'a token is copied over'; which: number }
  | { kind: 'ended tokens are deleted' | 'pods settle' }
  | { kind: 'a container restarts'; which: number; holds: number }
  | {
      kind: 'a pod starts' | 'a pod is deleted' | 'a pod ends' | 'a smoke call breaks';
      which: number;
    }
  | { kind: 'a consumer joins'; withPod: boolean }
  | { kind: 'a stray starts'; stray: Stray; state: 'running' | 'starting'; holds: number };

/** An approval that will be sent: which code it quotes, what it names. */
export interface Sent {
  by: string;
  identity: string;
  quotes:
    | 'shown'
    | 'earlier round'
    | 'a plan'
    | 'other question'
    | 'other key'
    | 'other run'
    | 'nonsense';
  names: 'nothing' | 'all' | 'first' | 'new token' | 'stranger';
  accept: (NonNullable<Approve['accept']>[number] | 'smoke-failed')[];
}

/** A classification that will be sent. */
export type Said =
  | { as: 'disused' }
  | { as: 'external'; recipient: 'the one named' | 'somebody else' }
  | { as: 'internal'; which: number; named: 'rightly' | 'with another variable' };

export interface Fate {
  environment: 'integration' | 'production';
  force: boolean;
  starter: string;
  /** Signon renews the API user's tokens by itself. */
  renewed: boolean;
  /** The holder outside that the settings name, if they do. */
  recipient: { alsoInCluster: boolean; requested: boolean } | undefined;
  tokens: { id: number; days: number }[];
  pods: {
    of: number;
    holds: number;
    state: 'running' | 'starting' | 'ended';
    terminating: boolean;
  }[];
  /** Workloads that read the Secret. */
  consumers: number;
  /** Containers that got a token by another way than the Secret. */
  strays: { stray: Stray; holds: number; state: 'running' | 'starting' }[];
  /** Whether strays are given the new token too, after a sync. */
  straysFollow: boolean;
  smoke: SmokeResult['verdict'][];
  /**
   * Whether a smoke call that fails blocks, as it does; else the later rules must hold by
   * themselves.
   */
  smokeBlocks: boolean;
  acceptsUnlisted: boolean;
  retries: number;
  /** What a retry vouches for, where a token cannot be handed over. */
  vouches: Exclude<RetryAccept, 'unlisted-token'>[];
  /** Whether the n-th pod is rolled by a sync. */
  rolls: boolean[];
  /**
   * Pods that are deleted stay until something ends them, and containers elsewhere take long to
   * start.
   */
  lingers: boolean;
  meanwhile: Happening[][];
  /** Between an approval that counted and the first look after it. */
  afterApproval: Happening[];
  classifications: Said[];
  approvals: Sent[];
}

export const ASKER = 'ada@example.org';
