/** When a Schedule starts a sweep: a time of day in a time zone, on some days of the week. */
export interface SweepTime {
  /** `HH:MM`, in the time zone. */
  at: string;
  days: Weekday[];
  /** Of the IANA database, e.g. `Europe/London`. */
  timeZone: string;
  /** A start comes up to so much later, by chance. */
  jitterMinutes: number;
}

export const WEEKDAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** In office hours, when somebody is there to approve. */
export const OFFICE_HOURS: SweepTime = {
  at: '09:30',
  days: ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY'],
  timeZone: 'Europe/London',
  jitterMinutes: 15,
};

/** A start that the server missed is made up for within so much, and then no more: later it could come at any hour. */
export const CATCH_UP_MINUTES = 10;
/** A start hands over to the sweep itself within so much, or not at all: a worker may be long in coming. */
export const HAND_OVER_MINUTES = 10;
/** How late a sweep may begin, jitter apart. */
export const LATE_MINUTES = CATCH_UP_MINUTES + HAND_OVER_MINUTES;
/** Signon renews tokens from 01:00 UTC on, and syncs them: no sweep begins around that. Minutes of the day in UTC, both included. */
export const RENEWAL = { from: 50, to: 100 };

const DAY_MINUTES = 24 * 60;
const LONGEST_JITTER_MINUTES = 6 * 60;

/** The Schedule of an environment's sweeps. */
export function scheduleId(environment: string): string {
  return `sweep/${environment}`;
}

/**
 * What is wrong with a time, a sentence each; empty where a sweep may be scheduled then. No start may fall between 00:50 and 01:40 UTC,
 * jitter, catching up and handing over included, by any of the offsets from UTC that the zone has in the two years from `now` (ms).
 */
export function problemsOf({ at, days, timeZone, jitterMinutes }: SweepTime, now: number): string[] {
  const problems: string[] = [];
  const minute = minuteOfDay(at);
  if (minute === undefined) problems.push('at: expected a time of day such as 09:30');
  if (days.length === 0 || !days.every((day) => WEEKDAYS.includes(day)))
    problems.push('days: expected days of the week');
  if (!Number.isInteger(jitterMinutes) || jitterMinutes < 0 || jitterMinutes > LONGEST_JITTER_MINUTES)
    problems.push(`jitter: expected whole minutes, at most ${LONGEST_JITTER_MINUTES}`);
  const offsets = offsetsOf(timeZone, now);
  if (!offsets) problems.push('time zone: expected one of the IANA database, e.g. Europe/London');
  if (problems.length > 0 || minute === undefined || !offsets) return problems;
  const bad = offsets.filter((offset) => meetsRenewal(minute - offset, jitterMinutes + LATE_MINUTES));
  return bad.length === 0
    ? []
    : [
        `at: ${at} in ${timeZone}, up to ${jitterMinutes + LATE_MINUTES} minutes later, can fall between 00:50 and 01:40 UTC, when Signon renews tokens by itself`,
      ];
}

/** Whether a span that begins at that minute of some UTC day touches a renewal. */
function meetsRenewal(begins: number, lasts: number): boolean {
  const from = ((begins % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
  return [0, DAY_MINUTES].some((day) => from <= day + RENEWAL.to && from + lasts >= day + RENEWAL.from);
}

/** Minutes since midnight; undefined where it is no time of day. */
export function minuteOfDay(at: string): number | undefined {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(at) ?? [];
  return hour === undefined ? undefined : Number(hour) * 60 + Number(minute);
}

/** Every offset from UTC, in minutes, that a zone has in the two years to come; undefined where there is no such zone. */
function offsetsOf(timeZone: string, now: number): number[] | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
  const offsets = new Set<number>();
  for (let day = 0; day <= 731; day++) {
    const name = format.formatToParts(now + day * DAY_MINUTES * 60_000).find(({ type }) => type === 'timeZoneName');
    const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name?.value ?? '') ?? [];
    offsets.add(hours === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)));
  }
  return [...offsets];
}
