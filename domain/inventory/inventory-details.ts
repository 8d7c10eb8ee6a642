import type { InventoryRequest } from './inventory-request.ts';
import { countBy, type Inventory, type OddityKind } from './inventory.ts';
import { escapeMarkdown as text, paragraphs, table } from '../text/index.ts';

/** Rows named in the details; the result has them all. */
const NAMED_AT_MOST = 100;

/** What an inventory is started with for the UI. */
export function introduceInventory({ environment, requestedBy }: InventoryRequest) {
  return {
    staticSummary: `Inventory of ${environment}`,
    staticDetails: `Requested by ${text(requestedBy)}. Reads only. The result is JSON; \`npx signon-rotation inventory --html\` draws it.`,
  };
}

/** What an inventory found, as Markdown for the Temporal UI. */
export function drawInventory({ environment, rows, unknownSecrets, window }: Inventory): string {
  const due = rows.filter((row) => row.due);
  const odd = rows.filter(({ oddities }) => oddities.length > 0);
  return paragraphs(
    `### Inventory (${environment})`,
    `**Pairs:** ${rows.length} · **ending within ${window}:** ${due.length} · **unexpected:** ${odd.length} · **Secrets of no listed pair:** ${unknownSecrets.length}`,
    oddityCounts({ rows })
      .map(([kind, count]) => `**${kind}:** ${count}`)
      .join(' · '),
    odd.length > 0
      ? table(
          ['Ends', 'Pair', 'Unexpected'],
          odd
            .slice(0, NAMED_AT_MOST)
            .map(({ ends, apiUser, application, oddities }) => [
              ends ?? '',
              text(`${apiUser} → ${application}`),
              text(oddities.map(({ kind, what }) => `${kind}: ${what}`).join('; ')),
            ]),
        )
      : 'Nothing is unexpected.',
    odd.length > NAMED_AT_MOST &&
      `… and ${odd.length - NAMED_AT_MOST} more: they stand in the result.`,
  );
}

export function drawNoInventory(
  { environment }: InventoryRequest,
  { type, message, todo }: { type: string; message: string; todo: string },
): string {
  return paragraphs(
    `### ✗ No inventory (${environment})`,
    `**${text(type)}**: ${text(message)}`,
    `**What to do:** ${text(todo)} Then start it again.`,
  );
}

export function oddityCounts({ rows }: Pick<Inventory, 'rows'>): [OddityKind, number][] {
  const kinds = rows.flatMap(({ oddities }) => [...new Set(oddities.map(({ kind }) => kind))]);
  return [...countBy(kinds)];
}
