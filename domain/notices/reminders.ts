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
export function nextReminder({
  since,
  now,
  ends,
}: {
  since: number;
  now: number;
  ends?: number;
}): number {
  const regular = (every: number): number =>
    since + (Math.floor((now - since) / every) + 1) * every;
  const daily = regular(AT_LAST_EVERY);
  const lastDaysBegin = ends === undefined ? since : ends - LAST_DAYS;
  const firstDaily =
    daily >= lastDaysBegin
      ? daily
      : since + Math.ceil((lastDaysBegin - since) / AT_LAST_EVERY) * AT_LAST_EVERY;
  const beforeEnd = ends === undefined ? [] : BEFORE_END.map((left) => ends - left);
  return Math.min(...[regular(EVERY), firstDaily, ...beforeEnd].filter((moment) => moment > now));
}
