import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { nextReminder } from '../../domain/notices/reminders.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SINCE = Date.parse('2026-09-01T12:34:56.789Z');
const BEFORE_END = [72 * HOUR, 24 * HOUR, 4 * HOUR];

/** Reminders of somebody who is waited for from `since` on, up to a moment. */
function remindersUntil(until: number, wait: { since: number; ends?: number }): number[] {
  const all: number[] = [];
  for (let now = wait.since; ;) {
    const at = nextReminder({ ...wait, now });
    // the chain would never end
    if (!(at > now)) throw new Error(`a reminder at ${at}, asked at ${now}`);
    if (at > until) break;
    all.push(at);
    now = at;
  }
  return all;
}

/** Days and hours after `SINCE`, to be read in a failure. */
const after = (moments: number[]): string[] =>
  moments.map((at) => `${Math.floor((at - SINCE) / DAY)} d ${((at - SINCE) % DAY) / HOUR} h`);

describe('a person who is waited for is reminded', () => {
  test('every seven days while the end is far off', () => {
    const far = { since: SINCE, ends: SINCE + 100 * DAY };
    expect(after(remindersUntil(SINCE + 30 * DAY, far))).toEqual([
      '7 d 0 h',
      '14 d 0 h',
      '21 d 0 h',
      '28 d 0 h',
    ]);
  });

  test('daily once 14 days are left, at the time of day the wait began', () => {
    // the last 14 days begin at 10 d 6 h
    const wait = { since: SINCE, ends: SINCE + 24 * DAY + 6 * HOUR };
    expect(after(remindersUntil(SINCE + 14 * DAY, wait))).toEqual([
      '7 d 0 h',
      '11 d 0 h',
      '12 d 0 h',
      '13 d 0 h',
      '14 d 0 h',
    ]);
  });

  test('at the very moment when 14 days are left, where a day of waiting ends then', () => {
    const wait = { since: SINCE, ends: SINCE + 17 * DAY };
    expect(nextReminder({ ...wait, now: SINCE })).toBe(SINCE + 3 * DAY);
  });

  test('72, 24 and 4 hours before the end too', () => {
    const wait = { since: SINCE, ends: SINCE + 4 * DAY + HOUR };
    expect(after(remindersUntil(wait.ends, wait))).toEqual([
      '1 d 0 h',
      '1 d 1 h',
      '2 d 0 h',
      '3 d 0 h',
      '3 d 1 h',
      '3 d 21 h',
      '4 d 0 h',
    ]);
  });

  test('daily after the end', () => {
    const wait = { since: SINCE, ends: SINCE + 2 * HOUR };
    expect(after(remindersUntil(SINCE + 3 * DAY, wait))).toEqual(['1 d 0 h', '2 d 0 h', '3 d 0 h']);
    const ended = { since: SINCE, ends: SINCE - 90 * DAY };
    expect(after(remindersUntil(SINCE + 3 * DAY, ended))).toEqual([
      '1 d 0 h',
      '2 d 0 h',
      '3 d 0 h',
    ]);
  });

  test('daily where nobody knows the end', () => {
    expect(after(remindersUntil(SINCE + 3 * DAY, { since: SINCE }))).toEqual([
      '1 d 0 h',
      '2 d 0 h',
      '3 d 0 h',
    ]);
  });

  test('not of a moment that has passed: who begins to wait an hour before the end is not told of the hours before', () => {
    const wait = { since: SINCE, ends: SINCE + HOUR };
    expect(nextReminder({ ...wait, now: SINCE })).toBe(SINCE + DAY);
  });

  test('as often as the end that is known now asks for, also where it changed while they were waited for', () => {
    const now = SINCE + 8 * DAY + HOUR;
    expect(nextReminder({ since: SINCE, now, ends: SINCE + 300 * DAY })).toBe(SINCE + 14 * DAY);
    expect(nextReminder({ since: SINCE, now, ends: now + 73 * HOUR })).toBe(now + HOUR);
    expect(nextReminder({ since: SINCE, now })).toBe(SINCE + 9 * DAY);
  });
});

describe('whenever it is asked, the next reminder', () => {
  const wait = fc
    .record({
      since: fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2032-01-01') }),
      waited: fc.integer({ min: 0, max: 60 * DAY }),
      left: fc.option(fc.integer({ min: -40 * DAY, max: 800 * DAY }), { nil: undefined }),
    })
    .map(({ since, waited, left }) => ({
      since,
      now: since + waited,
      ends: left === undefined ? undefined : since + left,
    }));

  test('is after now', () => {
    fc.assert(fc.property(wait, (given) => expect(nextReminder(given)).toBeGreaterThan(given.now)));
  });

  test('is after now for one who is told to wait from a moment that has not come', () => {
    fc.assert(
      fc.property(wait, ({ since, now, ends }) => {
        expect(nextReminder({ since: now, now: since, ends })).toBeGreaterThan(since);
      }),
    );
  });

  test('is never more than 7 days away', () => {
    fc.assert(
      fc.property(wait, (given) =>
        expect(nextReminder(given) - given.now).toBeLessThanOrEqual(7 * DAY),
      ),
    );
  });

  test('is never more than a day away in the last 13 days, after the end and where the end is not known', () => {
    const late = wait.filter(({ now, ends }) => ends === undefined || ends - now <= 13 * DAY);
    fc.assert(
      fc.property(late, (given) =>
        expect(nextReminder(given) - given.now).toBeLessThanOrEqual(DAY),
      ),
    );
  });

  test('is the first of all moments that the rule names', () => {
    fc.assert(
      fc.property(wait, ({ since, now, ends }) => {
        const days = Array.from({ length: 70 }, (_, index) => index + 1);
        const named = [
          ...days.filter((day) => day % 7 === 0).map((day) => since + day * DAY),
          ...days
            .map((day) => since + day * DAY)
            .filter((at) => ends === undefined || at >= ends - 14 * DAY),
          ...BEFORE_END.map((left) => (ends === undefined ? now : ends - left)),
        ];
        const coming = named.filter((at) => at > now).toSorted((a, b) => a - b);
        expect(nextReminder({ since, now, ends })).toBe(coming[0]);
      }),
    );
  });
});

describe('who is waited for to the end', () => {
  const length = fc.integer({ min: 5 * HOUR, max: 40 * DAY });

  test('is reminded 72, 24 and 4 hours before it, as far as these lie ahead', () => {
    fc.assert(
      fc.property(length, (left) => {
        const ends = SINCE + left;
        const ahead = BEFORE_END.map((before) => ends - before).filter((at) => at > SINCE);
        expect(remindersUntil(ends, { since: SINCE, ends })).toEqual(expect.arrayContaining(ahead));
      }),
    );
  });

  test('is told so at most 18 times in two weeks that begin 13 days before the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DAY - 1 }), (more) => {
        const wait = { since: SINCE, ends: SINCE + 13 * DAY + more };
        const told = remindersUntil(SINCE + 14 * DAY, wait);
        expect(told.length).toBeGreaterThanOrEqual(14);
        expect(told.length).toBeLessThanOrEqual(18);
        expect(new Set(told).size).toBe(told.length);
      }),
    );
  });
});
