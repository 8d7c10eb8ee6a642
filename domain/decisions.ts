import { SHORTFALLS, type Shortfall } from './evidence.ts';

/** What people send. `by` is who sends it: a name or e-mail. */
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
  /** Restart the Deployments that the failure names, as `kubectl rollout restart` does, before going on. */
  restart?: boolean;
  /** Make another sync Job before going on. */
  sync?: boolean;
  accept?: RetryAccept[];
}

/** What a person may vouch for with a retry, where it is offered. */
export const RETRY_ACCEPTS = ['unlisted-token', 'already-handed-over', 'issue-another'] as const;
export type RetryAccept = (typeof RETRY_ACCEPTS)[number];

/** Who holds a token that no container reads, as a person says. */
export type Classify =
  | { by: string; as: 'external'; recipient: string }
  | { by: string; as: 'disused' }
  | { by: string; as: 'internal'; workload: string; container: string; variable: string };

export interface Decisions {
  approve: Approve;
  reject: Refusal;
  retry: Retry;
  abort: Refusal;
  classify: Classify;
}
export type DecisionName = keyof Decisions;

/** What a decision came to. One that was not accepted changed nothing, and says why. */
export interface Answer {
  accepted: boolean;
  answer: string;
}

/** How a decision came: as the n-th signal of its name, counted from 0, or as an update with that id. The server's history says who sent it. */
export type Sent = { signal: number } | { update: string };

export type Shaped<T> = { ok: true; value: T } | { ok: false; why: string };

/** Checks the shape of what came with a signal: anything may come, and what does not fit changes nothing. */
export function shapeApprove(input: unknown): Shaped<Approve> {
  return shape(input, ['by', 'evidence', 'revoke', 'accept'], (given) => {
    const { revoke, accept } = given;
    if (revoke !== undefined && !(isList(revoke) && revoke.every((id) => Number.isSafeInteger(id))))
      return 'revoke: expected a list of authorisation ids';
    if (accept !== undefined && !isListOf(accept, SHORTFALLS))
      return `accept: expected a list of ${SHORTFALLS.map((code) => `"${code}"`).join(', ')}`;
    return expectText(given, 'by') ?? expectText(given, 'evidence');
  });
}

export function shapeRefusal(input: unknown): Shaped<Refusal> {
  return shape(input, ['by', 'reason'], (given) => expectText(given, 'by') ?? expectText(given, 'reason'));
}

/** Who sends it, and nothing else. */
export function shapeBy(input: unknown): Shaped<{ by: string }> {
  return shape(input, ['by'], (given) => expectText(given, 'by'));
}

export function shapeRetry(input: unknown): Shaped<Retry> {
  return shape(input, ['by', 'restart', 'sync', 'accept'], (given) => {
    for (const field of ['restart', 'sync'])
      if (given[field] !== undefined && typeof given[field] !== 'boolean') return `${field}: expected true or false`;
    if (given.accept !== undefined && !isListOf(given.accept, RETRY_ACCEPTS))
      return `accept: expected a list of ${RETRY_ACCEPTS.map((code) => `"${code}"`).join(', ')}`;
    return expectText(given, 'by');
  });
}

export function shapeClassify(input: unknown): Shaped<Classify> {
  const as = typeof input === 'object' && input !== null ? (input as Record<string, unknown>).as : undefined;
  const more = typeof as === 'string' && Object.hasOwn(CLASSES, as) ? CLASSES[as as Classify['as']] : undefined;
  if (!more) return { ok: false, why: `as: expected one of ${Object.keys(CLASSES).join(', ')}` };
  return shape(input, ['by', 'as', ...more], (given) =>
    ['by', ...more]
      .map((field) => expectText(given, field) ?? expectName(given, field))
      .find((why) => why !== undefined),
  );
}

/** Names that are asked of containers: as Kubernetes allows them. */
const NAMES: Record<string, { like: RegExp; example: string }> = {
  workload: {
    like: /^(Deployment|StatefulSet|DaemonSet|CronJob|Job|Pod)\/[a-z0-9][a-z0-9.-]{0,252}$/,
    example: 'a kind and a name, e.g. "Deployment/short-url-manager"',
  },
  container: { like: /^[a-z0-9][a-z0-9-]{0,62}$/, example: 'a container’s name, e.g. "app"' },
  variable: {
    like: /^[A-Za-z_][A-Za-z0-9_]{0,253}$/,
    example: 'a variable’s name, e.g. "PUBLISHING_API_BEARER_TOKEN"',
  },
};

function expectName(given: Record<string, unknown>, field: string): string | undefined {
  const name = NAMES[field];
  return !name || name.like.test(String(given[field])) ? undefined : `${field}: expected ${name.example}`;
}

/** What else is to be said with each class. */
const CLASSES: Record<Classify['as'], string[]> = {
  external: ['recipient'],
  disused: [],
  internal: ['workload', 'container', 'variable'],
};

/** Every decision: how its input is shaped, and what the UI's forms say of it. */
export const DECISIONS: {
  [Name in DecisionName]: { shape: (input: unknown) => Shaped<Decisions[Name]>; description: string };
} = {
  approve: {
    shape: shapeApprove,
    description: 'Revoke what the evidence covers: {"by": "you@example.org", "evidence": "code in the details"}',
  },
  reject: { shape: shapeRefusal, description: 'Keep the old token and end: {"by": "you@example.org", "reason": "…"}' },
  retry: { shape: shapeRetry, description: 'Go on from the blocked step: {"by": "you@example.org"}' },
  abort: { shape: shapeRefusal, description: 'End here, tidily: {"by": "you@example.org", "reason": "…"}' },
  classify: {
    shape: shapeClassify,
    description: 'Say who holds a token that no container reads: {"by": "you@example.org", "as": "disused"}',
  },
};

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

/** More tokens than any pair was seen to have, and what an approval of all of them names. */
const LONGEST_LIST = 1000;

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length <= LONGEST_LIST;
}

function isListOf(value: unknown, allowed: readonly string[]): boolean {
  return isList(value) && value.every((item) => typeof item === 'string' && allowed.includes(item));
}
