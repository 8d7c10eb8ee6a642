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

/** The id of an environment's only workflow of a kind. */
const idOf =
  (kind: string) =>
  (environment: string): string =>
    `${kind}/${environment}`;
/** An environment's sweep, and the Schedule that starts it. */
export const sweepId = idOf('sweep');
/** A sweep that only says what it would do. */
export const planId = idOf('sweep-plan');
export const syncTokensId = idOf('sync-tokens');
export const notificationsId = idOf('notifications');
export const signInLedgerId = idOf('sign-in-ledger');
export const inventoryId = idOf('inventory');

/** What the ids of rotations of a whole API user begin with. */
export function apiUserIdsOf(environment: string): string {
  return `leak/${environment}/`;
}
