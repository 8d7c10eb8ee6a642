import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Progress } from '../domain/checklist.ts';

/** What people send. The input is validated by hand: the UI's form takes any JSON. */
export const approve = defineSignal<[unknown]>('approve');
export const reject = defineSignal<[unknown]>('reject');
export const retry = defineSignal<[unknown]>('retry');
export const abort = defineSignal<[unknown]>('abort');

/** Where a rotation stands, with the evidence code that counts now. */
export const status = defineQuery<Progress & { code?: string }>('status');
