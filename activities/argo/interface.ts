export interface SyncCronJob {
  name: string;
  uid: string;
}

export interface SyncJob extends SyncCronJob {
  /** ISO, whole seconds, by the cluster's clock. */
  createdAt: string;
}

/**
 * What a rotation asks of Argo CD. Every method throws `NotPermitted` and `ContractChanged` (not
 * retried) and `Unreachable` (retried).
 */
export interface ArgoActivities {
  /**
   * The first of the configured sync CronJobs that the application has. Reads only.
   * @throws SyncCronJobMissing (not retried)
   */
  findSyncCronJob: () => Promise<SyncCronJob>;
  /**
   * Makes a Job from the CronJob, or takes one over that was created at least 5 s after `notBefore`
   * and has not failed. A retry is safe: a Job that its own last attempt made is taken over or
   * waited for, and one too many writes the same.
   * @param order.notBefore ISO: what the sync must bring was there by then
   * @param order.cronJobUid which of the configured CronJobs is meant; whoever orders names no
   * other
   * @throws SyncCronJobMissing, SyncCronJobChanged, SyncJobUnseen where none could be made by the
   * deadline (not retried)
   */
  createSyncJob: (order: {
    cronJobUid: string;
    notBefore: string;
    deadline: string;
  }) => Promise<SyncJob>;
  /**
   * Waits for the Job's end. A Job that is gone has ended; whether it succeeded shows in what
   * containers hold. A retry goes on waiting.
   * @throws SyncJobFailed (not retried) with the redacted end of its log; SyncJobUnseen (not
   * retried) at the deadline
   */
  awaitSyncJob: (wait: {
    job: SyncJob;
    deadline: string;
  }) => Promise<{ seenAt: string; seenHealthy: boolean }>;
}
