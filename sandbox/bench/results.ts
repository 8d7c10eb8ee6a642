import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { drawReport, type Results, type Row } from './report.ts';

const docs = (name: string): string =>
  fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));

/**
 * Keeps a section's figures in docs/benchmarks.json, and draws docs/benchmarks.md and its chart
 * anew from all there are.
 */
export function keepResults(section: string, rows: Row[]): void {
  const file = docs('benchmarks.json');
  const results: Results = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as Results)
    : {};
  results[section] = { date: new Date().toISOString().slice(0, 10), machine: machine(), rows };
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  const { markdown, chart } = drawReport(results);
  writeFileSync(docs('benchmarks.md'), markdown);
  writeFileSync(docs('images/benchmarks.svg'), chart);
}

function machine(): string {
  const { version } = JSON.parse(
    readFileSync(
      new URL('../../node_modules/@temporalio/worker/package.json', import.meta.url),
      'utf8',
    ),
  ) as { version: string };
  const gib = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${gib} GiB, Node ${process.version}, Temporal SDK ${version}`;
}
