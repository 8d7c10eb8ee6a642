import type {
  Approve,
  Delegation,
  Evidence,
  Given,
  RecordedSender,
  DecisionId,
  Verdict,
} from '../../domain/evidence/index.ts';
import type { Environment, RotationRequest } from '../../domain/request/index.ts';
import type { SignInOutcome, SignInQuestion } from '../../domain/sign-in/index.ts';
import type { Remembered, Stage } from '../../domain/rotation/index.ts';
import type { SyncRequest, SyncSettings } from '../../domain/sync/index.ts';
import type { Settings } from '../../domain/settings/index.ts';

/** What a rotation asks of Temporal and of its own worker. */
export interface TemporalActivities {
  /**
   * Checks that this worker serves the request's environment, and hands out its settings.
   * @throws InvalidRequest (fails the workflow) for another environment's request; WrongEnvironment
   * (not retried) where a host does not match it
   */
  beginRotation: (
    request: Pick<RotationRequest, 'environment'> & { requestedBy?: string },
  ) => Promise<Settings>;
  /**
   * Which of the calling run's activities are being retried, and what they say that they wait for,
   * a sentence each. Reads only.
   */
  readRetries: () => Promise<string[]>;
  /**
   * Who started the calling run, the first of those that it continues, or the run that handed it
   * over, as the server recorded it. Reads only.
   */
  readStarter: (delegation?: Delegation) => Promise<RecordedSender>;
  /**
   * Ids of the environment's open rotations; one that opened a moment ago may be missing. Reads
   * only.
   */
  listOpen: (environment: Environment) => Promise<string[]>;
  /** Where rotations stand, in the order asked for. Reads only. */
  readStages: (workflowIds: string[]) => Promise<(Stage | 'ended')[]>;
  /**
   * Asks the environment's `syncTokens` for a sync, and starts it where it does not run. A retry is
   * safe: one ticket counts once.
   */
  requestSync: (request: SyncRequest) => Promise<void>;
  /** How this worker's settings say that syncs are done. */
  syncSettings: () => Promise<SyncSettings>;
  /** Which of these ids are rotations of this environment that run now. Reads only. */
  runningRotations: (workflowIds: string[]) => Promise<string[]>;
  /**
   * The verdict on an approval: computes the code again for the calling run and reads the sender
   * from the server's history. Reads only.
   * @param judged.sent which signal or update of the run it came as
   */
  judge: (judged: {
    approval: Approve;
    sent: DecisionId;
    evidence: Evidence;
    request: RotationRequest;
    delegation?: Delegation;
    /** Who started the first of the runs that this one continues, where it continues one. */
    starter?: RecordedSender;
    /** Approvals of this evidence that count already. */
    given?: Given[];
  }) => Promise<Verdict>;
  /**
   * What the last closed run of the calling rotation saw; nothing where there is none. Reads only.
   */
  remembersOf: () => Promise<Remembered>;
  /**
   * Whether an abort or a cancel request of the calling run was sent to an earlier run: a reset
   * applies them again. Reads only.
   * @param stop which signal or update of the run the abort came as
   */
  wasSentBefore: (stop: DecisionId | 'cancel') => Promise<boolean>;
}

/** What the sign-in ledger asks of the worker that runs it. */
export interface LedgerActivities {
  /**
   * Whether a worker of this environment says it: one that knows the same TOTP secret. A question
   * must be fresh as well. Reads only.
   */
  provesWorker: (said: SignInQuestion | SignInOutcome) => Promise<boolean>;
}
