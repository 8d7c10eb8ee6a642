import { readFileSync } from 'node:fs';
import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { FAILURES, todoFor, type FailureName } from '../../domain/rotation/failures.ts';

const names = Object.keys(FAILURES) as FailureName[];
const page = readFileSync(new URL('../../docs/failures.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [
      section.slice(0, section.indexOf('\n')).trim(),
      section.slice(section.indexOf('\n')),
    ]),
);

describe('docs/failures.md', () => {
  test('has a heading for every failure, each once', () => {
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!.trim());
    expect(names.filter((name) => !headings.includes(name))).toEqual([]);
    expect(headings).toHaveLength(new Set(headings).size);
  });

  test('has no heading that is not a failure', () => {
    expect(
      [...sections.keys()].filter((heading) => !names.includes(heading as FailureName)),
    ).toEqual([]);
  });

  test.each(names)('says under %s what happened and what to do', (name) => {
    expect(sections.get(name)).toMatch(/\S[^]*\*\*Do:\*\* \S/);
  });
});

test('only a bad request fails a workflow; all else is retried or blocks', () => {
  expect(names.filter((name) => FAILURES[name].treatment === 'fails')).toEqual(['InvalidRequest']);
});

test.each(names)('%s tells a person what to do, in full sentences', (name) => {
  expect(todoFor(name)).toBe(FAILURES[name].todo);
  expect(todoFor(name)).toMatch(/^[A-Z].{10,}\.$/);
});

test('every failure that blocks names a way on: retry, abort, a new start or work by hand', () => {
  const stuck = names.filter(
    (name) =>
      FAILURES[name].treatment === 'blocks' && !/retry|abort|start|by hand/i.test(todoFor(name)),
  );
  expect(stuck).toEqual([]);
});

test('a name that nobody knows is treated as unexpected', () => {
  for (const name of ['', 'TypeError', 'invalidrequest'])
    expect(todoFor(name)).toBe(FAILURES.Unexpected.todo);
});

test('a name that every JavaScript object has is as unknown as any other', () => {
  const strangers = fc.string().filter((name) => !names.includes(name as FailureName));
  fc.assert(
    fc.property(strangers, (name) => expect(todoFor(name)).toBe(FAILURES.Unexpected.todo)),
    { examples: [['constructor'], ['toString'], ['__proto__']] },
  );
});
