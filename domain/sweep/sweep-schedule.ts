/** When a Schedule starts a sweep: a time of day in London, on some days of the week. */
export interface SweepTime {
  /** `HH:MM`. */
  at: string;
  days: Weekday[];
  /** Each start is delayed by a random time up to this. */
  jitterMinutes: number;
}

export const WEEKDAYS = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export const TIME_ZONE = 'Europe/London';

/** In office hours, when somebody is there to approve. */
export const OFFICE_HOURS: SweepTime = {
  at: '09:30',
  days: ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY'],
  jitterMinutes: 15,
};

/**
 * The server makes up for a missed start within this time only: later, it could come at any hour.
 */
export const CATCH_UP_MINUTES = 10;
/**
 * A start ends unless it hands over to the sweep within this time: a worker may come much later.
 */
export const HAND_OVER_MINUTES = 10;
/** How late a sweep may begin, jitter apart. */
export const LATE_MINUTES = CATCH_UP_MINUTES + HAND_OVER_MINUTES;
/**
 * Signon renews tokens between 00:50 and 01:40 UTC: in London that is before 02:41, summer and
 * winter. Minutes of the day.
 */
const SAFE_FROM = 3 * 60;
const SAFE_UNTIL = 24 * 60;
const LONGEST_JITTER_MINUTES = 6 * 60;

/** What is wrong with a time, a sentence each; empty where a sweep may be scheduled then. */
export function timeProblems({ at, days, jitterMinutes }: SweepTime): string[] {
  const problems: string[] = [];
  const minute = minuteOfDay(at);
  if (minute === undefined) problems.push('at: expected a time of day such as 09:30');
  if (days.length === 0 || !days.every((day) => WEEKDAYS.includes(day)))
    problems.push('days: expected days of the week');
  if (
    !Number.isInteger(jitterMinutes) ||
    jitterMinutes < 0 ||
    jitterMinutes > LONGEST_JITTER_MINUTES
  )
    problems.push(`jitter: expected whole minutes, at most ${LONGEST_JITTER_MINUTES}`);
  if (problems.length > 0 || minute === undefined) return problems;
  const late = jitterMinutes + LATE_MINUTES;
  return minute >= SAFE_FROM && minute + late < SAFE_UNTIL
    ? []
    : [
        `at: expected a time from 03:00 to ${timeOfDay(SAFE_UNTIL - late - 1)}: Signon renews tokens by night, and a start may come ${late} minutes late`,
      ];
}

function timeOfDay(minute: number): string {
  return [Math.floor(minute / 60), minute % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** Minutes since midnight; undefined where it is no time of day. */
export function minuteOfDay(at: string): number | undefined {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(at) ?? [];
  return hour === undefined ? undefined : Number(hour) * 60 + Number(minute);
}
