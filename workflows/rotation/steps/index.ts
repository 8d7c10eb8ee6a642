/** The steps of a rotation, in the order of the runbook. */
export { begin, beginAnew } from './begin.ts';
export { delivered } from './hand-over.ts';
export { synced } from './sync.ts';
export { everyConsumerHolds } from './rollout.ts';
export { lookedAgain } from './look-again.ts';
export { smokeCalls } from './smoke.ts';
export { askApproval } from './approve.ts';
export { revokeWhileEvidenceHolds } from './revoke.ts';
export { confirmed } from './confirm.ts';
export { retire } from './retire.ts';
