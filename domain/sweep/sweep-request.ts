import { ENVIRONMENTS, REQUESTER, type Environment } from '../request/index.ts';
import {
  FLAG,
  type Fields,
  isObject,
  oneOf,
  optional,
  problemsOf,
  readAs,
  unknownFields,
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

export type ParsedSweep = { ok: true; request: SweepRequest } | { ok: false; problems: string[] };

/** No wave is larger: a parent may have two thousand children pending. */
export const LARGEST_WAVE = 1000;

const FIELDS: Fields<SweepRequest> = {
  environment: oneOf(ENVIRONMENTS),
  requestedBy: REQUESTER,
  maxConcurrent: optional(wholeNumber(1, LARGEST_WAVE)),
  plan: optional(FLAG),
};

/** Reads a sweep's request strictly: each problem names the field and what was expected. */
export function parseSweepRequest(input: unknown): ParsedSweep {
  if (!isObject(input)) return { ok: false, problems: ['the input must be one JSON object'] };
  const names = Object.keys(FIELDS);
  const problems = [
    ...unknownFields(input, names).map(
      (key) => `${key.slice(0, 40)}: unknown field, expected ${names.join(', ')}`,
    ),
    ...problemsOf(input, FIELDS),
  ];
  const request = readAs(input, FIELDS);
  return request && problems.length === 0
    ? { ok: true, request: { ...request, requestedBy: request.requestedBy.trim() } }
    : { ok: false, problems };
}
