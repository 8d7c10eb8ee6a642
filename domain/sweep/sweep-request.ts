import { ENVIRONMENTS, REQUESTER } from '../request/index.ts';
import {
  FLAG,
  oneOf,
  optional,
  type Parsed,
  parseAs,
  type Read,
  wholeNumber,
} from '../shape/index.ts';

/** No wave is larger: a parent may have two thousand children pending. */
export const LARGEST_WAVE = 1000;

/** What a person or a Schedule asks for: the input of `rotateExpiringTokens`. */
const FIELDS = {
  environment: oneOf(ENVIRONMENTS),
  /** Who asks: a name or e-mail, or `schedule`. Passed on to every rotation. */
  requestedBy: REQUESTER,
  /** Rotations of one wave: bounds how much one sync restarts. The settings' where absent. */
  maxConcurrent: optional(wholeNumber(1, LARGEST_WAVE)),
  /** Only say what would be done, for every pair. */
  plan: optional(FLAG),
};
export type SweepRequest = Read<typeof FIELDS>;

/** Reads a sweep's request strictly: each problem names the field and what was expected. */
export function parseSweepRequest(input: unknown): Parsed<SweepRequest> {
  return parseAs(input, FIELDS);
}
