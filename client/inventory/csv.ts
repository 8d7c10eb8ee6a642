import { daysUntil, type Inventory } from '../../domain/inventory/index.ts';
import { plain } from '../../domain/text/index.ts';

const COLUMNS = [
  'environment',
  'api_user',
  'suspended',
  'application',
  'secret',
  'first_ends',
  'days_left',
  'access_ends',
  'live_tokens',
  'expired_tokens',
  'consumers',
  'oddities',
  'remarks',
] as const;
type Line = Partial<Record<(typeof COLUMNS)[number], string>>;

/** The rows as CSV (RFC 4180), a line for each pair, and one for each Secret of no listed pair. */
export function inventoryCsv({ environment, takenAt, rows, unknownSecrets }: Inventory): string {
  const now = Date.parse(takenAt);
  const lines: Line[] = [
    ...rows.map((row) => ({
      environment,
      api_user: row.apiUser,
      suspended: row.suspended ? 'yes' : 'no',
      application: row.application,
      secret: row.secret,
      first_ends: row.ends,
      days_left: row.ends && String(daysUntil(row.ends, now)),
      access_ends: row.accessEnds,
      live_tokens: String(row.tokens.filter(({ live }) => live).length),
      expired_tokens: String(row.tokens.filter(({ live }) => !live).length),
      consumers: row.consumers
        .map(({ workload, container, variable }) => `${workload} ${container} ${variable}`)
        .join('; '),
      oddities: row.oddities.map(({ kind, what }) => `${kind}: ${what}`).join('; '),
      remarks: row.remarks.join('; '),
    })),
    ...unknownSecrets.map(({ secret, workloads }) => {
      const consumers = workloads.join('; ');
      return { environment, secret, consumers, oddities: 'Secret of no listed pair' };
    }),
  ];
  const cells = lines.map((line) => COLUMNS.map((name) => cell(line[name] ?? '')));
  return [COLUMNS, ...cells].map((row) => row.join(',')).join('\r\n');
}

/** Defuses a cell that begins like a formula: a spreadsheet would evaluate it. */
function cell(text: string): string {
  const shown = plain(text);
  const defused = /^[=+\-@＝＋－＠]/.test(shown) ? `'${shown}` : shown;
  return /[",;]/.test(defused) ? `"${defused.replaceAll('"', '""')}"` : defused;
}
