import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { LATE_MINUTES, OFFICE_HOURS, problemsOf, WEEKDAYS, type SweepTime } from '../../domain/sweep-schedule.ts';
import { NOW } from '../support/builders.ts';

const time = (given: Partial<SweepTime> = {}): SweepTime => ({ ...OFFICE_HOURS, ...given });
const allowed = (given: Partial<SweepTime>): boolean => problemsOf(time(given), NOW).length === 0;
/** Without jitter a start comes at most so much late. */
const UTC = { timeZone: 'UTC', jitterMinutes: 0 };

test('office hours are a good time, wherever the office is in Europe', () => {
  for (const timeZone of ['Europe/London', 'Europe/Berlin', 'Europe/Lisbon', 'Europe/Helsinki', 'UTC'])
    expect(problemsOf(time({ timeZone }), NOW)).toEqual([]);
});

test.each([
  ['00:29', true],
  ['00:30', false], // catching up and handing over take until 00:50
  ['00:50', false],
  ['01:15', false],
  ['01:40', false],
  ['01:41', true],
] as const)('%s UTC: %s', (at, good) => {
  expect(allowed({ at, ...UTC })).toBe(good);
});

test('summer and winter both count: in London, 01:45 to 02:40 is the renewal’s time for half of the year', () => {
  expect(allowed({ at: '01:45', jitterMinutes: 0 })).toBe(false); // winter allows it, summer does not
  expect(allowed({ at: '02:30', jitterMinutes: 0 })).toBe(false);
  expect(allowed({ at: '02:45', jitterMinutes: 0 })).toBe(true);
  expect(allowed({ at: '02:30', jitterMinutes: 0, timeZone: 'Africa/Accra' })).toBe(true); // no summer time
});

test('jitter counts, over midnight too', () => {
  expect(allowed({ ...UTC, at: '23:50', jitterMinutes: 35 })).toBe(true);
  expect(allowed({ ...UTC, at: '23:50', jitterMinutes: 40 })).toBe(false);
  expect(allowed({ ...UTC, at: '20:00', jitterMinutes: 290 })).toBe(false);
});

test.each([
  [{ at: '9:30' }, /^at: expected/],
  [{ at: '24:00' }, /^at: expected/],
  [{ at: '09:60' }, /^at: expected/],
  [{ days: [] }, /^days/],
  [{ days: ['FUNDAY'] as never }, /^days/],
  [{ timeZone: 'Europe/Londn' }, /^time zone/],
  [{ jitterMinutes: -1 }, /^jitter/],
  [{ jitterMinutes: 1.5 }, /^jitter/],
  [{ jitterMinutes: 361 }, /^jitter/],
])('%j is refused, naming what was expected', (given, problem) => {
  expect(problemsOf(time(given), NOW)).toEqual([expect.stringMatching(problem)]);
});

describe('no time that is let through', () => {
  const zones = Intl.supportedValuesOf('timeZone');
  /** The UTC moments at which clocks of a zone show a time on a day: none where it is skipped, two where it comes twice. */
  const momentsOf = (day: string, at: string, timeZone: string): number[] => {
    const format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'short' });
    const around = Date.parse(`${day}T${at}:00Z`);
    const steps = Array.from({ length: 29 * 4 + 1 }, (_, step) => around + (step - 15 * 4) * 15 * 60_000);
    return steps.filter((moment) => format.format(moment) === `${day} ${at}`);
  };

  test('ever starts a sweep between 00:50 and 01:40 UTC, on any day, in any time zone', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 0, max: 730 }),
        (timeZone, minute, jitterMinutes, inDays) => {
          const two = (number: number): string => String(number).padStart(2, '0');
          const at = `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
          if (!allowed({ at, jitterMinutes, timeZone })) {
            refused += 1;
            return;
          }
          const day = new Date(NOW + inDays * 86_400_000).toISOString().slice(0, 10);
          for (const moment of momentsOf(day, at, timeZone))
            for (let late = 0; late <= jitterMinutes + LATE_MINUTES; late++) {
              const clock = new Date(moment + late * 60_000).toISOString().slice(11, 16);
              expect(clock >= '00:50' && clock <= '01:40').toBe(false);
            }
        },
      ),
      { numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});

test('there are seven days', () => {
  expect(allowed({ days: [...WEEKDAYS] })).toBe(true);
});
