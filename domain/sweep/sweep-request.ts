import { ENVIRONMENTS, REQUESTER, type Environment } from '../request/index.ts';
import {
  FLAG,
  type Fields,
  oneOf,
  optional,
  type Parsed,
  parseAs,
  wholeNumber,
} from '../shape/index.ts';

/** What a person or a Schedule asks for: the input of `rotateExpiringTokens`. */
export interface SweepRequest {
  environment: Environment;
  /** Who asks: a name or e-mail, or `schedule`. Passed on to every rotation. */
  requestedBy: string;
  /** Rotations of one wave: bounds how much one sync restarts. The settings' where absent. */
  maxConcurrent?: number;
  /** Only say what would be done, for every pair. */
  plan?: boolean;
}

/** No wave is larger: a parent may have two thousand children pending. */
export const LARGEST_WAVE = 1000;

const FIELDS: Fields<SweepRequest> = {
  environment: oneOf(ENVIRONMENTS),
  requestedBy: REQUESTER,
  maxConcurrent: optional(wholeNumber(1, LARGEST_WAVE)),
  plan: optional(FLAG),
};

/** Reads a sweep's request strictly: each problem names the field and what was expected. */
export function parseSweepRequest(input: unknown): Parsed<SweepRequest> {
  return parseAs(input, FIELDS);
}
