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
];

/** The rows as CSV (RFC 4180), a line for each pair, and one for each Secret of no listed pair. */
export function inventoryCsv({ environment, takenAt, rows, unknownSecrets }: Inventory): string {
  const now = Date.parse(takenAt);
  const lines = [
    COLUMNS,
    ...rows.map((row) => [
      environment,
      row.apiUser,
      row.suspended ? 'yes' : 'no',
      row.application,
      row.secret,
      row.ends ?? '',
      row.ends === undefined ? '' : String(daysUntil(row.ends, now)),
      row.accessEnds ?? '',
      String(row.tokens.filter(({ live }) => live).length),
      String(row.tokens.filter(({ live }) => !live).length),
      row.consumers
        .map(({ workload, container, variable }) => `${workload} ${container} ${variable}`)
        .join('; '),
      row.oddities.map(({ kind, what }) => `${kind}: ${what}`).join('; '),
      row.remarks.join('; '),
    ]),
    ...unknownSecrets.map(({ secret, workloads }) => [
      environment,
      ...Array<string>(3).fill(''),
      secret,
      ...Array<string>(5).fill(''),
      workloads.join('; '),
      'Secret of no listed pair',
      '',
    ]),
  ];
  return lines.map((cells) => cells.map(cell).join(',')).join('\r\n');
}

/** Defuses a cell that begins like a formula: a spreadsheet would evaluate it. */
function cell(text: string): string {
  const shown = plain(text);
  const defused = /^[=+\-@＝＋－＠]/.test(shown) ? `'${shown}` : shown;
  return /[",;]/.test(defused) ? `"${defused.replaceAll('"', '""')}"` : defused;
}
