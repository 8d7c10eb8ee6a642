import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import {
  endOfDay,
  isLive,
  newestOf,
  outlives,
  sameToken,
  startOfDay,
  successorOf,
  withKnownDigest,
  type ListedToken,
} from '../../domain/tokens/tokens.ts';
import { aDay, aToken, NEW, NOW, OLD, somePairsTokens } from '../support/builders.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const london = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', dateStyle: 'short' });
const iso = (instant: number): string => new Date(instant).toISOString();

describe('a day in London', () => {
  test.each([
    ['winter', '2026-01-15', '2026-01-15T00:00:00.000Z', '2026-01-16T00:00:00.000Z'],
    ['summer', '2026-07-15', '2026-07-14T23:00:00.000Z', '2026-07-15T23:00:00.000Z'],
    [
      'the day the clocks go forward',
      '2026-03-29',
      '2026-03-29T00:00:00.000Z',
      '2026-03-29T23:00:00.000Z',
    ],
    ['the day after', '2026-03-30', '2026-03-29T23:00:00.000Z', '2026-03-30T23:00:00.000Z'],
    [
      'the day the clocks go back',
      '2026-10-25',
      '2026-10-24T23:00:00.000Z',
      '2026-10-26T00:00:00.000Z',
    ],
    ['the day before', '2026-10-24', '2026-10-23T23:00:00.000Z', '2026-10-24T23:00:00.000Z'],
    ['a leap day', '2028-02-29', '2028-02-29T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['the last of a year', '2027-12-31', '2027-12-31T00:00:00.000Z', '2028-01-01T00:00:00.000Z'],
  ])('in %s (%s) begins and ends by London’s clocks', (_, day, start, end) => {
    expect([iso(startOfDay(day)), iso(endOfDay(day))]).toEqual([start, end]);
  });

  test('holds exactly the instants that London’s calendar gives it', () => {
    fc.assert(
      fc.property(aDay, (day) => {
        expect(london.format(startOfDay(day))).toBe(day);
        expect(london.format(startOfDay(day) - 1)).not.toBe(day);
        expect(london.format(endOfDay(day) - 1)).toBe(day);
        expect(london.format(endOfDay(day))).not.toBe(day);
      }),
    );
  });

  test('lasts 24 hours, save two days a year', () => {
    const days = Array.from({ length: 365 }, (_, at) =>
      iso(Date.parse('2026-01-01') + at * DAY).slice(0, 10),
    );
    const odd = days.filter((day) => endOfDay(day) - startOfDay(day) !== DAY);
    expect(odd.map((day) => [day, (endOfDay(day) - startOfDay(day)) / HOUR])).toEqual([
      ['2026-03-29', 23],
      ['2026-10-25', 25],
    ]);
  });
});

test('a token is live until the end of its last day in London', () => {
  fc.assert(
    fc.property(aDay, (expires) => {
      expect(isLive({ expires }, startOfDay(expires))).toBe(true);
      expect(isLive({ expires }, endOfDay(expires) - 1)).toBe(true);
      expect(isLive({ expires }, endOfDay(expires))).toBe(false);
    }),
  );
});

test('a token outlives the window only if it does so at 00:00 in London of its last day', () => {
  fc.assert(
    fc.property(aDay, (expires) => {
      expect(outlives({ expires }, startOfDay(expires) - 14 * DAY - 1, '14 days')).toBe(true);
      expect(outlives({ expires }, startOfDay(expires) - 14 * DAY + 1, '14 days')).toBe(false);
    }),
  );
});

describe('the newest token', () => {
  test('is the one with the latest expiry, on the same day that with the highest id', () => {
    const early = aToken(9, { expires: '2026-09-10' });
    const late = aToken(2, { expires: '2026-10-01' });
    const twin = aToken(10, { expires: '2026-10-01' });
    expect(newestOf([late, early])).toBe(late);
    expect(newestOf([twin, late, early])).toBe(twin);
    expect(newestOf([])).toBeUndefined();
  });

  test('may be one that has ended: the sync writes that too', () => {
    expect(newestOf([aToken(1, { expires: '2020-01-01' })])).toMatchObject({ authorisationId: 1 });
  });

  test('does not depend on the order in which tokens are listed, and none comes after it', () => {
    const listed = somePairsTokens.chain((tokens) =>
      fc.tuple(fc.constant(tokens), fc.shuffledSubarray(tokens, { minLength: tokens.length })),
    );
    fc.assert(
      fc.property(listed, ([tokens, shuffled]) => {
        const newest = newestOf(tokens);
        expect(newestOf(shuffled)).toBe(newest);
        for (const token of tokens)
          expect(
            token.expires < newest!.expires ||
              (token.expires === newest!.expires &&
                token.authorisationId <= newest!.authorisationId),
          ).toBe(true);
      }),
    );
  });
});

describe('the token that is new now', () => {
  const facts = { before: [], window: '14 days' as const, now: NOW };
  const later = aToken(103, { expires: '2028-09-02' });

  test('is still this rotation’s where no later one is listed, however near its own end', () => {
    expect(successorOf(NEW, [OLD, NEW], facts)).toBe(NEW);
    const almostOver = { ...facts, now: startOfDay(NEW.expires) };
    expect(successorOf(NEW, [OLD, NEW], almostOver)).toBe(NEW);
  });

  test('is a later one that appeared, whether or not this rotation’s is still listed', () => {
    expect(successorOf(NEW, [OLD, NEW, later], facts)).toBe(later);
    expect(successorOf(NEW, [OLD, later], facts)).toBe(later);
  });

  test('is an older one only where that outlives the window', () => {
    const older = aToken(90, { expires: '2027-01-01' });
    expect(successorOf(NEW, [OLD, older], facts)).toBe(older);
    expect(successorOf(NEW, [OLD], facts)).toBeUndefined();
    expect(successorOf(NEW, [], facts)).toBeUndefined();
  });

  test('is never a token that a forced rotation found before it began', () => {
    const ids = fc.uniqueArray(
      fc.integer({ min: 1, max: 999 }).filter((id) => id !== NEW.authorisationId),
    );
    fc.assert(
      fc.property(somePairsTokens, ids, (tokens, before) => {
        const others = tokens.filter(
          ({ authorisationId }) => authorisationId !== NEW.authorisationId,
        );
        const leaked = [
          ...before,
          ...others.slice(0, 2).map(({ authorisationId }) => authorisationId),
        ];
        const successor: ListedToken | undefined = successorOf(NEW, others, {
          ...facts,
          before: leaked,
        });
        expect(leaked).not.toContain(successor?.authorisationId);
        expect(others.some((token) => token === successor) || successor === undefined).toBe(true);
      }),
    );
  });
});

describe('two fingerprints', () => {
  const digest = fc.constantFrom('a'.repeat(64), 'b'.repeat(64));
  const fingerprint = fc.record({
    maskedSha256: digest,
    sha256: fc.option(digest, { nil: undefined }),
  });

  test('are compared by the whole digest where both know it, else by the masked value’s', () => {
    fc.assert(
      fc.property(fingerprint, fingerprint, (a, b) => {
        const whole = a.sha256 !== undefined && b.sha256 !== undefined;
        expect(sameToken(a, b)).toBe(
          whole ? a.sha256 === b.sha256 : a.maskedSha256 === b.maskedSha256,
        );
        expect(sameToken(b, a)).toBe(sameToken(a, b));
      }),
    );
  });
});

test('a token that Signon shows under a known id, but with another value, gets no digest of ours', () => {
  const issued = { ...NEW, sha256: 'f'.repeat(64) };
  const copied = aToken(NEW.authorisationId, { masked: 'copy0102…copy0102', expires: NEW.expires });
  expect(withKnownDigest([OLD, NEW], issued)).toEqual([OLD, issued]);
  expect(withKnownDigest([OLD, copied], issued)).toEqual([OLD, copied]);
});
