/** One figure. */
export interface Row {
  what: string;
  value: number;
  unit: string;
  goal?: string;
}

/** What was measured, by section, each with its day and machine. */
export type Results = Record<string, { date: string; machine: string; rows: Row[] }>;

const GROWTH = ['growth 50', 'growth 200', 'growth 800', 'a thousand'];
const PER_TOKEN = ['both, per token', 'processor time of the worker, per token', 'history events, per token'];

/** The figures as Markdown, and the growth as a chart. */
export function drawReport(results: Results): { markdown: string; chart: string } {
  const sections = Object.entries(results).map(([name, { date, machine, rows }]) =>
    [`## ${name}`, `${date}: ${machine}.`, table(rows)].join('\n\n'),
  );
  const markdown = [
    '# Benchmarks',
    'Made by `npm run bench`, which measures everything anew and writes this page, [benchmarks.json](benchmarks.json) and the chart; `npm run bench -- "the estate"` measures one section. A real Temporal server, a worker in a process of its own and the stand-ins share the machine. Single rotations meet no delay; fleets meet real life scaled down: a sync Job takes 2 s, a pod 0.5 s, the soak is 1 s. A fleet is swept in one wave and approved at once.',
    '![What a token costs in fleets of 50 to 1,000](images/benchmarks.svg)',
    ...sections,
  ].join('\n\n');
  return { markdown: `${markdown}\n`, chart: draw(results) };
}

function table(rows: Row[]): string {
  const lines = rows.map(({ what, value, unit, goal }) => `| ${what.trim()} | ${value} ${unit} | ${goal ?? ''} |`);
  return ['| | figure | goal |', '| :-- | --: | :-- |', ...lines].join('\n');
}

const WIDTH = 640;
const BAR = { height: 22, gap: 8, left: 280, longest: 280 };

/** Bars of each per-token figure, by size of the fleet. */
function draw(results: Results): string {
  const parts: string[] = [];
  let y = 16;
  for (const what of PER_TOKEN) {
    const bars = GROWTH.flatMap((name) => {
      const rows = results[name]?.rows ?? [];
      const found = rows.find((row) => row.what === what);
      const tokens = rows.find((row) => row.what === 'tokens')?.value ?? 0;
      return found ? [{ name: `${tokens} tokens`, ...found }] : [];
    });
    if (bars.length === 0) continue;
    const most = Math.max(...bars.map(({ value }) => value));
    parts.push(`<text x="8" y="${y + 14}" font-weight="bold">${what}</text>`);
    for (const { name, value, unit } of bars) {
      const length = Math.round((value / most) * BAR.longest);
      parts.push(
        `<text x="${BAR.left - 8}" y="${y + 15}" text-anchor="end">${name}</text>`,
        `<rect x="${BAR.left}" y="${y}" width="${length}" height="${BAR.height}" fill="#1d70b8"/>`,
        `<text x="${BAR.left + length + 6}" y="${y + 15}">${Math.round(value)} ${unit}</text>`,
      );
      y += BAR.height + BAR.gap;
    }
    y += 2 * BAR.gap;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="13">\n<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`;
}
