import { kind } from '../shape/index.ts';
import ms from 'ms';

/** A calendar day in London, `YYYY-MM-DD`. Signon shows no finer time. */
export type Day = string;
export const DAY = kind<Day>(
  'a day',
  (value) =>
    typeof value === 'string' &&
    /^\d{4}-\d{2}-\d{2}$/.test(value) &&
    Number.isFinite(Date.parse(value)),
);

/** What may be said of a token outside the place that must know it. Never the value. */
export interface Fingerprint {
  /** First 8 characters, `…`, last 8: as Signon itself shows. */
  masked: string;
  /** SHA-256 (hex) of those 16 characters. */
  maskedSha256: string;
  /** SHA-256 (hex) of the whole value; known only for a token this rotation issued. */
  sha256?: string;
}

/** One card of Signon's manage_tokens page. */
export interface ListedToken extends Fingerprint {
  authorisationId: number;
  generated: Day;
  expires: Day;
}

/** 00:00 in London of that day, in milliseconds since the epoch. */
export function startOfDay(day: Day): number {
  const utcMidnight = Date.parse(`${day}T00:00:00Z`);
  return utcMidnight - londonOffset(utcMidnight);
}

/** The end of that day in London, in milliseconds since the epoch. */
export function endOfDay(day: Day): number {
  return startOfDay(
    new Date(Date.parse(`${day}T00:00:00Z`) + ms('1 day')).toISOString().slice(0, 10),
  );
}

/**
 * Whether a token still opens doors. Signon lists expired tokens unmarked; the day counts to its
 * end.
 */
export function isLive(token: Pick<ListedToken, 'expires'>, now: number): boolean {
  return now < endOfDay(token.expires);
}

type Dated = Pick<ListedToken, 'authorisationId' | 'expires'>;

/** Sorts by latest expiry; on the same day by the highest authorisation id. */
export function newestFirst(a: Dated, b: Dated): number {
  if (a.expires === b.expires) return b.authorisationId - a.authorisationId;
  return a.expires < b.expires ? 1 : -1;
}

/** The token the sync will write: latest expiry; on the same day the highest authorisation id. */
export function newestOf<T extends Dated>(tokens: readonly T[]): T | undefined {
  return tokens.toSorted(newestFirst)[0];
}

/** Whether a token is certain to live longer than the window, counted to 00:00 of its last day. */
export function outlives(
  token: Pick<ListedToken, 'expires'>,
  now: number,
  window: ms.StringValue,
): boolean {
  return startOfDay(token.expires) - now > ms(window);
}

/**
 * The token that counts as new now: the newest one listed, if it is `newToken`, or if it outlives
 * the window and is not in `before`. Undefined otherwise.
 * @param before ids that a forced rotation must not fall back to
 */
export function successorOf(
  newToken: ListedToken,
  tokens: readonly ListedToken[],
  { before, window, now }: { before: readonly number[]; window: ms.StringValue; now: number },
): ListedToken | undefined {
  const newest = newestOf(tokens);
  if (!newest || newest.authorisationId === newToken.authorisationId) return newest;
  return outlives(newest, now, window) && !before.includes(newest.authorisationId)
    ? newest
    : undefined;
}

/**
 * Tokens as listed afresh, the one this rotation issued with its whole digest again. Signon may
 * show another token under the same id (environments are copied over each other): that one gets no
 * digest of ours.
 */
export function withKnownDigest(listed: readonly ListedToken[], known: ListedToken): ListedToken[] {
  return listed.map((token) =>
    token.authorisationId === known.authorisationId && token.maskedSha256 === known.maskedSha256
      ? { ...token, sha256: known.sha256 }
      : token,
  );
}

/** Whether two fingerprints can be of one token: the whole digest decides where both know it. */
export function sameToken(a: Omit<Fingerprint, 'masked'>, b: Omit<Fingerprint, 'masked'>): boolean {
  if (a.sha256 !== undefined && b.sha256 !== undefined) return a.sha256 === b.sha256;
  return a.maskedSha256 === b.maskedSha256;
}

/** Whether another listing is of the same token, by its id. */
export function isToken({ authorisationId }: Pick<ListedToken, 'authorisationId'>) {
  return (other: Pick<ListedToken, 'authorisationId'>): boolean =>
    other.authorisationId === authorisationId;
}

/** `abcdefgh…12345678 (authorisation 812)` for sentences. */
export function describeToken({
  masked,
  authorisationId,
}: Pick<ListedToken, 'masked' | 'authorisationId'>): string {
  return `${masked} (authorisation ${authorisationId})`;
}

/** `abcdefgh…12345678 (authorisation 812), expires 2026-12-01` for sentences. */
export function describeWithEnd(token: ListedToken): string {
  return `${describeToken(token)}, expires ${token.expires}`;
}

/** Which of the tokens a piece of a container's variable is, by its digests. */
export function tokenOf<T extends Fingerprint>(
  piece: Omit<Fingerprint, 'masked'>,
  tokens: readonly T[],
): T | undefined {
  return tokens.find((token) => sameToken(token, piece));
}

const londonHour = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  hourCycle: 'h23',
  hour: '2-digit',
});

/**
 * London's clocks show UTC in winter and an hour more in summer: at midnight UTC, the hour they
 * show is what they are ahead.
 */
function londonOffset(utcMidnight: number): number {
  return Number(londonHour.format(utcMidnight)) * ms('1 hour');
}
