import {
  daysUntil,
  type Inventory,
  type InventoryRow,
  oddityCounts,
} from '../../domain/inventory/index.ts';
import { minute } from '../../domain/text/index.ts';
import type { Printed } from '../cli/columns.ts';
import { type OpenRotation, openOf } from './open.ts';

/** The rows for a terminal: a line for each pair, and below what is odd. */
export function inventoryLines(inventory: Inventory, open: readonly OpenRotation[]): Printed[] {
  const { environment, takenAt, rows, unknownSecrets } = inventory;
  const now = Date.parse(takenAt);
  const cells = rows.map((row) => [
    row.due ? '!' : '',
    row.ends ?? 'none live',
    row.ends === undefined ? '' : String(daysUntil(row.ends, now)),
    `${row.apiUser} → ${row.application}`,
    openOf(row, open)?.stage ?? '',
    readBy(row),
  ]);
  return [
    ...summary(inventory),
    '',
    ...(rows.length > 0
      ? [{ head: ['', 'ENDS', 'DAYS', 'PAIR', 'ROTATION', 'READ BY'], rows: cells }]
      : [`Signon lists no token in ${environment}.`]),
    ...odd(rows),
    ...(unknownSecrets.length > 0
      ? ['', 'Secrets that are read and belong to no listed pair:']
      : []),
    ...unknownSecrets.map(({ secret, workloads }) => `  ${secret}: ${workloads.join(', ')}`),
  ];
}

function summary({ environment, takenAt, window, rows, unknownSecrets }: Inventory): string[] {
  const due = rows.filter((row) => row.due).length;
  const counts = oddityCounts({ rows }).map(([kind, count]) => `${kind}: ${count}`);
  return [
    `${environment}, ${minute(takenAt)}: ${rows.length} pairs, ${due} with a token that ends within ${window}`,
    ...(counts.length > 0 ? [`unexpected: ${counts.join(', ')}`] : []),
    ...(unknownSecrets.length > 0 ? [`Secrets of no listed pair: ${unknownSecrets.length}`] : []),
  ];
}

function readBy({ consumers }: InventoryRow): string {
  const variables = [...new Set(consumers.map(({ variable }) => variable))];
  return consumers.length === 0
    ? 'nobody'
    : variables
        .map((variable) => {
          const [first, ...others] = consumers.filter((one) => one.variable === variable);
          return `${first!.workload}${others.length > 0 ? ` and ${others.length} more` : ''} (${variable})`;
        })
        .join(', ');
}

function odd(rows: readonly InventoryRow[]): string[] {
  const lines = rows.flatMap(({ apiUser, application, oddities, remarks }) => [
    ...oddities.map(({ kind, what }) => `  ${apiUser} → ${application}: ${kind}: ${what}`),
    ...remarks.map((remark) => `  ${apiUser} → ${application}: ${remark}`),
  ]);
  return lines.length > 0 ? ['', 'Worth a look:', ...lines] : [];
}
