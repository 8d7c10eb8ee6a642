import { expect, test } from '../support/jest.ts';
import { readFileSync } from 'node:fs';
import { BREAKAGES } from './breakages.ts';

const read = (file: string): string =>
  readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

test.each(BREAKAGES)(
  '“$what” can still be broken so, and the test that catches it is there',
  (breakage) => {
    const { file, find, replace, caughtBy } = breakage;
    expect(read(file).split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
    expect(read(caughtBy.file)).toContain(`'${caughtBy.test}'`);
  },
);

test('each is another one, and there are enough', () => {
  expect(new Set(BREAKAGES.map(({ what }) => what)).size).toBe(BREAKAGES.length);
  expect(BREAKAGES.length).toBeGreaterThanOrEqual(15);
});
