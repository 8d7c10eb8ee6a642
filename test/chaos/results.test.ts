import { expect, test } from '../support/jest.ts';
import { hasRun, runsOf, withRun, type Results } from './results.ts';
import type { RunResult } from './run.ts';

const NONE: Results = { seeds: [], violations: {}, ends: {}, met: {}, seconds: 0 };
const aRun = (seed: number, violations: string[] = []): RunResult => ({
  seed,
  violations,
  met: ['after create 1: cut', 'before person 2: the worker is killed', 'exec 3: killed'],
  ends: ['rotated'],
  seconds: 10,
});
const after = (...runs: RunResult[]): Results => runs.reduce(withRun, NONE);

test('runs without a violation add up, in whatever order they end', () => {
  const results = after(aRun(2), aRun(1), aRun(4), aRun(3), aRun(3));
  expect(results).toEqual({
    seeds: [[1, 4]],
    violations: {},
    ends: { rotated: 4 },
    met: { 'create: cut': 4, 'exec: killed': 4, 'the worker is killed': 4 },
    seconds: 40,
  });
  expect(runsOf(results)).toBe(4);
  expect([1, 4, 5].map((seed) => hasRun(results, seed))).toEqual([true, true, false]);
});

test('a seed that broke a promise once is counted for it, however often it goes right before and after', () => {
  for (const results of [
    after(aRun(1), aRun(2, ['x']), aRun(2), aRun(3)),
    after(aRun(1), aRun(2), aRun(3), aRun(2, ['x'])),
  ]) {
    expect(results.violations).toEqual({ 2: ['x'] });
    expect(results.seeds).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(runsOf(results)).toBe(3);
  }
});
