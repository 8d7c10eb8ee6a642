/** A rotation: its plan, rounds, steps, failures, details and report. */
export * from './carried-rotation.ts';
export * from './checklist.ts';
export * from './details.ts';
export * from './failures.ts';
export * from './holders.ts';
export * from './links.ts';
export * from './offers.ts';
export * from './plan.ts';
export * from './report.ts';
export * from './round.ts';
export * from './search-attributes.ts';
export * from './show-evidence.ts';
export * from './show-rotation.ts';
export * from './shown.ts';
export * from './stage.ts';
