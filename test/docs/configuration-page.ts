import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { isMap, parseDocument, type Pair, type Scalar } from 'yaml';
import type { z } from 'zod';
import { RECEIVER_VARIABLES } from '../../client/receiver/configuration.ts';
import { MAY_COME_FROM_FILE, WORKER_VARIABLES } from '../../config/configuration.ts';

const PAGE = fileURLToPath(new URL('../../docs/configuration.md', import.meta.url));
const SETTINGS = fileURLToPath(new URL('../../config/settings.yaml', import.meta.url));

/**
 * The page as it stands, and as variables and settings make it: what stands between two marks is
 * made.
 */
export async function configurationPage(): Promise<{ written: string; made: string }> {
  const written = readFileSync(PAGE, 'utf8');
  const parts = {
    worker: variables(WORKER_VARIABLES, MAY_COME_FROM_FILE),
    receiver: variables(RECEIVER_VARIABLES, ['RECEIVER_TOKEN'], WORKER_VARIABLES.shape),
    settings: settings(),
  };
  const made = Object.entries(parts).reduce(
    (page, [name, rows]) =>
      page.replace(
        new RegExp(`(<!-- ${name} -->\n\n)[^]*?(\n\n<!-- end -->)`),
        (_, begin: string, end: string) => `${begin}${rows}${end}`,
      ),
    written,
  );
  return { written, made: await format(made, { parser: 'markdown' }) };
}

export async function writeConfigurationPage(): Promise<void> {
  writeFileSync(PAGE, (await configurationPage()).made);
}

/** @param known variables that stand in another table already */
function variables(
  { shape }: z.ZodObject,
  fromFile: readonly string[],
  known: object = {},
): string {
  const own = Object.entries(shape as Record<string, z.ZodType>).filter(
    ([name]) => !(name in known),
  );
  const rows = own.map(([name, type]) => {
    const missing = type.safeParse(undefined);
    const fallback = missing.success && missing.data !== undefined ? shown(missing.data) : '';
    const need = missing.success ? fallback : 'required';
    return [
      `\`${name}\``,
      need,
      `${type.description ?? ''}${fromFile.includes(name) ? `; also \`${name}_FILE\`` : ''}`,
    ];
  });
  return table(['variable', 'default', 'meaning'], rows);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(', ');
  if (typeof value === 'object' && value !== null) return `\`${Object.values(value).join(':')}\``;
  return `\`${String(value)}\``;
}

/** Each setting that is one value, with the bounds and the comment of the file that ships. */
function settings(): string {
  const { contents } = parseDocument(readFileSync(SETTINGS, 'utf8'));
  if (!isMap(contents)) throw new Error('the settings are a mapping');
  return table(
    ['setting', 'default', 'bounds', 'meaning'],
    (contents.items as Pair<Scalar>[]).flatMap((item) => rowsOf(item, '')),
  );
}

function rowsOf({ key, value }: Pair<Scalar>, parent: string): string[][] {
  const name = `${parent}${String(key.value)}`;
  if (isMap(value) && ['syncGathering', 'sweep', 'notices', 'renewal'].includes(name))
    return (value.items as Pair<Scalar>[]).flatMap((item) => rowsOf(item, `${name}.`));
  const single = value as Scalar;
  const said = parent === '' ? key.commentBefore : (single.comment ?? '');
  const text = (said ?? '')
    .split(/\n\s*\n/)
    .at(-1)!
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
  const bounds = /\[([^\]]+)\]/.exec(text)?.[1] ?? '';
  const meaning = text.replace(/ ?\[[^\]]+\]/, '').trim();
  const isOneValue = typeof single.value === 'string' || typeof single.value === 'number';
  return [[`\`${name}\``, isOneValue ? String(single.value) : 'see the file', bounds, meaning]];
}

function table(head: string[], rows: string[][]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)));
  const line = (row: string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`;
  return [
    line(cells[0]!),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...cells.slice(1).map(line),
  ].join('\n');
}
