import { SHORTFALLS } from './evidence.ts';
import {
  FLAG,
  type Fields,
  isObject,
  type Kind,
  listOf,
  matching,
  oneOf,
  optional,
  problemsOf,
  type Read,
  textUpTo,
  unknownFields,
  wholeNumber,
} from '../shape/index.ts';

/** What a person may vouch for with a retry, where it is offered. */
export const RETRY_ACCEPTS = ['unlisted-token', 'already-handed-over', 'issue-another'] as const;
export type RetryAccept = (typeof RETRY_ACCEPTS)[number];

export type DecisionName = keyof Decisions;

/** What a decision came to. One that was not accepted changed nothing, and says why. */
export interface Answer {
  accepted: boolean;
  answer: string;
}

/**
 * How a decision came: as the n-th signal of its name, counted from 0, or as an update with that
 * id. The server's history says who sent it.
 */
export type DecisionId = { signal: number } | { update: string };

export type Shaped<T> = { ok: true; value: T } | { ok: false; why: string };

/** More tokens than any pair was seen to have, and what an approval of all of them names. */
const LONGEST_LIST = 1000;
const NAME = textUpTo(254, 'your name or e-mail address');
const BY = { by: NAME };
const listOfWords = <Word extends string>(words: readonly Word[]): Kind<Word[]> =>
  listOf(oneOf(words), `a list of ${words.map((word) => `"${word}"`).join(', ')}`, LONGEST_LIST);

/** What people send. `by` is who sends it. */
const APPROVE = {
  /** May be left out where the server records the sender’s e-mail address or principal. */
  by: optional(NAME),
  /** The evidence code shown in the details. */
  evidence: textUpTo(),
  /** Authorisation ids to revoke; without it, the tokens given up. */
  revoke: optional(listOf(wholeNumber(), 'a list of authorisation ids', LONGEST_LIST)),
  accept: optional(listOfWords(SHORTFALLS)),
};
const REFUSAL = { ...BY, reason: textUpTo() };
const RETRY = {
  ...BY,
  /**
   * Restart the Deployments that the failure names, as `kubectl rollout restart` does, before going
   * on.
   */
  restart: optional(FLAG),
  /** Make another sync Job before going on. */
  sync: optional(FLAG),
  accept: optional(listOfWords(RETRY_ACCEPTS)),
};
/**
 * Who holds a token that no container reads, as a person says; names of workloads, containers and
 * variables must be valid in Kubernetes.
 */
const CLASSES = {
  external: { ...BY, as: oneOf(['external']), recipient: textUpTo() },
  disused: { ...BY, as: oneOf(['disused']) },
  internal: {
    ...BY,
    as: oneOf(['internal']),
    workload: matching(
      /^(Deployment|StatefulSet|DaemonSet|CronJob|Job|Pod)\/[a-z0-9][a-z0-9.-]{0,252}$/,
      'a kind and a name, e.g. "Deployment/short-url-manager"',
    ),
    container: matching(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a container’s name, e.g. "app"'),
    variable: matching(
      /^[A-Za-z_][A-Za-z0-9_]{0,253}$/,
      'a variable’s name, e.g. "PUBLISHING_API_BEARER_TOKEN"',
    ),
  },
};
type Classes = typeof CLASSES;

export type Approve = Read<typeof APPROVE>;
export type Refusal = Read<typeof REFUSAL>;
export type Retry = Read<typeof RETRY>;
export type Classify = { [As in keyof Classes]: Read<Classes[As]> }[keyof Classes];

export interface Decisions {
  approve: Approve;
  reject: Refusal;
  retry: Retry;
  abort: Refusal;
  classify: Classify;
}

/**
 * Checks the shape of what came with a signal: anything may come, and what does not fit changes
 * nothing.
 */
export const shapeApprove = shapeOf(APPROVE, (text) =>
  /^[0-9a-f]{8}$/i.test(text) ? { evidence: text } : undefined,
);
export const shapeRefusal = shapeOf(REFUSAL);
/** Who sends it, and nothing else. */
export const shapeBy = shapeOf(BY);
export const shapeRetry = shapeOf(RETRY);

export function shapeClassify(given: unknown): Shaped<Classify> {
  const input = unwrapped(given);
  const as = isObject(input) ? input.as : undefined;
  const fields =
    typeof as === 'string' && Object.hasOwn(CLASSES, as) ? CLASSES[as as keyof Classes] : undefined;
  if (!fields) return { ok: false, why: `as: expected one of ${Object.keys(CLASSES).join(', ')}` };
  return shapeOf(fields)(input) as Shaped<Classify>;
}

/** Of every decision: how its input is shaped, and what the UI's forms say of it. */
export type DecisionTable<Sent> = {
  [Name in keyof Sent]: { shape: (input: unknown) => Shaped<Sent[Name]>; description: string };
};
export const DECISIONS: DecisionTable<Decisions> = {
  approve: {
    shape: shapeApprove,
    description:
      'Revoke what the evidence covers. Paste the JSON from the tab User Metadata: {"by": "your e-mail", "evidence": "d58af081"}',
  },
  reject: {
    shape: shapeRefusal,
    description: 'Keep the old token and end: {"by": "your e-mail", "reason": "why"}',
  },
  retry: { shape: shapeRetry, description: 'Retry the blocked step: {"by": "your e-mail"}' },
  abort: {
    shape: shapeRefusal,
    description: 'Stop the rotation: {"by": "your e-mail", "reason": "why"}',
  },
  classify: {
    shape: shapeClassify,
    description:
      'Say who holds a token that no container reads. Paste the JSON from the tab User Metadata: {"by": "your e-mail", "as": "disused"}',
  },
};

/** @param fromText what a text that is no JSON stands for; undefined for nothing */
function shapeOf<F extends Fields>(
  fields: F,
  fromText?: (text: string) => object | undefined,
): (given: unknown) => Shaped<Read<F>> {
  const names = Object.keys(fields);
  return (given) => {
    const read = unwrapped(given);
    const input = typeof read === 'string' && fromText ? fromText(read.trim()) : read;
    if (!isObject(input))
      return { ok: false, why: `expected one JSON object with ${names.join(', ')}` };
    const [why] = [...unknownFields(input, names), ...problemsOf(input, fields)];
    return why === undefined ? { ok: true, value: input as Read<F> } : { ok: false, why };
  };
}

/** Unwraps a JSON object that a form sent as quoted text. */
function unwrapped(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  try {
    const read: unknown = JSON.parse(given);
    return isObject(read) ? read : given;
  } catch {
    return given;
  }
}
