import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { campaign } from '../chaos/campaign.ts';
import { fateOf } from '../chaos/fate.ts';
import { readResults } from '../chaos/results.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'signon-campaign-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const FIRST = 1;
const RUNS = 4;

test('a short campaign of fixed seeds breaks no promise, goes on where it stopped, and adds up', async () => {
  const fates = Array.from({ length: RUNS }, (_, at) => fateOf(FIRST + at));
  expect(fates.flatMap(({ happenings }) => happenings.map(({ what }) => what.kind))).toEqual(
    expect.arrayContaining(['the worker is killed']),
  );
  const file = join(folder, 'results.json');
  const printed: string[] = [];
  const print = (line: string): void => void printed.push(line);
  const { signal } = new AbortController();
  const some = await campaign({ first: FIRST, runs: RUNS / 2, lanes: 2, file }, signal, print);
  expect(printed.filter((line) => line.includes('VIOLATION'))).toEqual([]);
  expect(some).toEqual({ runs: RUNS / 2, violations: 0 });
  const all = await campaign({ first: FIRST, runs: RUNS, lanes: 2, file }, signal, print);
  expect(printed.filter((line) => line.includes('VIOLATION'))).toEqual([]);
  expect(all).toEqual({ runs: RUNS, violations: 0 });
  expect(printed.filter((line) => line.startsWith('seed '))).toHaveLength(RUNS);
  expect(printed.at(-1)).toBe(`${RUNS} runs, 0 violations`);
  expect(readResults(file)).toMatchObject({ seeds: [[FIRST, FIRST + RUNS - 1]], violations: {} });
}, 1_800_000);

test('a seed is the same fate for ever', () => {
  expect(fateOf(7)).toEqual(fateOf(7));
  expect(fateOf(7)).not.toEqual(fateOf(8));
});
