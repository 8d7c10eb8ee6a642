import { expect, test } from '../support/jest.ts';
import { readFileSync } from 'node:fs';
import { BREAKAGES } from '../breakages/breakages.ts';
import { readResults, runsOf } from '../chaos/results.ts';

const docs = (name: string): URL => new URL(`../../docs/${name}`, import.meta.url);
const page = readFileSync(docs('reliability.md'), 'utf8');

test('the page tells of as many runs and violations as the campaigns’ results hold', () => {
  const results = readResults(docs('chaos.json').pathname);
  expect(results.violations).toEqual({});
  expect(page).toContain(`**So far: ${runsOf(results)} runs, 0 violations**`);
  const met = Object.values(results.met).reduce((sum, count) => sum + count, 0);
  expect(page).toContain(`They met ${met} strikes and happenings`);
});

test('every breakage there is was caught, and the page says how many there are', () => {
  const results = JSON.parse(readFileSync(docs('breakages.json'), 'utf8')) as Record<
    string,
    string
  >;
  expect(results).toEqual(Object.fromEntries(BREAKAGES.map(({ what }) => [what, 'caught'])));
  expect(page).toContain(`**${BREAKAGES.length} breakages, each caught.**`);
});
