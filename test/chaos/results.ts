import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { RunResult } from './run.ts';

/** What all runs so far came to, added up: a campaign can stop and go on. */
export interface Results {
  /** Seeds of runs without a violation, as `[first, last]`. */
  seeds: [number, number][];
  /**
   * What went wrong, by seed: every time, for a later run that goes right proves nothing. Taken out
   * by hand, once it is mended.
   */
  violations: Record<string, string[]>;
  /** How rotations stood at the end, and how often. */
  ends: Record<string, number>;
  /** What was struck and what happened, and how often. */
  met: Record<string, number>;
  /** Machine time of all runs. */
  seconds: number;
}

export function readResults(file: string): Results {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Results;
  return { seeds: [], violations: {}, ends: {}, met: {}, seconds: 0 };
}

export function writeResults(file: string, results: Results): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(results, undefined, 1)}\n`);
  renameSync(`${file}.new`, file);
}

export function hasRun({ seeds }: Results, seed: number): boolean {
  return seeds.some(([first, last]) => first <= seed && seed <= last);
}

/**
 * The same results with one more run; a seed that broke a promise once is not among those that did
 * not.
 */
export function withRun(
  results: Results,
  { seed, violations, ends, met, seconds }: RunResult,
): Results {
  if (violations.length > 0 || seed in results.violations)
    return {
      ...results,
      seeds: without(results.seeds, seed),
      violations: {
        ...results.violations,
        [String(seed)]: [...new Set([...(results.violations[seed] ?? []), ...violations])],
      },
    };
  if (hasRun(results, seed)) return results;
  return {
    seeds: ranges([...results.seeds, [seed, seed]]),
    violations: results.violations,
    ends: counted(results.ends, ends),
    met: counted(results.met, met.map(kindOf)),
    seconds: results.seconds + seconds,
  };
}

export function runsOf({ seeds, violations }: Results): number {
  return seeds.reduce(
    (sum, [first, last]) => sum + last - first + 1,
    Object.keys(violations).length,
  );
}

/** `after create 1: cut` → `create: cut`. */
function kindOf(met: string): string {
  const [, route, what] = /^(?:before |after )?(.*) \d+: (.*)$/.exec(met) ?? [];
  if (what === undefined) return met;
  return /^(cut|hang|late|truncated|changed|status)/.test(what) || route === 'exec'
    ? `${route}: ${what}`
    : what;
}

function counted(before: Record<string, number>, more: readonly string[]): Record<string, number> {
  const counts = { ...before };
  for (const what of more) counts[what] = (counts[what] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function without(seeds: [number, number][], seed: number): [number, number][] {
  return seeds.flatMap(([first, last]): [number, number][] =>
    seed < first || seed > last
      ? [[first, last]]
      : (
          [
            [first, seed - 1],
            [seed + 1, last],
          ] as [number, number][]
        ).filter(([from, to]) => from <= to),
  );
}

function ranges(seeds: [number, number][]): [number, number][] {
  const joined: [number, number][] = [];
  for (const [first, last] of seeds.toSorted(([a], [b]) => a - b)) {
    const before = joined.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}
