import type { Shortfall } from './evidence.ts';

/** Signals people send. `by` is who sends it: a name or e-mail. */
export interface Approve {
  by: string;
  /** The evidence code shown in the details. */
  evidence: string;
  /** Authorisation ids to revoke; without it, the tokens given up. */
  revoke?: number[];
  accept?: Shortfall[];
}
export interface Refusal {
  by: string;
  reason: string;
}
export interface Retry {
  by: string;
  accept?: 'unlisted-token'[];
}

export type Shaped<T> = { ok: true; value: T } | { ok: false; why: string };

/** Checks the shape of what came with a signal: anything may come, and what does not fit changes nothing. */
export function shapeApprove(input: unknown): Shaped<Approve> {
  return shape(input, ['by', 'evidence', 'revoke', 'accept'], (given) => {
    const { revoke, accept } = given;
    if (revoke !== undefined && !(isList(revoke) && revoke.every((id) => Number.isSafeInteger(id))))
      return 'revoke: expected a list of authorisation ids';
    if (accept !== undefined && !isListOf(accept, ['not-smoke-tested', 'no-pod-seen']))
      return 'accept: expected a list of "not-smoke-tested" and "no-pod-seen"';
    return expectText(given, 'by') ?? expectText(given, 'evidence');
  });
}

export function shapeRefusal(input: unknown): Shaped<Refusal> {
  return shape(input, ['by', 'reason'], (given) => expectText(given, 'by') ?? expectText(given, 'reason'));
}

export function shapeRetry(input: unknown): Shaped<Retry> {
  return shape(input, ['by', 'accept'], (given) => {
    if (given.accept !== undefined && !isListOf(given.accept, ['unlisted-token']))
      return 'accept: expected ["unlisted-token"]';
    return expectText(given, 'by');
  });
}

function shape<T>(
  input: unknown,
  fields: string[],
  problem: (given: Record<string, unknown>) => string | undefined,
): Shaped<T> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { ok: false, why: `expected one JSON object with ${fields.join(', ')}` };
  const given = input as Record<string, unknown>;
  const unknown = Object.keys(given).find((key) => !fields.includes(key));
  if (unknown !== undefined)
    return { ok: false, why: `${unknown.slice(0, 40)}: unknown field, expected ${fields.join(', ')}` };
  const why = problem(given);
  return why === undefined ? { ok: true, value: given as T } : { ok: false, why };
}

function expectText(given: Record<string, unknown>, field: string): string | undefined {
  const value = given[field];
  return typeof value === 'string' && value.trim() !== '' && value.length <= 254
    ? undefined
    : `${field}: expected a text of 1 to 254 characters`;
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length <= 100;
}

function isListOf(value: unknown, allowed: string[]): boolean {
  return isList(value) && value.every((item) => typeof item === 'string' && allowed.includes(item));
}
