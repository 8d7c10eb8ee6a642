import ms from 'ms';
import type { Inventory, InventoryRow } from '../../domain/inventory/index.ts';
import { startOfDay } from '../../domain/tokens/index.ts';

const WEEK = ms('7 days');
const WIDTH = 960;
const HEIGHT = 220;
const BASE = 180;
const TOP = 20;
const LEFT = 30;
const LABEL = 50;
/** The timeline shows at least so much of what is to come. */
const SHORTEST_WEEKS = 13;
/** Pairs of one week that its tooltip names. */
const NAMED_AT_MOST = 12;

/**
 * How many pairs' first live token ends in each week to come, as SVG.
 * @param escape makes text of text from outside
 */
export function timeline(
  { rows, takenAt, window }: Inventory,
  escape: (text: string) => string,
): string {
  const now = Date.parse(takenAt);
  const weeks = new Map<number, InventoryRow[]>();
  for (const row of rows) {
    if (row.ends === undefined) continue;
    const week = Math.max(0, Math.floor((startOfDay(row.ends) - now) / WEEK));
    weeks.set(week, [...(weeks.get(week) ?? []), row]);
  }
  const shown = Math.max(SHORTEST_WEEKS, ...[...weeks.keys()].map((week) => week + 1));
  const most = Math.max(1, ...[...weeks.values()].map(({ length }) => length));
  const at = (time: number): number => LEFT + ((time - now) / (shown * WEEK)) * (WIDTH - LEFT);
  const round = (value: number): string => value.toFixed(1);
  const bars = [...weeks]
    .toSorted(([a], [b]) => a - b)
    .map(([week, ending]) => {
      const height = (ending.length / most) * (BASE - TOP);
      const left = at(now + week * WEEK);
      const wide = Math.max(1, at(now + (week + 1) * WEEK) - left - 1);
      const names = ending
        .slice(0, NAMED_AT_MOST)
        .map(({ ends, apiUser, application }) => `${ends} ${apiUser} → ${application}`);
      const more =
        ending.length > NAMED_AT_MOST ? [`and ${ending.length - NAMED_AT_MOST} more`] : [];
      const kind = ending.some(({ due }) => due) ? 'bar due' : 'bar';
      return `<rect class="${kind}" x="${round(left)}" y="${round(BASE - height)}" width="${round(wide)}" height="${round(height)}"><title>${[...names, ...more].map(escape).join('\n')}</title></rect>`;
    });
  const months = monthsBetween(now, now + shown * WEEK);
  const every = Math.ceil(months.length / 13); // labels that do not overlap
  const labels = months
    .filter(({ time }, index) => index % every === 0 && at(time) < WIDTH - LABEL)
    .map(
      ({ time, name }) =>
        `<line x1="${round(at(time))}" x2="${round(at(time))}" y1="${BASE}" y2="${BASE + 5}"/><text x="${round(at(time) + 3)}" y="${BASE + 18}">${name}</text>`,
    );
  const ending = [...weeks.values()].reduce((sum, { length }) => sum + length, 0);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${ending} pairs by the week in which their first live token ends; the most in one week: ${most}">
<rect class="window" x="${LEFT}" y="${TOP}" width="${round(Math.min(at(now + ms(window)), WIDTH) - LEFT)}" height="${BASE - TOP}"><title>within ${escape(window)}</title></rect>
<text x="0" y="${TOP + 8}">${most}</text><text x="0" y="${BASE}">0</text>
<line x1="${LEFT}" x2="${WIDTH}" y1="${BASE}" y2="${BASE}"/>
${bars.join('\n')}
${labels.join('\n')}
</svg>`;
}

function monthsBetween(from: number, to: number): { time: number; name: string }[] {
  const start = new Date(from);
  const months: { time: number; name: string }[] = [];
  for (let index = 1; ; index++) {
    const time = Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + index, 1);
    if (time >= to) return months;
    months.push({ time, name: new Date(time).toISOString().slice(0, 7) });
  }
}
