/** What all workflows share: activities, failures, messages of people and workflows, notices. */
export * from './activities.ts';
export * from './attempts.ts';
export * from './carried.ts';
export * from './decisions.ts';
export * from './failures.ts';
export * from './invalid-request.ts';
export * from './messages.ts';
export * from './notices.ts';
export * from './start-canonical.ts';
