import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxOptions } from '../options.ts';
import { keepWorld, loadWorld, Sandbox, type Ports } from '../sandbox.ts';
import { freePort, startTemporal, type TemporalServer } from '../temporal-server.ts';
import { WorkerProcess } from '../worker-process.ts';
import type { World } from '../world.ts';

/** What a demo keeps for a second start; the sandbox keeps its own world beside it. */
const OWN_FILES = [
  'temporal.db',
  'temporal.db-shm',
  'temporal.db-wal',
  'ports.json',
  'settings.json',
  'world.json',
];
const SETTINGS = {
  forStandIns: true,
  soak: '5 seconds',
  syncGathering: { quietFor: '1 second' },
  pollEvery: '1 second',
  signonRequestLimit: '5 seconds',
  hosts: { integration: '^127\\.0\\.0\\.1$' },
};

/** What a demo runs on. */
export interface Ground {
  temporal: TemporalServer;
  sandbox: Sandbox;
  client: Client;
  /** Whether somebody is there to be asked. */
  asks: boolean;
}

/** What was started, ended in the reverse order however the demo ends. */
export class Endings {
  private readonly started: (() => Promise<unknown>)[] = [];
  interrupted = false;
  /** What was started is being ended, or has been. */
  over = false;

  /** Ends what was started when the program is told to end. */
  constructor() {
    // A terminal that was closed must not keep the demo from ending what it started.
    for (const stream of [process.stdin, process.stdout, process.stderr])
      stream.on('error', () => undefined);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        if (this.interrupted) return;
        this.interrupted = true;
        console.log('\nEnding what was started; the same command goes on from here.');
        void this.endAll().then(() => process.exit(130));
      });
    process.once('uncaughtException', (error) => {
      console.error(error.message);
      void this.endAll().then(() => process.exit(1));
    });
  }

  /** Registers what was started; what starts while the demo ends, is ended at once. */
  readonly add = (end: () => Promise<unknown>): void => {
    this.started.push(end);
    if (this.interrupted) void this.endAll();
  };

  /** Ends the demo where it cannot go on. */
  fail(why: string): void {
    console.error(why);
    this.over = true;
    void this.endAll().then(() => process.exit(1));
  }

  /** Runs a demo to its end, or to the signal that ends it. */
  async whatever(demo: () => Promise<void>): Promise<never> {
    try {
      await demo();
    } catch (error) {
      if (!this.interrupted) console.error(error instanceof Error ? error.message : error);
      process.exitCode = this.interrupted ? 130 : 1;
    }
    await this.endAll();
    process.exit();
  }

  private async endAll(): Promise<void> {
    this.over = true;
    for (let end = this.started.pop(); end; end = this.started.pop())
      await end().catch(() => undefined);
  }
}

/**
 * Starts Temporal, the sandbox and a worker; what they keep is in the folder until `act` is done.
 */
export async function onGround(
  endings: Endings,
  demo: {
    folder: string;
    seed: () => World;
    options: SandboxOptions;
    settings?: object;
    failsOnce?: boolean;
  },
  act: (ground: Ground) => Promise<void>,
): Promise<void> {
  const { folder } = demo;
  const { add } = endings;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ports = await keptPorts(folder);
  console.log('1. Starting a Temporal server with its UI …');
  const temporal = await startTemporal({
    dataFile: join(folder, 'temporal.db'),
    port: ports.temporal,
    uiPort: ports.ui,
    started: add,
  });

  console.log(
    '2. Starting the sandbox: stand-ins of Signon, Argo CD, Kubernetes and the applications …',
  );
  const file = join(folder, 'world.json');
  const world = loadWorld(file) ?? demo.seed();
  if (demo.failsOnce) world.sync.fails = 1;
  keepWorld(world, file);
  const sandbox = await Sandbox.start(world, demo.options, ports);
  add(() => sandbox.stop());

  console.log('3. Starting a worker for integration …');
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ ...SETTINGS, ...demo.settings }));
  const worker = new WorkerProcess({
    ...sandbox.workerEnv(),
    TEMPORAL_ADDRESS: temporal.address,
    ...(temporal.uiUrl && { TEMPORAL_UI_URL: temporal.uiUrl }),
    ROTATION_SETTINGS: join(folder, 'settings.json'),
  });
  add(() => worker.stop());
  void worker.exit().then((code) => {
    if (code !== 0 && !endings.over)
      endings.fail(`The worker ended with ${code}:\n${worker.output}`);
  });

  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig({
    overrideEnvVars: {
      ...(process.env as Record<string, string>),
      TEMPORAL_ADDRESS: temporal.address,
    },
  });
  const connection = await Connection.connect(connectionOptions);
  const asks = process.stdin.isTTY && !process.argv.includes('--yes');
  await act({ temporal, sandbox, client: new Client({ connection, namespace }), asks });
  await connection.close();
  for (const own of OWN_FILES) rmSync(join(folder, own), { force: true });
}

/** The ports of the run before, so that a second start finds the same addresses. */
async function keptPorts(
  folder: string,
): Promise<Required<Ports> & Record<'temporal' | 'ui', number>> {
  const file = join(folder, 'ports.json');
  if (existsSync(file))
    return JSON.parse(readFileSync(file, 'utf8')) as Awaited<ReturnType<typeof keptPorts>>;
  const ports = {
    temporal: await freePort(),
    ui: await freePort(),
    signon: await freePort(),
    argo: await freePort(),
    kubernetes: await freePort(),
    applications: await freePort(),
  };
  writeFileSync(file, JSON.stringify(ports));
  return ports;
}
