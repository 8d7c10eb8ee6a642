export { notifications } from './notifications.ts';
export { rotateExpiringTokens } from './rotate-expiring-tokens.ts';
export { rotateToken } from './rotate-token.ts';
export { syncTokens } from './sync-tokens.ts';
export { signInLedger } from './sign-in-ledger.ts';
export { takeInventory } from './take-inventory.ts';
