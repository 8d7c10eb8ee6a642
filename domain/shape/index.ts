/** What came from outside, checked by hand: workflows bring no library for it. */
export * from './shape.ts';
