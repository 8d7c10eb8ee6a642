import { ENVIRONMENTS, type Environment } from './request.ts';

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

const FIELDS = ['environment', 'requestedBy', 'maxConcurrent', 'plan'];
/** No wave is larger: a parent may have two thousand children pending. */
export const LARGEST_WAVE = 1000;

/** Reads a sweep's request strictly: each problem names the field and what was expected. */
export function parseSweepRequest(input: unknown): ParsedSweep {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { ok: false, problems: ['the input must be one JSON object'] };
  const given = input as Record<string, unknown>;
  const { environment, requestedBy, maxConcurrent, plan } = given;
  const problems = Object.keys(given)
    .filter((key) => !FIELDS.includes(key))
    .map((key) => `${key.slice(0, 40)}: unknown field, expected ${FIELDS.join(', ')}`);
  if (!ENVIRONMENTS.includes(environment as Environment))
    problems.push(`environment: expected one of ${ENVIRONMENTS.join(', ')}`);
  if (typeof requestedBy !== 'string' || requestedBy.trim() === '' || requestedBy.length > 254)
    problems.push('requestedBy: expected the name or e-mail of who asks');
  if (
    maxConcurrent !== undefined &&
    !(Number.isInteger(maxConcurrent) && (maxConcurrent as number) >= 1 && (maxConcurrent as number) <= LARGEST_WAVE)
  )
    problems.push(`maxConcurrent: expected a number from 1 to ${LARGEST_WAVE}`);
  if (plan !== undefined && typeof plan !== 'boolean') problems.push('plan: expected true or false');
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    request: {
      environment: environment as Environment,
      requestedBy: (requestedBy as string).trim(),
      ...(maxConcurrent !== undefined && { maxConcurrent: maxConcurrent as number }),
      ...(plan !== undefined && { plan: plan as boolean }),
    },
  };
}

/** The workflow id of an environment's sweep, which is also its lock. */
export function sweepId(environment: string): string {
  return `sweep/${environment}`;
}
