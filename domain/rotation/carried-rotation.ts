import type { RecordedSender, Sighting } from '../evidence/index.ts';
import { ANY_TEXT, kind, listOf, object, optional, wholeNumber } from '../shape/index.ts';
import type { StepProgress } from './checklist.ts';
import type { RotationReport } from './report.ts';
import type { Round, Situation } from './round.ts';
import type { ListedToken } from '../tokens/index.ts';

/** A situation or round without its look and sync, which the next run finds out anew. */
export type Carried<T extends Situation> = T extends unknown ? Omit<T, 'look' | 'sync'> : never;

/** What a rotation passes to continue-as-new. */
export interface CarriedRotation {
  report: RotationReport;
  steps: StepProgress[];
  /** Who started the first run; absent where that could not be read. */
  starter?: RecordedSender;
  /** Rounds of evidence so far: no two of a rotation have the same number. */
  rounds: number;
  revokesBegun: ListedToken[];
  accepted: string[];
  /** Runs of consumers that were seen while a person was asked. */
  sightings?: Sighting[];
  /** The key that a person agreed to hand a token over to; the token they say its holder has. */
  agreedKey?: string;
  vouchedFor?: number;
  /** Absent where no holders were known yet: the rotation is assessed anew. */
  situation?: Carried<Situation | Round>;
}

const LIST = listOf(kind<unknown>('anything', () => true));
const CARRIED = object({
  report: object({ revoked: LIST, notes: LIST }),
  starter: optional(object({ identity: ANY_TEXT })),
  rounds: wholeNumber(),
  steps: LIST,
  revokesBegun: LIST,
  accepted: LIST,
  sightings: optional(LIST),
  agreedKey: optional(ANY_TEXT),
  vouchedFor: optional(wholeNumber()),
  situation: optional(object({ readers: object({ holding: LIST }) })),
});

/**
 * Reads what a run before this one handed on. Written by this code, and by no person: shape is
 * checked, not each value.
 */
export function parseCarriedRotation(given: unknown): CarriedRotation | undefined {
  return CARRIED.is(given) ? (given as unknown as CarriedRotation) : undefined;
}
