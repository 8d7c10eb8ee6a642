import type ms from 'ms';
import type { NoticePace } from '../notices/index.ts';
import type { Gathering } from '../sync/index.ts';
import type { ApproversSetting, Environment } from '../request/index.ts';

/**
 * A read-only call that shows whether a server application lets a token in. Mirrors
 * gds-api-adapters.
 */
export interface SmokeCall {
  /** Class below `GdsApi`, e.g. `PublishingApi`. */
  adapter: string;
  /** File to require, e.g. `gds_api/publishing_api`. */
  requires: string;
  method: string;
  positional: unknown[];
  keyword: Record<string, unknown>;
}

/** An API user that somebody else's procedure rotates, or that rotates by itself. */
interface SpecialCase {
  /** Its name in Signon: the alert has the e-mail only. */
  apiUser: string;
  outcome: 'referred' | 'ignored';
  why: string;
  /** The page that says what to do. */
  link?: string;
}

/** A holder outside the cluster: tokens are handed over encrypted to this key, and to no other. */
export interface Recipient {
  name: string;
  /** E-mail of the API user whose tokens it holds. */
  apiUser: string;
  /** Public key, as `age-keygen` prints it. */
  key: string;
  /** Containers in the cluster use this API user as well: both proofs are needed. */
  alsoInCluster: boolean;
}

/** Signon's nightly renewal of internal tokens, and the sync after it. */
export interface Renewal {
  /** It looks at API users whose e-mail has one of these domains. */
  domains: string[];
  every: ms.StringValue;
  /** When in that time it begins, counted from 00:00 UTC. */
  at: ms.StringValue;
  /** How long until renewal and sync are over for certain. */
  takes: ms.StringValue;
  /**
   * A token with less than this left is renewed, revoked or not, unless a later-expiring one
   * exists.
   */
  before: ms.StringValue;
}

/** How a sweep behaves. */
interface SweepPace {
  /** Rotations of one wave, unless the request says otherwise. */
  maxConcurrent: number;
  /** Between two pages of Signon, while all API users are read. */
  pause: ms.StringValue;
  /** How often rotations that were not heard of are looked up. */
  looksEvery: ms.StringValue;
  /** A sweep ends after so long, whatever is left. */
  endsAfter: ms.StringValue;
}

/**
 * What a worker is told by its settings file; reaches a rotation through its assessment only, so a
 * deploy never changes its mind.
 */
export interface Settings {
  /** A token with less than this left is rotated. */
  window: ms.StringValue;
  /** How long to wait for one answer of Signon or Argo CD. */
  answerLimit: ms.StringValue;
  /** How long Signon may still act on a request nobody waits for any more. */
  signonRequestLimit: ms.StringValue;
  /** How long a sync Job may take, from the request to its end. */
  syncLimit: ms.StringValue;
  /** How all expiring tokens are rotated at once. */
  sweep: SweepPace;
  /** How requests for a sync gather before a Job is made. */
  syncGathering: Gathering;
  /** How long pods may take to hold the new token after a sync. */
  rolloutLimit: ms.StringValue;
  /**
   * How often the cluster is looked at while waiting; a watch of its pods shortens the wait.
   */
  pollEvery: ms.StringValue;
  /** How long server applications cache a token's look-up. */
  lookupCachedFor: ms.StringValue;
  /** Time between the revoke and the last look with its smoke calls. */
  soak: ms.StringValue;
  /**
   * How long every pod is watched before a pair that nobody seems to read is given up; sooner only
   * where a person accepts it.
   */
  disusedWatch: ms.StringValue;
  /** Evidence older than this is not acted on before the smoke calls were repeated. */
  evidenceHoldsFor: ms.StringValue;
  /** How notices become messages. */
  notices: NoticePace;
  /**
   * Whether the worker's role may restart Deployments, as the cluster says; absent where it does
   * not say.
   */
  mayRestart?: boolean;
  /** Where the Temporal UI is, for links. */
  temporalUiUrl?: string;
  /**
   * Where the project's `docs/` can be read, for links; e.g.
   * `https://git.example.org/signon-token-rotation/blob/main/docs`.
   */
  docsUrl?: string;
  /** Who may approve, by environment. */
  approvers: ApproversSetting;
  /** Addresses of one person, each list. */
  people: string[][];
  /** API users that are not rotated here. */
  specialCases: SpecialCase[];
  /** Holders outside the cluster, one for an API user at most. */
  recipients: Recipient[];
  renewal: Renewal;
  /** By server application, parameterized. */
  smokeCalls: Record<string, SmokeCall>;
  /** Regular expressions that the hosts of Signon and Argo CD must match, by environment. */
  hosts: Record<Environment, string>;
}

/** Whether the whole host matches an environment's pattern, even one like `^a$|b`. */
export function isHostOf(pattern: string, host: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(host);
}
