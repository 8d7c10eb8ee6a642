import { hasRun, readResults, runsOf, withRun, writeResults } from './results.ts';
import { run, type RunResult } from './run.ts';

/**
 * Runs seeds `first` to `first + runs - 1`, those that went right before left out unless `again`,
 * and adds up what they came to.
 * @param options.file where results are kept
 * @param stop ends it after the runs that are under way
 */
export async function campaign(
  options: { first: number; runs: number; lanes: number; file: string; again?: boolean },
  stop: AbortSignal,
  print: (line: string) => void,
): Promise<{ runs: number; violations: number }> {
  const { first, lanes, file, again = false } = options;
  let results = readResults(file);
  const seeds = Array.from({ length: options.runs }, (_, index) => first + index).filter(
    (seed) => again || !hasRun(results, seed),
  );
  const lane = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined && !stop.aborted; seed = seeds.shift()) {
      const result = await run(seed).catch((error: unknown) => broken(seed, error));
      results = withRun(results, result);
      writeResults(file, results);
      print(`seed ${seed}, ${result.seconds} s: ${result.ends.join(', ')}`);
      if (result.violations.length === 0) continue;
      print(
        [
          ...result.violations.map((what) => `  VIOLATION ${what}`),
          ...result.met.map((what) => `  met ${what}`),
          `  replay it: npm run chaos -- --runs 1 --seed ${seed} --again`,
        ].join('\n'),
      );
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const violations = Object.keys(results.violations).length;
  print(`${runsOf(results)} runs, ${violations} violations`);
  return { runs: runsOf(results), violations };
}

/** A run that could not be played to its end proves nothing: that is a violation, too. */
function broken(seed: number, error: unknown): RunResult {
  return { seed, violations: [`the run broke: ${String(error)}`], met: [], ends: [], seconds: 0 };
}
