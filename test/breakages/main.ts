import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BREAKAGES, type Breakage } from './breakages.ts';

/** Breaks a copy of the project in one way after the other, and sees whether the test that is named catches it. Arguments: words of those wanted. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT_MS = 240_000;
const PAGE = join(ROOT, 'docs', 'reliability.md');

interface TestResults {
  testResults: { assertionResults: { fullName: string; status: string; title: string }[] }[];
}

const copy = mkdtempSync(join(tmpdir(), 'signon-breakages-'));
const wanted = process.argv.slice(2);
const survivors: string[] = [];
const rows: string[] = [];
try {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
  for (const file of files
    .trim()
    .split('\n')
    .filter((name) => existsSync(join(ROOT, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  cpSync(join(ROOT, '.cache', 'temporal'), join(copy, '.cache', 'temporal'), { recursive: true });
  for (const breakage of BREAKAGES) {
    if (wanted.length > 0 && !wanted.some((word) => breakage.what.includes(word))) continue;
    const sound = wanted.length > 0 || run(breakage) === 'passed';
    const caught = sound && tryOut(breakage) === 'failed';
    console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${breakage.what}`);
    if (!caught) survivors.push(breakage.what);
    rows.push(
      `| ${breakage.what} | \`${breakage.file}\` | \`${breakage.caughtBy.file}\`: ${breakage.caughtBy.test} | ${caught ? 'caught' : '**survived**'} |`,
    );
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
if (wanted.length === 0) writeTable(rows);
console.log(`${rows.length} breakages, ${survivors.length} survived`);
process.exit(survivors.length === 0 ? 0 : 1);

function tryOut(breakage: Breakage): ReturnType<typeof run> {
  const path = join(copy, breakage.file);
  const source = readFileSync(path, 'utf8');
  if (source.split(breakage.find).length !== 2)
    throw new Error(`${breakage.what}: stands not once in ${breakage.file}`);
  writeFileSync(
    path,
    source.replace(breakage.find, () => breakage.replace),
  );
  try {
    return run(breakage);
  } finally {
    writeFileSync(path, source);
  }
}

/** What became of the named test, and of no other: it must run. */
function run({ caughtBy: { file, test } }: Breakage): 'passed' | 'failed' {
  const output = join(copy, 'results.json');
  rmSync(output, { force: true });
  const like = test
    .split(/%\w/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*');
  spawnSync('npx', ['jest', file, '-t', like, '--json', '--outputFile', output, '--forceExit'], {
    cwd: copy,
    env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules --no-warnings' },
    stdio: 'ignore',
    timeout: LIMIT_MS,
  });
  if (!existsSync(output)) return 'failed'; // it did not come to an end
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as TestResults;
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed');
  if (ran.length === 0) throw new Error(`no test ran: ${file}, ${test}`);
  return ran.some(({ status }) => status === 'failed') ? 'failed' : 'passed';
}

/** The table of `docs/reliability.md`, between its marks. */
function writeTable(lines: string[]): void {
  const [start, end] = ['<!-- breakages -->', '<!-- /breakages -->'];
  const page = readFileSync(PAGE, 'utf8');
  const table = ['| What is broken | where | caught by | |', '| :-- | :-- | :-- | :-- |', ...lines].join('\n');
  const [before, rest = ''] = page.split(start);
  writeFileSync(PAGE, `${before}${start}\n${table}\n${end}${rest.split(end)[1] ?? ''}`);
}
