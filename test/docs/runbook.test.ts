import { describe, expect, test } from '../support/jest.ts';
import { existsSync, readFileSync } from 'node:fs';
import { OUTCOMES } from '../../domain/rotation/plan.ts';

const MAP = new URL('../../docs/runbook.md', import.meta.url);
const text = readFileSync(MAP, 'utf8');
const links = [...text.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, name = '', path = '']) => ({
  name,
  path,
}));
const isTest = ({ path }: { path: string }): boolean => path.startsWith('../test/');
const rows = text.split('\n').filter((line) => /^- |^\| `/.test(line));
const sourceOf = (path: string): string => readFileSync(new URL(path, MAP), 'utf8');

/** Whether a file defines something of that name: a function, class, constant, method or field. */
function defines(source: string, name: string): boolean {
  const before = '^\\s*(?:export )?(?:async )?(?:function |class |const )?';
  return new RegExp(`${before}${name}\\??\\s*(?:[(:=<]|\\{)`, 'm').test(source);
}

/** How many titles of a file's tests have these words. */
function titlesWith(source: string, words: string): number {
  const titles = source.match(/'[^'\n]+',|"[^"\n]+",|`[^`\n]+`,/g) ?? [];
  return titles.filter((title) => title.includes(words)).length;
}

describe('docs/runbook.md', () => {
  test('names files that are there', () => {
    expect(links.length).toBeGreaterThan(60);
    expect(links.filter(({ path }) => !existsSync(new URL(path, MAP)))).toEqual([]);
  });

  test('names what the code defines', () => {
    const code = links.filter((link) => !isTest(link));
    expect(code.length).toBeGreaterThan(25);
    expect(code.filter(({ name, path }) => !defines(sourceOf(path), name))).toEqual([]);
  });

  test('names each test by words that no other title of its file has', () => {
    expect(
      links.filter(isTest).filter(({ name, path }) => titlesWith(sourceOf(path), name) !== 1),
    ).toEqual([]);
  });

  test('shows every line by a test', () => {
    expect(rows.length).toBeGreaterThan(45);
    expect(rows.filter((row) => !row.includes('](../test/'))).toEqual([]);
  });

  test('has every outcome once, shown under skipped time and on a real server', () => {
    const outcomes = rows
      .map((row) => row.split('|').map((cell) => cell.trim()))
      .filter((cells) => cells.length > 1);
    expect(outcomes.map(([, name = '']) => name.slice(1, -1))).toEqual([...OUTCOMES]);
    for (const [, , skipped, real] of outcomes) {
      expect(skipped).toContain('](../test/workflows/');
      expect(real).toContain('](../test/whole/');
    }
  });
});
