import type { ClusterLook, Consumer, ConsumingContainer, Readers, Workload } from '../../domain/cluster.ts';
import type { Sighting, SmokeResult } from '../../domain/evidence.ts';
import type { SmokeCall } from '../../domain/settings.ts';
import type { Readings } from '../../domain/inventory.ts';
import type { Fingerprint } from '../../domain/tokens.ts';

export interface RolloutOrder {
  readers: Readers;
  token: Fingerprint;
  /** The sync the rollout follows; absent where none was needed. */
  sync?: { job: string; seenAt: string };
  /** ISO; the wait ends there. */
  deadline: string;
}

export type RolloutSeen =
  | { kind: 'held'; look: ClusterLook }
  | { kind: 'not-updated'; containers: ConsumingContainer[] }
  | { kind: 'incomplete'; containers: ConsumingContainer[] };

/** What a rotation asks of Kubernetes. Every method throws `NotPermitted` and `ContractChanged` (not retried), `Unreachable` and `ExecIncomplete` (retried). */
export interface KubernetesActivities {
  /** The uid of a CronJob, undefined where there is none. Reads only. */
  cronJobUid: (name: string) => Promise<string | undefined>;
  /** Everything in the namespace that reads a Secret of Signon's sync; nothing is asked what it holds. Reads only. */
  listReadings: () => Promise<Readings>;
  /**
   * Everything that reads a pair's token, and what each running container holds. Where tokens are given, every other running container
   * that has a token of some pair is asked as well, and is a consumer if it holds one of them. Reads only.
   */
  lookAtConsumers: (readers: Readers) => Promise<ClusterLook>;
  /**
   * Restarts Deployments as `kubectl rollout restart` does. A retry is safe: the same moment restarts nothing a second time.
   * @param order.at ISO
   * @throws NotPermitted (not retried) where the role lacks `patch` on deployments
   */
  restartDeployments: (order: { deployments: Workload[]; at: string }) => Promise<void>;
  /** Waits until every running container that reads the Secret holds the token. Reads only; a retry goes on waiting until the same deadline. */
  awaitRollout: (order: RolloutOrder) => Promise<RolloutSeen>;
  /**
   * Waits until a container of one of these consumers runs, asks it what it holds and makes its smoke call. Reads only. Waits for days:
   * whoever no longer needs to know cancels it.
   */
  awaitSighting: (order: {
    readers: Readers;
    consumers: Consumer[];
    application: string;
    call?: SmokeCall;
  }) => Promise<Sighting[]>;
  /** Calls the server application from one ready pod of each consumer, with its own token and with a made-up one. */
  smokeConsumers: (order: { readers: Readers; application: string; call?: SmokeCall }) => Promise<SmokeResult[]>;
}
