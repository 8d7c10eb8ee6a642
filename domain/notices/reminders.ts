import ms from 'ms';

/** While there is time, a person who is waited for is reminded this often … */
const EVERY = ms('7 days');
/** … and this often in the last days, after the end too, and where the end is not known. */
const AT_LAST_EVERY = ms('1 day');
const LAST_DAYS = ms('14 days');
/** And this long before the old token ends. */
const BEFORE_END = [ms('72 hours'), ms('24 hours'), ms('4 hours')];

/**
 * When a person who is waited for is reminded next. All times in milliseconds since the epoch.
 * @param ends 00:00 in London of the old token's last day, undefined where it is not known
 */
export function nextReminder(wait: { since: number; now: number; ends?: number }): number {
  const { since, now, ends } = wait;
  /** The next moment that is so many whole periods after `since`, not before `from`. */
  const next = (every: number, from = -Infinity): number => {
    const periods = Math.floor((now - since) / every) + 1;
    return since + Math.max(periods, Math.ceil((from - since) / every)) * every;
  };
  const daily = next(AT_LAST_EVERY, ends === undefined ? since : ends - LAST_DAYS);
  const beforeEnd = ends === undefined ? [] : BEFORE_END.map((left) => ends - left);
  return Math.min(...[next(EVERY), daily, ...beforeEnd].filter((moment) => moment > now));
}
