import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import {
  LATE_MINUTES,
  OFFICE_HOURS,
  timeProblems,
  TIME_ZONE,
  WEEKDAYS,
  type SweepTime,
} from '../../domain/sweep/sweep-schedule.ts';
import { NOW } from '../support/builders.ts';

const time = (given: Partial<SweepTime> = {}): SweepTime => ({ ...OFFICE_HOURS, ...given });
const allowed = (given: Partial<SweepTime>): boolean => timeProblems(time(given)).length === 0;

test('office hours are a good time', () => {
  expect(timeProblems(OFFICE_HOURS)).toEqual([]);
});

test.each([
  ['00:00', false],
  ['00:29', false],
  ['02:59', false],
  ['03:00', true],
  ['23:39', true],
  ['23:40', false], // catching up and handing over take until midnight
])('%s without jitter: %s', (at, good) => {
  expect(allowed({ at, jitterMinutes: 0 })).toBe(good);
});

test('jitter counts', () => {
  expect(allowed({ at: '23:00', jitterMinutes: 39 })).toBe(true);
  expect(allowed({ at: '23:00', jitterMinutes: 40 })).toBe(false);
});

test.each([
  [{ at: '9:30' }, /^at: expected/],
  [{ at: '24:00' }, /^at: expected/],
  [{ at: '09:60' }, /^at: expected/],
  [{ days: [] }, /^days/],
  [{ days: ['FUNDAY'] as never }, /^days/],
  [{ jitterMinutes: -1 }, /^jitter/],
  [{ jitterMinutes: 1.5 }, /^jitter/],
  [{ jitterMinutes: 361 }, /^jitter/],
])('%j is refused, naming what was expected', (given, problem) => {
  expect(timeProblems(time(given))).toEqual([expect.stringMatching(problem)]);
});

describe('no time that is let through', () => {
  const london = new Intl.DateTimeFormat('sv', {
    timeZone: TIME_ZONE,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  /**
   * The UTC moments at which London's clocks show a time on a day: none where it is skipped, two
   * where it comes twice.
   */
  const momentsOf = (day: string, at: string): number[] => {
    const around = Date.parse(`${day}T${at}:00Z`);
    return [around - 3_600_000, around].filter(
      (moment) => london.format(moment) === `${day} ${at}`,
    );
  };

  test('ever starts a sweep between 00:50 and 01:40 UTC, on any day', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 0, max: 730 }),
        (minute, jitterMinutes, inDays) => {
          const two = (number: number): string => String(number).padStart(2, '0');
          const at = `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
          fc.pre(allowed({ at, jitterMinutes }));
          const day = new Date(NOW + inDays * 86_400_000).toISOString().slice(0, 10);
          const moments = momentsOf(day, at);
          expect(moments).toHaveLength(1); // clocks change by night
          for (let late = 0; late <= jitterMinutes + LATE_MINUTES; late++) {
            const clock = new Date(moments[0]! + late * 60_000).toISOString().slice(11, 16);
            expect(clock >= '00:50' && clock <= '01:40').toBe(false);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

test('there are seven days', () => {
  expect(allowed({ days: [...WEEKDAYS] })).toBe(true);
});
