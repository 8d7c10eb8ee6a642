import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BREAKAGES, type Breakage } from './breakages.ts';

/**
 * Breaks a copy of the project in one way after the other, and sees whether the test that is named
 * catches it. Arguments: words of those wanted.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT_MS = 900_000;
const RESULTS = join(ROOT, 'docs', 'breakages.json');

type Result = 'caught' | 'survived';

interface TestResults {
  testResults: {
    message: string;
    assertionResults: { fullName: string; status: string; title: string }[];
  }[];
}

const copy = mkdtempSync(join(tmpdir(), 'signon-breakages-'));
const wanted = process.argv.slice(2);
const survivors: string[] = [];
const results = new Map<string, Result>();
try {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of files
    .trim()
    .split('\n')
    .filter((name) => existsSync(join(ROOT, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const programs = join('.cache', 'temporal');
  if (existsSync(join(ROOT, programs)))
    cpSync(join(ROOT, programs), join(copy, programs), { recursive: true });
  const tried = BREAKAGES.filter(
    ({ what }) => wanted.length === 0 || wanted.some((word) => what.includes(word)),
  );
  const sound = run(tried);
  for (const breakage of tried)
    if (sound(breakage) !== 'passed')
      throw new Error(`${breakage.caughtBy.test}: ${sound(breakage)}, though nothing is broken`);
  for (const breakage of tried) {
    const caught = tryOut(breakage) === 'failed';
    console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${breakage.what}`);
    if (!caught) survivors.push(breakage.what);
    results.set(breakage.what, caught ? 'caught' : 'survived');
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
keepResults(results);
console.log(`${results.size} breakages, ${survivors.length} survived`);
process.exit(survivors.length === 0 ? 0 : 1);

function tryOut(breakage: Breakage): Became {
  const path = join(copy, breakage.file);
  const source = readFileSync(path, 'utf8');
  if (source.split(breakage.find).length !== 2)
    throw new Error(`${breakage.what}: stands not once in ${breakage.file}`);
  writeFileSync(
    path,
    source.replace(breakage.find, () => breakage.replace),
  );
  try {
    return run([breakage])(breakage);
  } finally {
    writeFileSync(path, source);
  }
}

type Became = 'passed' | 'failed' | 'did not run';

/**
 * Runs the tests that are named, in one go, and tells what became of each. What could not even be
 * loaded did not run: no test noticed it.
 */
function run(breakages: readonly Breakage[]): (breakage: Breakage) => Became {
  const output = join(copy, 'results.json');
  rmSync(output, { force: true });
  const files = [...new Set(breakages.map(({ caughtBy }) => caughtBy.file))];
  const names = breakages.map(({ caughtBy }) => like(caughtBy.test)).join('|');
  spawnSync(
    'npx',
    [
      'jest',
      '--config',
      'jest.all.config.js',
      ...files,
      '-t',
      names,
      '--json',
      '--outputFile',
      output,
      '--forceExit',
    ],
    {
      cwd: copy,
      stdio: 'ignore',
      timeout: LIMIT_MS,
    },
  );
  const { testResults } = existsSync(output)
    ? (JSON.parse(readFileSync(output, 'utf8')) as TestResults)
    : { testResults: [] };
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed');
  return ({ caughtBy: { test } }) => {
    const named = ran.filter(({ fullName }) => new RegExp(like(test)).test(fullName));
    if (testResults.some(({ message }) => message.includes('Worker exited unexpectedly')))
      return 'failed'; // the process died of it
    if (named.length === 0) return 'did not run';
    return named.every(({ status }) => status === 'passed') ? 'passed' : 'failed';
  };
}

/** A pattern for the title of a test, whatever a table fills in. */
function like(test: string): string {
  return test
    .split(/%\w/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*');
}

/** Keeps `docs/breakages.json`: what was tried has a new result, what was not keeps its own. */
function keepResults(tried: ReadonlyMap<string, Result>): void {
  const old = existsSync(RESULTS)
    ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Result>)
    : {};
  const now = BREAKAGES.map(({ what }) => [what, tried.get(what) ?? old[what]] as const);
  const known = Object.fromEntries(now.filter(([, result]) => result !== undefined));
  writeFileSync(RESULTS, `${JSON.stringify(known, null, 2)}\n`);
}
