import { redact } from '../text/index.ts';

/** A test for a value, and what to say was expected. */
export interface Kind<T> {
  /** Follows “expected”, e.g. `true or false`. */
  expected: string;
  is: (value: unknown) => value is T;
}

/** The kind of each field; only a field whose kind is `optional` may be absent. */
export type Fields = Readonly<Record<string, Kind<unknown>>>;

type Of<K> = K extends Kind<infer T> ? T : never;
type Optional<F> = { [Name in keyof F]: undefined extends Of<F[Name]> ? Name : never }[keyof F];
/** An object as these fields read it: they are its only description. */
export type Read<F> = {
  -readonly [Name in Exclude<keyof F, Optional<F>>]: Of<F[Name]>;
} & { -readonly [Name in Optional<F>]?: Of<F[Name]> };

export function kind<T>(expected: string, test: (value: unknown) => boolean): Kind<T> {
  return { expected, is: (value): value is T => test(value) };
}

/** Any text, the empty one too. */
export const ANY_TEXT = kind<string>('a text', (value) => typeof value === 'string');

/** A text that is not blank. @param longest characters */
export function textUpTo(
  longest = 254,
  expected = `a text of 1 to ${longest} characters`,
): Kind<string> {
  return kind(
    expected,
    (value) => typeof value === 'string' && value.trim() !== '' && value.length <= longest,
  );
}

export function matching(like: RegExp, expected = `a text like ${like}`): Kind<string> {
  return kind(expected, (value) => typeof value === 'string' && like.test(value));
}

export function oneOf<Word extends string>(words: readonly Word[]): Kind<Word> {
  return kind(
    `one of ${words.join(', ')}`,
    (value) => typeof value === 'string' && words.includes(value as Word),
  );
}

export function wholeNumber(
  from = Number.MIN_SAFE_INTEGER,
  to = Number.MAX_SAFE_INTEGER,
): Kind<number> {
  return kind(
    `a number from ${from} to ${to}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to,
  );
}

/** Milliseconds since the epoch. */
export const MOMENT = kind<number>('a moment', Number.isFinite);
/** A moment as text, ISO. */
export const TIMESTAMP = kind<string>(
  'a moment in ISO 8601',
  (value) => typeof value === 'string' && value.length <= 40 && Number.isFinite(Date.parse(value)),
);
export const FLAG = kind<boolean>('true or false', (value) => typeof value === 'boolean');

export function optional<T>({ expected, is }: Kind<T>): Kind<T | undefined> {
  return kind(expected, (value) => value === undefined || is(value));
}

/** @param most items */
export function listOf<T>(
  item: Kind<T>,
  expected = `a list, each ${item.expected}`,
  most = Infinity,
): Kind<T[]> {
  return kind(
    expected,
    (value) => Array.isArray(value) && value.length <= most && value.every(item.is),
  );
}

/** A list of two, as an entry of a map. */
export function pairOf<A, B>(first: Kind<A>, second: Kind<B>): Kind<[A, B]> {
  return kind(
    `a list of ${first.expected} and ${second.expected}`,
    (value) =>
      Array.isArray(value) && value.length === 2 && first.is(value[0]) && second.is(value[1]),
  );
}

/** An object with these fields, and maybe others. */
export function object<F extends Fields>(fields: F): Kind<Read<F>> {
  return kind('an object', (value) => isObject(value) && problemsOf(value, fields).length === 0);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with an object's fields: a sentence for each. */
export function problemsOf(given: Record<string, unknown>, fields: Fields): string[] {
  return Object.entries(fields)
    .filter(([field, { is }]) => !is(given[field]))
    .map(([field, { expected }]) => `${field}: expected ${expected}, got ${said(given[field])}`);
}

const LONGEST_VALUE = 60;

/** What was given instead, as far as it fits into a sentence. */
function said(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    return 'an object';
  const text = redact(String(value));
  return `“${text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text}”`;
}

/**
 * Makes a strict reader of what came from outside: anybody who may signal can send anything. What
 * it returns has these fields, and nothing else of what was given; undefined where one is wrong.
 */
export function reader<F extends Fields>(fields: F): (input: unknown) => Read<F> | undefined {
  const whole = object(fields);
  return (input) => {
    if (!whole.is(input)) return undefined;
    const given = input as Record<string, unknown>;
    const names = Object.keys(fields).filter((name) => given[name] !== undefined);
    return Object.fromEntries(names.map((name) => [name, given[name]])) as Read<F>;
  };
}

/** Fields that nobody knows: a sentence for each. */
export function unknownFields(given: Record<string, unknown>, known: readonly string[]): string[] {
  const letters = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');
  const strangers = Object.keys(given).filter((key) => !known.includes(key));
  return strangers.map((key) => {
    const near = known.find((field) => letters(key).startsWith(letters(field)));
    const hint = near ? `did you mean ${near}?` : `expected ${known.join(', ')}`;
    return `${key.length > 40 ? `${key.slice(0, 40)}…` : key}: unknown field, ${hint}`;
  });
}

/** Problems that are named: a failure must fit into a history. */
const MOST_PROBLEMS = 20;

/** A request as it was read, its texts trimmed; or what is wrong with it, a sentence for each. */
export type Parsed<T> = { ok: true; request: T } | { ok: false; problems: string[] };

/** Reads a request strictly: each problem names the field and what was expected. */
export function parseAs<F extends Fields>(input: unknown, fields: F): Parsed<Read<F>> {
  if (!isObject(input)) return { ok: false, problems: ['the input must be one JSON object'] };
  const problems = [...problemsOf(input, fields), ...unknownFields(input, Object.keys(fields))];
  const more = problems.length - MOST_PROBLEMS;
  if (more > 0) problems.splice(MOST_PROBLEMS, more, `and ${more} more`);
  if (problems.length > 0) return { ok: false, problems };
  const trimmed = Object.entries(reader(fields)(input)!).map(([name, value]) => [
    name,
    typeof value === 'string' ? value.trim() : value,
  ]);
  return { ok: true, request: Object.fromEntries(trimmed) as Read<F> };
}
