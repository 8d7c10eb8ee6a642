/** One figure. */
export interface Row {
  what: string;
  value: number;
  unit: string;
  goal?: string;
}

/** What was measured, by section, each with its day and machine. */
export type Results = Record<string, { date: string; machine: string; rows: Row[] }>;

const GROWTH = ['growth 50', 'growth 200', 'growth 800'].flatMap((name) => [
  name,
  `${name}, postgres`,
]);
const HAS_SEVERAL = /worker|killed/;
const PER_TOKEN = [
  'both, per token',
  'processor time of the worker, per token',
  'history events, per token',
];
/** What may grow with the number of workers. */
const OF_SEVERAL = [
  'both, per token',
  'sync Jobs',
  'sign-ins',
  'requests to Kubernetes, per token',
  'refused calls of running pods',
];
const ofOne = ({ what, goal }: Row): boolean =>
  goal !== undefined || PER_TOKEN.slice(0, 2).includes(what);
const ofSeveral = ({ what }: Row): boolean => OF_SEVERAL.includes(what);

/** How the server with PostgreSQL is started. */
const POSTGRES = [
  '_postgres_: Temporal 1.32.2 on PostgreSQL 15, started with [our configuration](../sandbox/bench/temporal-postgres.yaml).',
  `\`\`\`sh
GOBIN=$PWD go install go.temporal.io/server/cmd/{server,tools/sql}@v1.32.2
export SQL_PLUGIN=postgres12 SQL_PORT=5433 SQL_USER=temporal SQL_PASSWORD=temporal
for db in temporal visibility; do for act in create 'setup-schema -v 0.0' "update-schema --schema-name postgresql/v12/$db"; do ./sql --db $db $act; done; done
./server --config-file sandbox/bench/temporal-postgres.yaml --allow-no-auth start &
TEMPORAL_ADDRESS=127.0.0.1:7233 npm run bench -- --temporal postgres 'growth 50'
\`\`\``,
];

/** Where a rotation's time goes. */
const PROFILE =
  'A rotation has 23 workflow tasks. 1,000 rotations that waited 90 days (`LONG_WAITS=1000`) have at most 308 history events (54 kB). The worker’s main thread (SDK, HTTP, parsing) takes two thirds of its processor time. Workflows take the rest, a third of it for the SDK’s stack traces. Fleets run with a cache that holds them, _a thousand wait_ with the default. With 100 cached workflows for 200 active ones, time doubles and processor time triples.';

/** The figures as Markdown, fleets side by side, and the growth as a chart. */
export function drawReport(results: Results): { markdown: string; chart: string } {
  const all = Object.entries(results);
  const fleets = all
    .filter(([, { rows }]) => isFleet(rows))
    .toSorted((a, b) => tokensOf(a[1]) - tokensOf(b[1]));
  const others = all.filter(
    ([, { rows }]) => !isFleet(rows) && rows.some(({ goal }) => goal !== undefined),
  );
  const markdown = [
    '# Benchmarks',
    [
      '`npm run bench` writes this page and [benchmarks.json](benchmarks.json), which has the tables’ figures. A **bold** figure misses its goal. Temporal, workers and stand-ins share the machine. A sync Job takes 2 s, a pod 0.5 s, the soak 1 s. A fleet is swept in one wave and approved at once.',
      ...POSTGRES,
      PROFILE,
    ].join('\n\n'),
    measuredOn(Object.values(results)),
    '![What a token costs, by size of the fleet](images/benchmarks.svg)',
    ...[
      ['## Fleets', fleets.filter(([name]) => !HAS_SEVERAL.test(name)), ofOne] as const,
      [
        '## Several workers, postgres',
        fleets.filter(([name]) => HAS_SEVERAL.test(name)),
        ofSeveral,
      ] as const,
    ].flatMap(([heading, some, isShown]) =>
      some.length > 0 ? [heading, side(some, isShown)] : [],
    ),
    ...(others.length > 0 ? ['## Other figures', list(others)] : []),
  ].join('\n\n');
  return { markdown: `${markdown}\n`, chart: draw(results) };
}

type Section = Results[string];

const isFleet = (rows: Row[]): boolean => rows.some(({ what }) => what.startsWith('sweep start'));
const tokensOf = ({ rows }: Section): number =>
  rows.find(({ what }) => what === 'tokens')?.value ?? 0;

/** The days and machines, each machine once. */
function measuredOn(sections: Section[]): string {
  const machines = [...new Set(sections.map(({ machine }) => machine))];
  return machines
    .map((machine) => {
      const days = sections
        .filter((section) => section.machine === machine)
        .map(({ date }) => date);
      return `${[...new Set(days)].toSorted().join(', ')}: ${machine}.`;
    })
    .join(' ');
}

/**
 * A row for each figure that is shown, a column for each fleet; a figure that is the same for all
 * stands on a line below.
 */
function side(fleets: [string, Section][], isShown: (row: Row) => boolean): string {
  const all = fleets.flatMap(([, { rows }]) => rows);
  const whats = [...new Set(all.filter(isShown).map(({ what }) => what))];
  const lines = whats.map((what) => {
    const found = fleets.map(([, { rows }]) => rows.find((row) => row.what === what));
    const goals = [...new Set(found.map((row) => row?.goal).filter((goal) => goal !== undefined))];
    const unit = found.find((row) => row !== undefined)!.unit;
    return {
      what: named(what, unit),
      values: found.map((row) => (row ? valueOf(row) : '')),
      goal: goals.join('; '),
    };
  });
  const isSame = ({ values }: { values: unknown[] }): boolean =>
    values.every((value) => value === values[0]);
  const isAllPostgres = fleets.every(([name]) => name.endsWith(', postgres'));
  const head = [
    '',
    ...fleets.map(([name]) => (isAllPostgres ? name.replace(', postgres', '') : name)),
    'goal',
  ];
  const row = (cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const differing = lines
    .filter((line) => !isSame(line))
    .map(({ what, values, goal }) => row([what, ...values, goal]));
  const same = lines.filter(isSame).map(({ what, values }) => `${what} ${values[0]}`);
  return [
    [row(head), `|:--|${'--:|'.repeat(head.length - 1)}`, ...differing].join('\n'),
    ...(same.length > 0 ? [`In each: ${same.join(', ')}.`] : []),
  ].join('\n\n');
}

/** What is measured with its unit, which some names hold already. */
function named(what: string, unit: string): string {
  return holds(what, unit) ? what.trim() : `${what.trim()} (${unit})`;
}

function holds(what: string, unit: string): boolean {
  return what.split(/[^\w-]+/).includes(unit);
}

/** A figure with a goal on a line, with what each section says of it. */
function list(sections: [string, Section][]): string {
  const lines = new Map<string, string[]>();
  for (const [name, { rows }] of sections)
    for (const row of rows) {
      const { what, unit, goal } = row;
      if (goal === undefined) continue;
      const line = `${named(what, unit)}, goal ${goal}`;
      lines.set(line, [
        ...(lines.get(line) ?? []),
        `${valueOf(row)}${name.endsWith(', postgres') ? ' (postgres)' : ''}`,
      ]);
    }
  return [...lines].map(([line, values]) => `- ${line}: ${values.join(', ')}`).join('\n');
}

/** A figure, in bold where it misses its goal. */
function valueOf({ value, goal = '' }: Row): string {
  const [, how, limit] = /^([<≤≥]) ([\d.]+)$/.exec(goal) ?? [];
  if (limit === undefined) return String(value);
  const bound = Number(limit);
  const meets = how === '<' ? value < bound : how === '≤' ? value <= bound : value >= bound;
  return meets ? String(value) : `**${value}**`;
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
