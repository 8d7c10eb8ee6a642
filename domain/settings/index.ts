/** The settings of a rotation, and what they say of Signon’s renewal. */
export * from './renewal.ts';
export * from './settings.ts';
