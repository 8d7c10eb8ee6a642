/** Names that workflows, workers and clients share: each has its one home here. */
export * from './names.ts';
