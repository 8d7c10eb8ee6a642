import { expect, test } from '../support/jest.ts';
import { readFileSync } from 'node:fs';
import { BREAKAGES } from '../breakages/breakages.ts';
import { readResults, runsOf } from '../chaos/results.ts';

const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');

test('the page tells of as many runs and violations as the campaigns’ results hold', () => {
  const results = readResults(new URL('../../docs/chaos.json', import.meta.url).pathname);
  expect(results.violations).toEqual({});
  expect(page).toContain(`**So far: ${runsOf(results)} runs, 0 violations**`);
  const met = Object.values(results.met).reduce((sum, count) => sum + count, 0);
  expect(page).toContain(`They met ${met} strikes and happenings`);
});

test('the table has every breakage there is, and each was caught', () => {
  const rows = page
    .split('<!-- breakages -->')[1]!
    .split('\n')
    .filter((line) => /\| (caught|\*\*survived\*\*) *\|$/.test(line));
  expect(rows.map((row) => row.split('|')[1]!.trim())).toEqual(BREAKAGES.map(({ what }) => what));
  expect(rows.filter((row) => row.includes('survived'))).toEqual([]);
});
