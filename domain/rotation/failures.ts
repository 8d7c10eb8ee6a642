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

const kindOf =
  (treatment: Treatment) =>
  (todo: string): FailureKind => ({ treatment, todo });
const [retried, blocks, fails] = [kindOf('retried'), kindOf('blocks'), kindOf('fails')];

/** Every failure an activity may end with. `docs/failures.md` has a heading for each. */
export const FAILURES = {
  InvalidRequest: fails('Start the rotation again with a corrected request.'),
  Unreachable: retried(
    'Check that the named system is up and reachable from the worker, then retry.',
  ),
  Throttled: retried(
    'Signon’s load balancer refuses this address for sending too many requests: wait some minutes, then retry.',
  ),
  ContractChanged: blocks(
    'Compare the page or answer named here with what the worker expects; upgrade the worker, then retry.',
  ),
  SignInRefused: blocks('Correct the worker’s Signon credentials and restart it, then retry.'),
  SignInBudgetSpent: blocks(
    'Correct the worker’s Signon credentials and restart it. Wait until the time named here, or send the signal named here. Then retry.',
  ),
  SignInUnproven: retried(
    'Give all workers of the environment the same SIGNON_TOTP_SECRET, and clocks that differ by less than 5 minutes, then retry.',
  ),
  CredentialRefused: retried(
    'Give the worker a credential that the system named here accepts, then retry; a file is read again before each try.',
  ),
  NotPermitted: blocks(
    'Give the worker’s account the right named here. If a program was refused, apply the output of npx signon-rotation-doctor --exec-policy. Then retry.',
  ),
  UnknownApiUser: blocks(
    'Check the e-mail in the request against Signon’s API users page; abort and start again if it was wrong.',
  ),
  UnknownApplication: blocks(
    'Check the application’s name against Signon’s “Add application token” page; abort and start again if it was wrong.',
  ),
  AmbiguousApplication: blocks(
    'Rename one of the applications in Signon so that only one matches, then retry.',
  ),
  SecretNameShared: blocks(
    'Rename one of the API users in Signon, so that each pair has a Secret of its own, then retry; or rotate by hand.',
  ),
  OlderTokenOutlives: blocks(
    'The token to be replaced by force outlives the one just issued, so the sync would keep writing it. Issue a longer-lived one in Signon by hand, then retry; or abort.',
  ),
  AccessEnded: blocks(
    'This pair’s tokens were revoked, or ended and were deleted, so the rotation issues no new one. Abort it.',
  ),
  PairChanged: blocks(
    'Signon’s data changed under this rotation (a copy of another environment?). Abort it and start another: ids are looked up anew.',
  ),
  ApiUserSuspended: blocks(
    'The sync skips suspended API users, so a new token would never arrive. Lift the suspension in Signon, then retry; or abort.',
  ),
  WrongEnvironment: blocks(
    'The worker’s settings point at two different environments. Correct them, restart the worker, then retry.',
  ),
  UnlistedToken: blocks(
    'Find out whether Signon and the cluster belong together; if not, abort and correct the worker’s settings. If the token was revoked by mistake, send the retry that accepts unlisted-token.',
  ),
  SecretMountedAsFile: blocks(
    'Abort, and rotate this pair by hand (docs/operations.md): compare the mounted file in each pod, since files cannot be proven here.',
  ),
  UnknownRecipient: blocks(
    'Enter the recipient and its age key for this API user in the settings, and restart the worker. If blocked in “assess”, retry; else abort and start anew.',
  ),
  ReadInCluster: blocks(
    'The settings name a holder outside the cluster, but containers read the token too. If both use it, set alsoInCluster; if not, fix the settings or the workload. Restart the worker. If blocked in “assess”, retry; else abort and start again.',
  ),
  CannotHandOver: blocks(
    'This rotation does not know this token’s value. Ask its holder. If they have it, send the retry that accepts already-handed-over. If not, send the one that accepts issue-another; this token is then revoked only if you name it.',
  ),
  StillInUse: blocks(
    'The token is not disused: the containers named here read or hold it. Abort and start the rotation again; if they are a mistake, remove them, then retry.',
  ),
  SyncCronJobMissing: blocks(
    'Check ARGOCD_APPLICATION and ARGOCD_SYNC_CRONJOBS against Argo CD, then retry.',
  ),
  SyncCronJobChanged: blocks(
    'Find out who replaced the sync CronJob, then retry: it is compared in Argo CD and Kubernetes anew.',
  ),
  SyncJobFailed: blocks(
    'Read the Job’s log in Argo CD, fix the cause, then retry: a new Job is made.',
  ),
  SyncJobRefused: blocks(
    'Kubernetes refused to create the sync Job. Fix what the message names (a missing right, a name over 63 characters), then retry.',
  ),
  SyncJobSuspended: blocks(
    'Somebody suspended the sync Job: resume it in Argo CD, or delete it, then retry.',
  ),
  SyncJobUnseen: blocks(
    'If the Job named in the message still runs, wait for it or delete it. Else look at the CronJob or workflow named there. Then retry.',
  ),
  SecretNotUpdated: blocks(
    'Two syncs did not bring the new token into the Secret. Read the sync Job’s log, check that the API user is not suspended, then retry.',
  ),
  RolloutIncomplete: blocks(
    'Containers named in the message hold another token or have not started. Restart their workloads (retry with restart, where it is offered) or fix what stops them, then retry.',
  ),
  DeploymentPaused: blocks(
    'Resume the Deployment named here (kubectl rollout resume), then retry.',
  ),
  ContainerEnded: blocks(
    'The worker’s program counts against the memory limit of the container named here. Raise the limit, or wait for a quieter hour, then retry.',
  ),
  ExecIncomplete: retried('Check that the named pod and its node are healthy, then retry.'),
  SmokeFailed: blocks(
    'Containers hold the new token already, and a call with it fails: their own calls may fail now. Check the server application and the API user’s permissions, then retry.',
  ),
  CreateAnswerLost: retried(
    'Check that Signon is healthy, then retry: the rotation first looks for tokens made meanwhile.',
  ),
  RevokeNotSeen: retried(
    'Check that Signon is healthy, and whether the API user’s page still lists the token. Then retry.',
  ),
  CannotTell: blocks(
    'Signon hides the tokens of a retired application, but they still work. Ask Signon’s team whether the token named here is revoked, then abort.',
  ),
  LookTooOld: blocks(
    'Signon takes too long to revoke after each fresh look: check that Signon is healthy, then retry.',
  ),
  NotTheApprovedToken: blocks(
    'Signon shows another token under the approved id. Find out whether the environment was copied over, then retry: the rotation gathers new evidence.',
  ),
  NewTokenGone: blocks(
    'Somebody revoked the new token or suspended the API user. Check in Signon which tokens are live, abort this rotation and start another.',
  ),
  ConfirmFailed: blocks(
    'Incident: a revoke cannot be undone. Restart the workloads named here, then retry. If that fails, abort and start a rotation of the pair with force. When it asks, send the retry that accepts unlisted-token.',
  ),
  SlackRefused: blocks(
    'Correct SLACK_WEBHOOK_URL and start the worker again; no rotation waits for it.',
  ),
  WaitInterrupted: retried('Nothing: the worker was shutting down; another worker continues.'),
  Unexpected: blocks(
    'A defect of the worker: report it with the step named here, then retry or abort.',
  ),
};

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
