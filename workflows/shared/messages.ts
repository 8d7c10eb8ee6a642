import { defineQuery, defineSignal } from '@temporalio/workflow';
import { SIGNAL, STATUS } from '../../domain/names/index.ts';
import type { Progress } from '../../domain/rotation/index.ts';
import type { SweepProgress } from '../../domain/sweep/index.ts';

/** Where a rotation stands, with the evidence code that counts now. */
export const status = defineQuery<Progress & { code?: string }>(STATUS);

/** Asks `syncTokens` for a sync; input a `SyncRequest`. */
export const syncRequested = defineSignal<[unknown]>(SIGNAL.syncRequested);
/** Tells a rotation what became of its request; input a `SyncAnswer`. */
export const syncAnswered = defineSignal<[unknown]>(SIGNAL.syncAnswered);

export const sweepStatus = defineQuery<SweepProgress>(STATUS);
/** Tells a sweep where one of its rotations stands; input a `StageReport`. */
export const stageReported = defineSignal<[unknown]>(SIGNAL.stageReported);
