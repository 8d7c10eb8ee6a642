import type {
  ClusterLook,
  Consumer,
  Readers,
  Rollout,
  SeenReader,
  Workload,
  Interruption,
} from '../../domain/cluster/index.ts';
import type { Sighting, SmokeResult } from '../../domain/evidence/index.ts';
import type { SmokeCall } from '../../domain/settings/index.ts';
import type { Round } from '../../domain/rotation/index.ts';
import type { Readings } from '../../domain/inventory/index.ts';
import type { Fingerprint } from '../../domain/tokens/index.ts';

/** Which pods are watched for, and since when. */
export interface ReaderOrder extends Pick<Readers, 'secret' | 'ofOtherPairs'> {
  /** ISO: since when nobody else watches. */
  from: string;
  /** The version of the cluster up to which somebody watched, where it is known. */
  version?: string;
}

interface RolloutOrder extends Pick<Round, 'readers' | 'inSecretSince' | 'sync'> {
  token: Fingerprint;
  /** ISO; the wait ends there. */
  deadline: string;
}

/** What the last look of a wait for a rollout came to. */
export type LastLook = { kind: 'held'; look: ClusterLook } | Exclude<Rollout, { kind: 'held' }>;

type RolloutSeen = LastLook & {
  inSecretSince?: string;
  /** Consumers of kinds that nothing lists, which held another token meanwhile. */
  passing?: Consumer[];
};

/** Whose containers make which smoke call of an application. */
interface SmokeOrder {
  readers: Readers;
  application: string;
  call?: SmokeCall;
}

/**
 * What a rotation asks of Kubernetes. Every method throws `NotPermitted` and `ContractChanged` (not
 * retried), `Unreachable` and `ExecIncomplete` (retried).
 */
export interface KubernetesActivities {
  /** The uid of a CronJob, undefined where there is none. Reads only. */
  cronJobUid: (name: string) => Promise<string | undefined>;
  /**
   * Everything in the namespace that reads a Secret of Signon's sync; nothing is asked what it
   * holds. Reads only.
   */
  listReadings: () => Promise<Readings>;
  /**
   * Everything that holds one of a pair's tokens or reads its Secret. Every running container of
   * the namespace that may hold a token is asked once in its life, by value. Reads only.
   */
  lookAtConsumers: (readers: Readers) => Promise<ClusterLook>;
  /**
   * Restarts Deployments as `kubectl rollout restart` does. A retry is safe: the same moment
   * restarts nothing a second time.
   * @param order.at ISO
   * @throws NotPermitted (not retried) where the role lacks `patch` on deployments;
   * DeploymentPaused (not retried)
   */
  restartDeployments: (order: { deployments: Workload[]; at: string }) => Promise<void>;
  /**
   * Waits until every running container that reads the Secret holds the token. Reads only; a retry
   * goes on waiting until the same deadline.
   */
  awaitRollout: (order: RolloutOrder) => Promise<RolloutSeen>;
  /**
   * Waits until a container of one of these consumers runs, asks it what it holds and makes its
   * smoke call. Reads only. Waits for days: whoever no longer needs to know cancels it.
   */
  awaitSighting: (order: SmokeOrder & { consumers: Consumer[] }) => Promise<Sighting[]>;
  /**
   * Waits until any pod of the namespace reads a Secret, by its spec: whatever owns it, whatever
   * its phase, however short it lives. Reads only. Waits for days: whoever no longer needs to know
   * cancels it.
   * @param order.from ISO: since when it is to watch
   * @returns an interruption where some changes were told to nobody, e.g. since no worker ran:
   * what read the Secret then was not seen
   */
  awaitReader: (order: ReaderOrder) => Promise<SeenReader | Interruption>;
  /**
   * Calls the server application from one ready pod of each consumer that holds one of the tokens,
   * with that token and with a made-up one.
   */
  smokeConsumers: (order: SmokeOrder & { tokens: Fingerprint[] }) => Promise<SmokeResult[]>;
}
