import type { ClusterLook, ConsumingContainer, Workload } from '../../domain/cluster.ts';
import type { SmokeResult } from '../../domain/evidence.ts';
import type { SmokeCall } from '../../domain/settings.ts';
import type { Fingerprint } from '../../domain/tokens.ts';

export interface RolloutOrder {
  secret: string;
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
  /** Everything that reads a Secret, and what each running container holds. Reads only. */
  lookAtConsumers: (secret: string) => Promise<ClusterLook>;
  /**
   * Restarts Deployments as `kubectl rollout restart` does. A retry is safe: the same moment restarts nothing a second time.
   * @param order.at ISO
   * @throws NotPermitted (not retried) where the role lacks `patch` on deployments
   */
  restartDeployments: (order: { deployments: Workload[]; at: string }) => Promise<void>;
  /** Waits until every running container that reads the Secret holds the token. Reads only; a retry goes on waiting until the same deadline. */
  awaitRollout: (order: RolloutOrder) => Promise<RolloutSeen>;
  /** Calls the server application from one ready pod of each consumer, with its own token and with a made-up one. */
  smokeConsumers: (order: { secret: string; application: string; call?: SmokeCall }) => Promise<SmokeResult[]>;
}
