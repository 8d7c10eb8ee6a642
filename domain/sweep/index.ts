/** A sweep: its request, table, waves and schedule. */
export * from './api-user-request.ts';
export * from './api-user-rows.ts';
export * from './carried-sweep.ts';
export * from './sweep-decisions.ts';
export * from './sweep-details.ts';
export * from './sweep-request.ts';
export * from './sweep-schedule.ts';
export * from './sweep.ts';
