/** The types of the workflows. */
export const WORKFLOW = {
  rotation: 'rotateToken',
  sweep: 'rotateExpiringTokens',
  apiUser: 'rotateApiUser',
  sync: 'syncTokens',
  notifications: 'notifications',
  signIns: 'signInLedger',
  inventory: 'takeInventory',
} as const;

/** Signals that workflows and workers send; what people send is named in the decisions. */
export const SIGNAL = {
  /** To `syncTokens`: a `SyncRequest`. */
  syncRequested: 'request',
  /** To a rotation: a `SyncAnswer`. */
  syncAnswered: 'synced',
  /** To a sweep, by one of its rotations: a `StageReport`. */
  stageReported: 'rotation',
  /** To `notifications`: a `Notice`. */
  noticed: 'notice',
  /** To the sign-in ledger: a `SignInOutcome`. */
  signInSettled: 'settle',
} as const;

/** The query that tells where a rotation or a sweep stands. */
export const STATUS = 'status';

/** What the ids of an environment's rotations begin with. */
export function rotationIdsOf(environment: string): string {
  return `rotate-token/${environment}/`;
}

/** The id of an environment's sweep, and of the Schedule that starts it. */
export function sweepId(environment: string): string {
  return `sweep/${environment}`;
}

/** The id of a sweep that only says what it would do. */
export function planId(environment: string): string {
  return `sweep-plan/${environment}`;
}

/** What the ids of rotations of a whole API user begin with. */
export function apiUserIdsOf(environment: string): string {
  return `leak/${environment}/`;
}

/** The workflow that serves all syncs of an environment. */
export function syncTokensId(environment: string): string {
  return `sync-tokens/${environment}`;
}

/** The workflow that collects an environment's notices. */
export function notificationsId(environment: string): string {
  return `notifications/${environment}`;
}

/** The workflow that counts the sign-ins of an environment's workers. */
export function signInLedgerId(environment: string): string {
  return `sign-in-ledger/${environment}`;
}

/** The workflow that takes an environment's inventory. */
export function inventoryId(environment: string): string {
  return `inventory/${environment}`;
}
