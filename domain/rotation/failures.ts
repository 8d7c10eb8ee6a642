/**
 * What the engine does with a failure: `retried` by the step's policy until it is spent, `blocks`
 * at once, or `fails` the workflow.
 */
export type Treatment = 'retried' | 'blocks' | 'fails';

interface FailureKind {
  treatment: Treatment;
  /** What a person does about it; each sentence has at most 25 words. */
  todo: string;
}

/** Every failure an activity may end with. `docs/failures.md` has a heading for each. */
export const FAILURES = {
  InvalidRequest: {
    treatment: 'fails',
    todo: 'Start the rotation again with a corrected request.',
  },
  Unreachable: {
    treatment: 'retried',
    todo: 'Check that the named system is up and reachable from the worker, then retry.',
  },
  Throttled: {
    treatment: 'retried',
    todo: 'Signon’s load balancer refuses this address for sending too many requests: wait some minutes, then retry.',
  },
  ContractChanged: {
    treatment: 'blocks',
    todo: 'Compare the page or answer named here with what the worker expects; upgrade the worker, then retry.',
  },
  SignInRefused: {
    treatment: 'blocks',
    todo: 'Correct the worker’s Signon credentials and restart it, then retry.',
  },
  SignInBudgetSpent: {
    treatment: 'blocks',
    todo: 'Correct the worker’s Signon credentials and restart it. Wait until the time named here, or send the signal named here. Then retry.',
  },
  SignInUnproven: {
    treatment: 'retried',
    todo: 'Give all workers of the environment the same SIGNON_TOTP_SECRET, and clocks that differ by less than 5 minutes, then retry.',
  },
  CredentialRefused: {
    treatment: 'retried',
    todo: 'Give the worker a credential that the system named here accepts, then retry; a file is read again before each try.',
  },
  NotPermitted: {
    treatment: 'blocks',
    todo: 'Give the worker’s account the right named here. If a program was refused, apply the output of signon-rotation-doctor --exec-policy. Then retry.',
  },
  UnknownApiUser: {
    treatment: 'blocks',
    todo: 'Check the e-mail in the request against Signon’s API users page; abort and start again if it was wrong.',
  },
  UnknownApplication: {
    treatment: 'blocks',
    todo: 'Check the application’s name against Signon’s “Add application token” page; abort and start again if it was wrong.',
  },
  AmbiguousApplication: {
    treatment: 'blocks',
    todo: 'Rename one of the applications in Signon so that only one matches, then retry.',
  },
  SecretNameShared: {
    treatment: 'blocks',
    todo: 'Rename one of the API users in Signon, so that each pair has a Secret of its own, then retry; or rotate by hand.',
  },
  OlderTokenOutlives: {
    treatment: 'blocks',
    todo: 'The token to be replaced by force outlives the one just issued, so the sync would keep writing it. Issue a longer-lived one in Signon by hand, then retry; or abort.',
  },
  AccessEnded: {
    treatment: 'blocks',
    todo: 'This pair’s tokens were revoked, or ended and were deleted, so the rotation issues no new one. Abort it.',
  },
  PairChanged: {
    treatment: 'blocks',
    todo: 'Signon’s data changed under this rotation (a copy of another environment?). Abort it and start another: ids are looked up anew.',
  },
  ApiUserSuspended: {
    treatment: 'blocks',
    todo: 'The sync skips suspended API users, so a new token would never arrive. Lift the suspension in Signon, then retry; or abort.',
  },
  WrongEnvironment: {
    treatment: 'blocks',
    todo: 'The worker’s settings point at two different environments. Correct them, restart the worker, then retry.',
  },
  UnlistedToken: {
    treatment: 'blocks',
    todo: 'Find out whether Signon and the cluster belong together; if not, abort and correct the worker’s settings. If the token was revoked by mistake, send retry with accept ["unlisted-token"].',
  },
  SecretMountedAsFile: {
    treatment: 'blocks',
    todo: 'Abort, and rotate this pair by hand (docs/operations.md): compare the mounted file in each pod, since files cannot be proven here.',
  },
  UnknownRecipient: {
    treatment: 'blocks',
    todo: 'Enter the recipient and its age key for this API user in the settings, and restart the worker. If blocked in “assess”, retry; else abort and start anew.',
  },
  ReadInCluster: {
    treatment: 'blocks',
    todo: 'The settings name a holder outside the cluster, but containers read the token too. If both use it, set alsoInCluster; if not, fix the settings or the workload. Restart the worker. If blocked in “assess”, retry; else abort and start again.',
  },
  CannotHandOver: {
    treatment: 'blocks',
    todo: 'This rotation does not know this token’s value. Ask its holder. If they have it, send retry with accept ["already-handed-over"]. If not, send retry with accept ["issue-another"]; this token is then revoked only if you name it.',
  },
  StillInUse: {
    treatment: 'blocks',
    todo: 'The token is not disused: the containers named here read or hold it. Abort and start the rotation again; if they are a mistake, remove them, then retry.',
  },
  SyncCronJobMissing: {
    treatment: 'blocks',
    todo: 'Check ARGOCD_APPLICATION and ARGOCD_SYNC_CRONJOBS against Argo CD, then retry.',
  },
  SyncCronJobChanged: {
    treatment: 'blocks',
    todo: 'Find out who replaced the sync CronJob, then retry: it is compared in Argo CD and Kubernetes anew.',
  },
  SyncJobFailed: {
    treatment: 'blocks',
    todo: 'Read the Job’s log in Argo CD, fix the cause, then retry: a new Job is made.',
  },
  SyncJobRefused: {
    treatment: 'blocks',
    todo: 'Kubernetes refused to create the sync Job. Fix what the message names (a missing right, a name over 63 characters), then retry.',
  },
  SyncJobSuspended: {
    treatment: 'blocks',
    todo: 'Somebody suspended the sync Job: resume it in Argo CD, or delete it, then retry.',
  },
  SyncJobUnseen: {
    treatment: 'blocks',
    todo: 'If the Job named in the message still runs, wait for it or delete it. Else look at the CronJob or workflow named there. Then retry.',
  },
  SecretNotUpdated: {
    treatment: 'blocks',
    todo: 'Two syncs did not bring the new token into the Secret. Read the sync Job’s log, check that the API user is not suspended, then retry.',
  },
  RolloutIncomplete: {
    treatment: 'blocks',
    todo: 'Containers named in the message hold another token or have not started. Send retry with restart, or fix what stops them and send retry.',
  },
  DeploymentPaused: {
    treatment: 'blocks',
    todo: 'Resume the Deployment named here (kubectl rollout resume), then retry.',
  },
  ContainerEnded: {
    treatment: 'blocks',
    todo: 'The worker’s program counts against the memory limit of the container named here. Raise the limit, or wait for a quieter hour, then retry.',
  },
  ExecIncomplete: {
    treatment: 'retried',
    todo: 'Check that the named pod and its node are healthy, then retry.',
  },
  SmokeFailed: {
    treatment: 'blocks',
    todo: 'The consumer cannot use the new token: look at the server application and the API user’s permissions, then retry.',
  },
  CreateAnswerLost: {
    treatment: 'retried',
    todo: 'Check that Signon is healthy, then retry: the rotation first looks for tokens made meanwhile.',
  },
  RevokeNotSeen: {
    treatment: 'retried',
    todo: 'Check that Signon is healthy, and whether the API user’s page still lists the token. Then retry.',
  },
  CannotTell: {
    treatment: 'blocks',
    todo: 'Signon hides the tokens of a retired application, but they still work. Ask Signon’s team whether the token named here is revoked, then abort.',
  },
  LookTooOld: {
    treatment: 'blocks',
    todo: 'Signon takes too long to revoke after each fresh look: check that Signon is healthy, then retry.',
  },
  NotTheApprovedToken: {
    treatment: 'blocks',
    todo: 'Signon shows another token under the approved id. Find out whether the environment was copied over, then retry: the rotation gathers new evidence.',
  },
  NewTokenGone: {
    treatment: 'blocks',
    todo: 'Somebody revoked the new token or suspended the API user. Check in Signon which tokens are live, abort this rotation and start another.',
  },
  ConfirmFailed: {
    treatment: 'blocks',
    todo: 'Incident: a revoke cannot be undone. Restart the workloads named here, then retry. If that fails, abort and start a rotation of the pair with force. When it asks, send retry with accept ["unlisted-token"].',
  },
  SlackRefused: {
    treatment: 'blocks',
    todo: 'Correct SLACK_WEBHOOK_URL and start the worker again; no rotation waits for it.',
  },
  WaitInterrupted: {
    treatment: 'retried',
    todo: 'Nothing: the worker was shutting down; another worker continues.',
  },
  Unexpected: {
    treatment: 'blocks',
    todo: 'A defect of the worker: report it with the step named here, then retry or abort.',
  },
} as const satisfies Record<string, FailureKind>;

/** A detail of a failure before the act: nothing was sent, in no attempt. */
export const NOT_SENT = 'not sent';

export type FailureName = keyof typeof FAILURES;

/** Whether a name that came back over the wire is one of ours. */
export function isFailure(name: string): name is FailureName {
  return Object.hasOwn(FAILURES, name);
}

/** What to do about a failure, for names that came back over the wire. */
export function todoFor(name: string): string {
  return FAILURES[isFailure(name) ? name : 'Unexpected'].todo;
}
