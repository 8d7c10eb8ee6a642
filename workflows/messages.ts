import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Progress } from '../domain/checklist.ts';
import type { Answer } from '../domain/decisions.ts';
import type { SweepProgress } from '../domain/sweep-details.ts';

/** Where a rotation stands, with the evidence code that counts now. */
export const status = defineQuery<Progress & { code?: string }>('status');

/** A decision's signal: the input is shaped by hand, since the UI's form takes any JSON. */
export const signalOf = (name: string) => defineSignal<[unknown]>(name);
/** The same decision as an update, for callers who need the answer. */
export const updateOf = (name: string) => defineUpdate<Answer, [unknown]>(name);

/** Asks `syncTokens` for a sync; input a `SyncRequest`. */
export const syncRequested = defineSignal<[unknown]>('request');
/** Tells a rotation what became of its request; input a `SyncAnswer`. */
export const syncAnswered = defineSignal<[unknown]>('synced');

/** Where a sweep stands. */
export const sweepStatus = defineQuery<SweepProgress>('status');
/** Tells a sweep where one of its rotations stands; input a `StageReport`. */
export const stageReported = defineSignal<[unknown]>('rotation');
