import {
  daysUntil,
  type Inventory,
  type InventoryRow,
  oddityCounts,
} from '../../domain/inventory/index.ts';
import { minute, plain } from '../../domain/text/index.ts';
import { type OpenRotation, openOf } from './open.ts';
import { timeline } from './timeline.ts';

/** Which rows the reader may choose to see; without a script, by style alone. */
const FILTERS = [
  { id: 'due', label: 'ends soon' },
  { id: 'open', label: 'rotation open' },
  { id: 'odd', label: 'worth a look' },
  { id: 'unread', label: 'read by nobody' },
] as const;

const STYLE = `
:root { color-scheme: light dark; --ink: #0b0c0c; --paper: #fff; --line: #b1b4b6; --faint: #505a5f; --bar: #1d70b8; --due: #d4351c; --shade: #f3f2f1 }
@media (prefers-color-scheme: dark) { :root { --ink: #f3f2f1; --paper: #16181a; --line: #505a5f; --faint: #b1b4b6; --bar: #5694ca; --due: #f47738; --shade: #26292c } }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }
.when { color: var(--faint); margin: 0 0 1rem }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0 } dl div { min-width: 6rem }
dt { color: var(--faint) } dd { margin: 0; font-size: 1.6rem; font-weight: 600 }
.scrolls { overflow-x: auto }
svg { min-width: 40rem; width: 100% } svg text { fill: var(--faint); font-size: 11px } svg line { stroke: var(--line) }
svg .bar { fill: var(--bar) } svg .due { fill: var(--due) } svg .window { fill: var(--shade) }
table { border-collapse: collapse; width: 100% } td:first-child { white-space: nowrap } th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line) }
td ul { margin: 0; padding-left: 1.1rem } .due { color: var(--due); font-weight: 600 } .kind { font-weight: 600 } td code { white-space: nowrap } summary { cursor: pointer }
.legend { color: var(--faint); margin: 0 } .legend b { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; background: var(--bar) } .legend .of-due { background: var(--due) } .legend .of-window { background: var(--shade) }
fieldset { border: 0; padding: 0; margin: 0 0 .5rem } fieldset label { margin-right: 1.5rem }
${FILTERS.map(({ id }) => `body:has(#only-${id}:checked) tbody tr:not(.${id}) { display: none }`).join('\n')}
`;

const SHOWN_OF_A_LIST = 2;

/** Nothing on the page loads or runs anything. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/**
 * The inventory as one HTML page that needs nothing beside it.
 * @param open rotations of the environment that are open now
 */
export function inventoryPage(inventory: Inventory, open: readonly OpenRotation[] = []): string {
  const { environment, takenAt, rows, unknownSecrets, window } = inventory;
  const now = Date.parse(takenAt);
  const title = `Signon API tokens of ${environment}`;
  const figures: [string, number][] = [
    ['pairs', rows.length],
    [`ending within ${window}`, rows.filter(({ due }) => due).length],
    ['worth a look', rows.filter(({ oddities }) => oddities.length > 0).length],
    ...(unknownSecrets.length > 0
      ? [['Secrets of no pair', unknownSecrets.length] as [string, number]]
      : []),
  ];
  const counts = oddityCounts(inventory).map(([kind, count]) => `${count} × ${kind}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="when">As read ${escapeHtml(minute(takenAt))}</p>
<dl>${figures.map(([name, count]) => `<div><dt>${escapeHtml(name)}</dt><dd>${count}</dd></div>`).join('')}</dl>
${counts.length > 0 ? `<p>${escapeHtml(counts.join(' · '))}</p>` : ''}
<h2>When each pair’s first live token ends</h2>
<p class="legend">Pairs by week:<b class="of-due"></b>with a token that ends within ${escapeHtml(window)}<b></b>later<b class="of-window"></b>the next ${escapeHtml(window)}. Point at a bar for its pairs.</p>
<div class="scrolls">${timeline(inventory, escapeHtml)}</div>
<h2>Every pair, the first to end first</h2>
<fieldset>${[{ id: 'all', label: 'all' }, ...FILTERS].map(({ id, label }) => `<label><input type="radio" name="only" id="only-${id}"${id === 'all' ? ' checked' : ''}> ${label}</label>`).join('')}</fieldset>
<div class="scrolls"><table>
<thead><tr>${['Ends', 'Days', 'API user', 'Application', 'Rotation', 'Read by', 'Worth a look'].map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
<tbody>
${rows.map((row) => rowHtml(row, now, openOf(row, open))).join('\n')}
</tbody></table></div>
${
  unknownSecrets.length > 0
    ? `<h2>Secrets that are read and belong to no listed pair</h2>\n<ul>${unknownSecrets.map(({ secret, workloads }) => `<li><code>${escapeHtml(secret)}</code>: ${escapeHtml(workloads.join(', '))}</li>`).join('')}</ul>`
    : ''
}
</body>
</html>`;
}

function rowHtml(
  { ends, due, apiUser, name, application, consumers, oddities, remarks }: InventoryRow,
  now: number,
  open: OpenRotation | undefined,
): string {
  const end = escapeHtml(ends ?? 'none live');
  const cells = [
    due ? `<span class="due">${end}</span>` : end,
    ends === undefined ? '' : String(daysUntil(ends, now)),
    `${escapeHtml(apiUser)}<br>${escapeHtml(name)}`,
    escapeHtml(application),
    open ? linked(escapeHtml(open.stage), open.link) : '',
    consumers.length === 0
      ? 'nobody'
      : folded(
          consumers.map(
            ({ workload, container, variable }) =>
              `${escapeHtml(workload)} ${escapeHtml(container)} <code>${escapeHtml(variable)}</code>`,
          ),
        ),
    list([
      ...oddities.map(
        ({ kind, what }) => `<span class="kind">${escapeHtml(kind)}</span>: ${escapeHtml(what)}`,
      ),
      ...remarks.map(escapeHtml),
    ]),
  ];
  const is = {
    due,
    open: open !== undefined,
    odd: oddities.length > 0,
    unread: consumers.length === 0,
  };
  const classes = FILTERS.filter(({ id }) => is[id]).map(({ id }) => id);
  return `<tr class="${classes.join(' ')}">${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function linked(text: string, link: string | undefined): string {
  return link === undefined ? text : `<a href="${escapeHtml(link)}">${text}</a>`;
}

/** A list that shows its first items; the others unfold. */
function folded(items: string[]): string {
  if (items.length <= SHOWN_OF_A_LIST + 1) return list(items);
  const more = items.slice(SHOWN_OF_A_LIST);
  return `${list(items.slice(0, SHOWN_OF_A_LIST))}<details><summary>and ${more.length} more</summary>${list(more)}</details>`;
}

function list(items: string[]): string {
  return items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text from outside as text on a page. */
function escapeHtml(text: string): string {
  return plain(text).replace(/[&<>"']/g, (mark) => ENTITIES[mark]!);
}
