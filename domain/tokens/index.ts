/** Tokens, as Signon lists them: fingerprints and days, never a value. */
export * from './tokens.ts';
