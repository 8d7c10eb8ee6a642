import { parseArgs } from 'node:util';
import { writeBundle } from '../../worker/bundle.ts';
import { parameterize } from '../../domain/text/index.ts';
import { WorkerProcess } from '../worker-process.ts';
import { layBeside, revokeBeside } from './beside-rollouts.ts';
import { ceiling } from './ceiling.ts';
import { takeCensus } from './census.ts';
import { layFleet, rotateFleet, tokensOf, type FleetFigures } from './fleet.ts';
import { layGround, median, type Ground } from './ground.ts';
import type { Row } from './report.ts';
import { keepResults } from './results.ts';
import { rotateOnce } from './rotation.ts';
import { plainScript } from './script.ts';
import { startWorkerOnce } from './worker-start.ts';

const RUNS = 15;
const SECTIONS: Record<string, () => Promise<Row[]>> = {
  'one rotation': oneRotation,
  'a finished Job': finishedJob,
  'worker start': workerStart,
  'a census of 400': censusOf400,
  'the estate': () => fleet('real'),
  'one after the other': oneAfterTheOther,
  'growth 50': () => fleet(50),
  'growth 200': () => fleet(200),
  'growth 800': () => fleet(800),
  'a thousand wait': aThousandWait,
  'the estate, two workers': () => several('real', 2),
  'the estate, four workers': () => several('real', 4),
  '400, one worker': () => several(400, 1),
  '400, two workers': () => several(400, 2),
  '400, four workers': () => several(400, 4),
  '400, one of two killed': oneOfTwoKilled,
  'beside rollouts': besideRollouts,
};

/**
 * `--temporal postgres` names the server that `TEMPORAL_ADDRESS` leads to; its figures stand beside
 * the development server's.
 */
const { values, positionals: wanted } = parseArgs({
  options: { temporal: { type: 'string' } },
  allowPositionals: true,
});
if ((values.temporal !== undefined) !== (process.env.TEMPORAL_ADDRESS !== undefined)) {
  console.error('Give both: --temporal <what it is>, e.g. postgres, and TEMPORAL_ADDRESS.');
  process.exit(2);
}
for (const [name, measure] of Object.entries(SECTIONS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n${name}`);
  const rows = await measure();
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, value, unit, goal } of rows)
    console.log(
      `  ${what.padEnd(width)}  ${String(value).padStart(8)} ${unit.padEnd(10)} ${goal ? `goal ${goal}` : ''}`,
    );
  keepResults(values.temporal ? `${name}, ${values.temporal}` : name, rows);
}
process.exit(0);

function row(what: string, value: number, unit: string, goal?: string): Row {
  return { what, value: Math.round(value * 100) / 100, unit, ...(goal !== undefined && { goal }) };
}

type Workers = [WorkerProcess, ...WorkerProcess[]];

/** Runs on a ground with workers, and clears all. */
async function on<T>(
  laying: Promise<Ground>,
  act: (ground: Ground, workers: Workers) => Promise<T>,
  howMany = 1,
): Promise<T> {
  const ground = await laying;
  const bundle = `${ground.env.ROTATION_SETTINGS}.bundle.js`;
  await writeBundle(bundle);
  const workers = Array.from(
    { length: howMany },
    () => new WorkerProcess({ ...ground.env, WORKFLOW_BUNDLE: bundle }),
  ) as Workers;
  try {
    return await act(ground, workers);
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await ground.clear();
  }
}

async function oneRotation(): Promise<Row[]> {
  return on(layGround(), async (ground) => {
    const script = plainScript(ground);
    await script();
    await rotateOnce(ground); // both have signed in
    const scripted = [];
    const rotated = [];
    const signonBefore = ground.sandbox.world.happened.requests.signon;
    for (let run = 0; run < RUNS; run++) rotated.push(await rotateOnce(ground));
    const signon = (ground.sandbox.world.happened.requests.signon - signonBefore) / RUNS;
    for (let run = 0; run < RUNS; run++) scripted.push(await script());
    const rows: Row[] = [];
    for (const [what, key] of [
      ['start → waiting for approval', 'toApproval'],
      ['approval → revoked', 'toRevoked'],
    ] as const) {
      const workflow = median(rotated.map((figures) => figures[key]));
      const plain = median(scripted.map((figures) => figures[key]));
      rows.push(row(`${what}, workflow`, workflow, 'ms'));
      rows.push(row(`${what}, plain script`, plain, 'ms'));
      rows.push(row(`${what}, workflow ÷ script`, workflow / plain, '×', '≤ 1.5'));
    }
    const [last] = rotated.slice(-1);
    const total = (counts: Record<string, number> = {}): number =>
      Object.values(counts).reduce((sum, n) => sum + n, 0);
    rows.push(row('requests to Signon', signon, 'requests'));
    rows.push(row('history events', total(last?.events), 'events', '≤ 150'));
    rows.push(row('workflow tasks', last?.workflowTasks ?? 0, 'tasks', '≤ 45'));
    for (const [kind, count] of Object.entries(last?.events ?? {}))
      rows.push(row(`  of them ${kind}`, count, 'events'));
    rows.push(row('activities', total(last?.activities), 'activities'));
    return rows;
  });
}

async function finishedJob(): Promise<Row[]> {
  return on(layGround({ jobMs: 700, treeLagMs: 200 }), async (ground) => {
    const known = [];
    for (let run = 0; run < RUNS; run++) known.push((await rotateOnce(ground)).jobKnownAfter);
    return [
      row('Job finished → workflow knows, median', median(known), 'ms', '< 250'),
      row('Job finished → workflow knows, longest', Math.max(...known), 'ms'),
    ];
  });
}

async function workerStart(): Promise<Row[]> {
  const ground = await layGround();
  const bundle = `${ground.env.ROTATION_SETTINGS}.bundle.js`;
  await writeBundle(bundle);
  const rows: Row[] = [];
  for (const [what, env] of [
    ['from source', ground.env],
    ['built', { ...ground.env, WORKFLOW_BUNDLE: bundle }],
  ] as const) {
    const starts = [];
    for (let run = 0; run < 5; run++)
      starts.push(await startWorkerOnce({ ...ground, env }, rows.length * 10 + run));
    const goal = what === 'built' ? '< 3000' : undefined; // from source it bundles first
    rows.push(
      row(`worker start → first task, ${what}`, median(starts.map(({ ms }) => ms)), 'ms', goal),
    );
    rows.push(row(`worker memory, ${what}`, median(starts.map(({ mib }) => mib)), 'MiB'));
  }
  await ground.clear();
  return rows;
}

/** Every container has a shell of its own here, on the machine that also measures. */
async function censusOf400(): Promise<Row[]> {
  const { first, second } = await takeCensus(400);
  return [
    row('containers asked', first.asked, 'containers'),
    row('first look', first.ms / 1000, 's'),
    row('first look, execs', first.execs, 'execs'),
    row('first look, other requests', first.requests - first.execs, 'requests'),
    row('a look after it', second.ms, 'ms'),
    row('a look after it, execs', second.execs, 'execs'),
    row('a look after it, other requests', second.requests - second.execs, 'requests'),
  ];
}

/** A fleet in one wave, for workers that can cache all of it. */
async function layCached(tokens: number | 'real'): Promise<Ground> {
  const ground = await layFleet(tokens);
  ground.env.MAX_CACHED_WORKFLOWS = String(tokensOf(ground.sandbox.world) + 50);
  return ground;
}

/** A fleet in one wave, and the engine's ceiling for it. */
async function fleet(tokens: number | 'real'): Promise<Row[]> {
  return on(layCached(tokens), async (ground, workers) => {
    const figures = await rotateFleet(ground, workers);
    await Promise.all(workers.map((worker) => worker.stop()));
    const wall = figures.untilWaiting + figures.untilEnded;
    const { tokens: workflows, activitiesPerToken: activities } = figures;
    const engine = await ceiling(ground, { workflows, activities });
    return [
      ...fleetRows(figures, wall),
      row('as many workflows that do nothing', engine, 's'),
      row('throughput ÷ that ceiling', engine / wall, '×', '≥ 0.7'),
    ];
  });
}

/** A fleet in one wave, by several workers. */
async function several(tokens: number | 'real', howMany: number): Promise<Row[]> {
  return on(
    layCached(tokens),
    async (ground, workers) => {
      const figures = await rotateFleet(ground, workers);
      return fleetRows(figures, figures.untilWaiting + figures.untilEnded);
    },
    howMany,
  );
}

/** As `several`; one of the workers is killed once all approvals were sent. */
async function oneOfTwoKilled(): Promise<Row[]> {
  return on(
    layCached(400),
    async (ground, workers) => {
      const meanwhile = async (): Promise<void> => void (await workers[1]!.crash());
      const figures = await rotateFleet(ground, workers, { meanwhile });
      return fleetRows(figures, figures.untilWaiting + figures.untilEnded);
    },
    2,
  );
}

/**
 * In waves of 50, since a thousand at once are what no sweep does. Twenty are woken one by one, a
 * hundred at once.
 */
async function aThousandWait(): Promise<Row[]> {
  return on(
    layFleet(1000, { sweep: { maxConcurrent: 50, pause: '0 ms' } }),
    async (ground, workers) => {
      const {
        tokens,
        waitingMib,
        peakMib,
        oneByOne = 0,
        untilEnded,
        signIns,
      } = await rotateFleet(ground, workers, {
        oneByOne: 20,
        atOnce: 100,
      });
      return [
        row('rotations that wait', tokens, 'rotations'),
        row('worker memory while 1,000 wait', waitingMib, 'MiB', '< 400'),
        row('worker memory then, at most', peakMib, 'MiB', '< 400'),
        row('one of 1,000 woken, approval → ended, median', oneByOne, 'ms', '< 3000'),
        row('100 of 1,000 woken at once, until all ended', untilEnded, 's', '< 200'),
        row('sign-ins', signIns, 'sign-ins'),
      ];
    },
  );
}

function fleetRows(figures: FleetFigures, wall: number): Row[] {
  const { tokens, untilWaiting, untilEnded, jobs, requests, signIns } = figures;
  return [
    row('tokens', tokens, 'tokens'),
    row('sweep start → all wait for approval', untilWaiting, 's'),
    row('approved at once → all ended', untilEnded, 's'),
    row('rotations finished, once approved', tokens / untilEnded, 'per s'),
    row('both, per token', (wall * 1000) / tokens, 'ms'),
    row('processor time of the worker, per token', figures.cpuPerToken, 'ms'),
    row('sync Jobs', jobs, 'Jobs', tokens <= 62 ? '≤ 2' : '≤ 3'),
    row('requests to Signon, per token', requests.signon / tokens, 'requests', '≤ 14'),
    row('requests to Argo CD, per token', requests.argo / tokens, 'requests'),
    row('requests to Kubernetes, per token', requests.kubernetes / tokens, 'requests'),
    row('sign-ins', signIns, 'sign-ins', '1 a worker'),
    row('history events, per token', figures.eventsPerToken, 'events'),
    row('worker memory while all wait', figures.waitingMib, 'MiB', '< 400'),
    row('worker memory, at most', figures.peakMib, 'MiB'),
    row('refused calls of running pods', figures.refusedCalls, 'calls', '0'),
  ];
}

/** The estate's tokens by a plain script, one after the other. */
async function oneAfterTheOther(): Promise<Row[]> {
  return on(layFleet('real'), async (ground) => {
    const script = plainScript(ground);
    const { world } = ground.sandbox;
    const pairs = world.state.authorisations.map(({ apiUserId, applicationId }) => ({
      apiUser: world.state.apiUsers.find(({ id }) => id === apiUserId)!.email,
      application: parameterize(
        world.state.applications.find(({ id }) => id === applicationId)!.name,
      ),
    }));
    const began = performance.now();
    for (const pair of pairs)
      await script({ environment: 'integration', requestedBy: 'bench', ...pair });
    const { happened } = world;
    return [
      row('tokens', happened.revoked.length, 'tokens'),
      row('all of it, without approval or soak', (performance.now() - began) / 1000, 's'),
      row('sync Jobs', happened.jobs.length, 'Jobs'),
    ];
  });
}

async function besideRollouts(): Promise<Row[]> {
  const { waiting, scheduledToStarted, approvalToRevoked } = await on(layBeside(200), revokeBeside);
  return [
    row('rollouts that wait', waiting, 'rotations'),
    row('an approved revoke, scheduled → started', scheduledToStarted, 'ms', '< 2000'),
    row('approval → revoked', approvalToRevoked, 'ms'),
  ];
}
