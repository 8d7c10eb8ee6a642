import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { writeBundle } from '../../worker/bundle.ts';
import { WorkerProcess } from '../worker-process.ts';
import { layGround, median } from './ground.ts';
import { rotateOnce } from './rotation.ts';
import { plainScript } from './script.ts';
import { startWorkerOnce } from './worker-start.ts';

const RUNS = 15;
const FILE = fileURLToPath(new URL('../../docs/benchmarks.json', import.meta.url));
interface Row {
  what: string;
  value: number;
  unit: string;
  goal?: string;
}

const rows: Row[] = [];
const add = (what: string, value: number, unit: string, goal?: string): void => {
  rows.push({ what, value: Math.round(value * 100) / 100, unit, goal });
};

await rotations();
await jobs();
await workerStarts();
print();
process.exit(0);

async function rotations(): Promise<void> {
  const ground = await layGround();
  const worker = new WorkerProcess(ground.env);
  const script = plainScript(ground);
  await script();
  await rotateOnce(ground); // both have signed in
  const scripted = [];
  const rotated = [];
  for (let run = 0; run < RUNS; run++) {
    scripted.push(await script());
    rotated.push(await rotateOnce(ground));
  }
  for (const [what, key] of [
    ['start → waiting for approval', 'toApproval'],
    ['approval → revoked', 'toRevoked'],
  ] as const) {
    const workflow = median(rotated.map((figures) => figures[key]));
    const plain = median(scripted.map((figures) => figures[key]));
    add(`${what}, workflow`, workflow, 'ms');
    add(`${what}, plain script`, plain, 'ms');
    add(`${what}, workflow ÷ script`, workflow / plain, '×', '≤ 1.5');
  }
  const [last] = rotated.slice(-1);
  const total = (counts: Record<string, number> = {}): number => Object.values(counts).reduce((sum, n) => sum + n, 0);
  add('history events per rotation', total(last?.events), 'events', '≤ 150');
  for (const [kind, count] of Object.entries(last?.events ?? {})) add(`  of them ${kind}`, count, 'events');
  add('activities per rotation', total(last?.activities), 'activities');
  await worker.stop();
  await ground.clear();
}

async function jobs(): Promise<void> {
  const ground = await layGround({ jobMs: 700, treeLagMs: 200 });
  const worker = new WorkerProcess(ground.env);
  const known = [];
  for (let run = 0; run < RUNS; run++) known.push((await rotateOnce(ground)).jobKnownAfter);
  add('Job finished → workflow knows, median', median(known), 'ms', '< 250');
  add('Job finished → workflow knows, longest', Math.max(...known), 'ms');
  await worker.stop();
  await ground.clear();
}

async function workerStarts(): Promise<void> {
  const ground = await layGround();
  const bundle = `${ground.env.ROTATION_SETTINGS}.bundle.js`;
  await writeBundle(bundle);
  for (const [what, env] of [
    ['bundling at start', ground.env],
    ['bundle made before', { ...ground.env, WORKFLOW_BUNDLE: bundle }],
  ] as const) {
    const starts = [];
    for (let run = 0; run < 5; run++) starts.push(await startWorkerOnce({ ...ground, env }, rows.length * 10 + run));
    add(`worker start → first task, ${what}`, median(starts.map(({ ms }) => ms)), 'ms', '< 3000');
    add(`worker memory, ${what}`, median(starts.map(({ mib }) => mib)), 'MiB');
  }
  await ground.clear();
}

function print(): void {
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, value, unit, goal } of rows)
    console.log(`${what.padEnd(width)}  ${String(value).padStart(8)} ${unit.padEnd(10)} ${goal ? `goal ${goal}` : ''}`);
  const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model };
  writeFileSync(FILE, `${JSON.stringify({ date: new Date().toISOString(), machine, runs: RUNS, rows }, null, 2)}\n`);
}
