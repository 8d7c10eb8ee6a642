/** The evidence for an approval, what people send, and whether it counts. */
export * from './approval.ts';
export * from './decisions.ts';
export * from './delegation.ts';
export * from './evidence.ts';
export * from './gather-evidence.ts';
export * from './voided.ts';
