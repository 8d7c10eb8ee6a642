import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { userMetadataLink } from '../domain/links.ts';
import type { Status } from '../client/rotations.ts';
import { startRotation, type Started } from '../client/start-rotation.ts';
import { approvalFor } from '../domain/offers.ts';
import type { RotationReport } from '../domain/report.ts';
import type { RotationRequest } from '../domain/request.ts';
import { printEvidence, printProgress, printReport } from './demo-output.ts';
import { WATCHABLE } from './options.ts';
import { keepWorld, loadWorld, Sandbox, type Ports } from './sandbox.ts';
import { expireIn, seedWorld } from './seed.ts';
import { freePort, startTemporal } from './temporal-server.ts';
import { WorkerProcess } from './worker-process.ts';

const FOLDER = fileURLToPath(new URL('../.demo/', import.meta.url));
/** What the demo keeps there for a second start; the sandbox keeps its own world beside it. */
const OWN_FILES = ['temporal.db', 'temporal.db-shm', 'temporal.db-wal', 'ports.json', 'settings.json', 'world.json'];
const request: RotationRequest = {
  environment: 'integration',
  apiUser: 'short-url-manager@alphagov.co.uk',
  application: 'publishing-api',
  requestedBy: 'demo',
};
const settings = {
  soak: '5 seconds',
  syncGathering: { quietFor: '1 second' },
  pollEvery: '1 second',
  signonRequestLimit: '5 seconds',
  hosts: { integration: '^127\\.0\\.0\\.1$', staging: '^$', production: '^$' },
};

type Rotation = Started['handle'];

/** What was started, ended in the reverse order however the demo ends. */
const started: (() => Promise<unknown>)[] = [];
async function endAll(): Promise<void> {
  for (let end = started.pop(); end; end = started.pop()) await end().catch(() => undefined);
}
// A terminal that was closed must not keep the demo from ending what it started.
for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => undefined);
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    console.log('\nEnding what was started; `npm run demo` goes on with this rotation.');
    void endAll().then(() => process.exit(130));
  });
process.once('uncaughtException', (error) => {
  console.error(error.message);
  void endAll().then(() => process.exit(1));
});
/** Registers what was started; what starts while the demo ends, is ended at once. */
function ends(end: () => Promise<unknown>): void {
  started.push(end);
  if (interrupted) void endAll();
}

try {
  await demo();
} catch (error) {
  if (!interrupted) console.error(error instanceof Error ? error.message : error);
  process.exitCode = interrupted ? 130 : 1;
}
await endAll();
process.exit();

async function demo(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  const ports = await keptPorts();
  console.log('1. Starting a Temporal server with its UI …');
  const temporal = await startTemporal({
    dataFile: join(FOLDER, 'temporal.db'),
    port: ports.temporal,
    uiPort: ports.ui,
    started: ends,
  });

  console.log('2. Starting the sandbox: stand-ins of Signon, Argo CD, Kubernetes and the applications …');
  const sandbox = await startSandbox(ports);
  ends(() => sandbox.stop());

  console.log('3. Starting a worker for integration …');
  writeFileSync(join(FOLDER, 'settings.json'), JSON.stringify(settings));
  const worker = new WorkerProcess({
    ...sandbox.workerEnv(),
    TEMPORAL_ADDRESS: temporal.address,
    ...(temporal.uiUrl && { TEMPORAL_UI_URL: temporal.uiUrl }),
    ROTATION_SETTINGS: join(FOLDER, 'settings.json'),
  });
  ends(() => worker.stop());

  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig({
    overrideEnvVars: { ...(process.env as Record<string, string>), TEMPORAL_ADDRESS: temporal.address },
  });
  const connection = await Connection.connect(connectionOptions);
  const client = new Client({ connection, namespace });
  const { handle } = await startRotation(client, request);
  const { runId } = await handle.describe();
  if (temporal.uiUrl)
    console.log(
      `4. Watch it in the Temporal UI:\n   ${userMetadataLink({ url: temporal.uiUrl, namespace }, handle.workflowId, runId)}\n`,
    );

  console.log(
    `   or from another terminal:\n   export TEMPORAL_ADDRESS=${temporal.address} ROTATION_ENVIRONMENT=${request.environment} ROTATION_BY=you@example.org\n   npx signon-rotation show ${request.apiUser} ${request.application}\n`,
  );
  const report = await follow(handle, runId, worker);
  await connection.close();
  printReport(report, sandbox.world.happened);
  for (const file of OWN_FILES) rmSync(join(FOLDER, file), { force: true });
}

/** Prints progress, asks for approval, and waits for the report. */
async function follow(handle: Rotation, runId: string, worker: WorkerProcess): Promise<RotationReport> {
  const asks = process.stdin.isTTY && !process.argv.includes('--yes');
  const over = new AbortController();
  const result = handle.result().finally(() => over.abort());
  result.catch(() => undefined); // awaited below
  void worker
    .exit()
    .then(
      (code) =>
        code !== 0 &&
        !interrupted &&
        !over.signal.aborted &&
        console.error(`The worker ended with ${code}:\n${worker.output}`),
    );
  let asked = '';
  const printed = new Map<string, string>();
  while (!over.signal.aborted) {
    const status = await handle.query<Status>('status').catch(() => undefined);
    if (status) printProgress(status, printed);
    if (status?.code && status.waiting?.kind === 'approval' && status.code !== asked) {
      asked = status.code;
      printEvidence(status.waiting.evidence);
      const approval = { ...approvalFor(status.waiting.evidence, runId), by: 'you@example.org' };
      if (!asks) {
        console.log('   Approving by itself (--yes, or no terminal).');
        await handle.signal('approve', approval);
      } else void askInTerminal(handle, approval, over.signal);
    }
    await after(500, undefined, { signal: over.signal }).catch(() => undefined);
  }
  return result;
}

/** Asks in the terminal; an answer in the UI ends the question. */
async function askInTerminal(handle: Rotation, approval: object, over: AbortSignal): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on('error', () => undefined); // the terminal was closed
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    console.log(`   Signal \`approve\` in the UI with ${JSON.stringify(approval)}`);
    let answer = '';
    while (!/^(y|yes|n|no)$/i.test(answer))
      answer = (
        await terminal.question('   or answer here: revoke the old token in integration (sandbox)? yes/no: ', {
          signal: over,
        })
      ).trim();
    if (/^y/i.test(answer)) await handle.signal('approve', approval);
    else await handle.signal('reject', { by: 'you@example.org', reason: 'answered no in the terminal' });
  } catch {
    console.log('\n   Decided elsewhere.');
  } finally {
    terminal.close();
  }
}

async function startSandbox(ports: Ports): Promise<Sandbox> {
  const file = join(FOLDER, 'world.json');
  let world = loadWorld(file);
  if (!world) {
    world = seedWorld({
      environment: request.environment,
      only: ['short-url-manager', 'publishing-api', 'collections-publisher'],
    });
    expireIn(world, request.apiUser, request.application, 10);
  }
  keepWorld(world, file);
  return Sandbox.start(world, WATCHABLE, ports);
}

/** The ports of the run before, so that a second start finds the same addresses. */
async function keptPorts(): Promise<Required<Ports> & Record<'temporal' | 'ui', number>> {
  const file = join(FOLDER, 'ports.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Awaited<ReturnType<typeof keptPorts>>;
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
