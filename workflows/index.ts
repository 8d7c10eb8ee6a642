export { notifications } from './notices/notifications.ts';
export { rotateApiUser } from './sweep/rotate-api-user.ts';
export { rotateExpiringTokens } from './sweep/rotate-expiring-tokens.ts';
export { rotateToken } from './rotation/rotate-token.ts';
export { syncTokens } from './sync/sync-tokens.ts';
export { signInLedger } from './sign-in/sign-in-ledger.ts';
export { takeInventory } from './inventory/take-inventory.ts';
// eslint-disable-next-line import/no-default-export -- the SDK runs it for unknown types
export { unknownWorkflow as default } from './shared/unknown-workflow.ts';
