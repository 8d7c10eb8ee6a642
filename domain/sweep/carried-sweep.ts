import { ANY_TEXT, listOf, MOMENT, object, optional, wholeNumber } from '../shape/index.ts';
import type { Settings } from '../settings/index.ts';
import type { SweepRow } from './sweep.ts';

/** What a sweep passes to continue-as-new. */
export interface CarriedSweep {
  rows: SweepRow[];
  settings: Settings;
  /** Ms since the epoch. */
  endsAt: number;
  pausedBy?: string;
}

const CARRIED = object({
  rows: listOf(
    object({ apiUser: ANY_TEXT, application: ANY_TEXT, state: ANY_TEXT, what: ANY_TEXT }),
  ),
  settings: object({ sweep: object({ maxConcurrent: wholeNumber() }) }),
  endsAt: MOMENT,
  pausedBy: optional(ANY_TEXT),
});

/**
 * Reads what the run before passed on. Undefined where it is not of that shape: the sweep then
 * begins anew.
 */
export function parseCarriedSweep(input: unknown): CarriedSweep | undefined {
  return CARRIED.is(input) ? (input as unknown as CarriedSweep) : undefined;
}
