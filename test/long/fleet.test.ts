import { afterEach, expect, test } from '../support/jest.ts';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { startSweep } from '../../client/start-workflows.ts';
import { rotationId } from '../../domain/request/request.ts';
import type { RotationReport } from '../../domain/rotation/report.ts';
import type { Faults } from '../../sandbox/faults.ts';
import { commandLine } from '../support/command-line.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

const GATHERING = { quietFor: '5 seconds', atMost: '2 minutes', askAgainAfter: '1 minute' };
const SETTINGS = {
  answerLimit: '10 seconds',
  rolloutLimit: '1 minute',
  pollEvery: '1 second',
  syncGathering: GATHERING,
  sweep: { maxConcurrent: 100, pause: '0 ms' },
};
const REAL_LIFE = {
  jobMs: 1000,
  podStartMs: 200,
  readyMs: 300,
  terminationMs: 500,
  reloaderMs: 100,
  trafficEveryMs: 500,
};

let stage: Stage;
afterEach(() => stage.strike());

/** All of the estate's tokens, about to end. */
async function setFleet(): Promise<void> {
  stage = await Stage.set(REAL_LIFE, SETTINGS, { fleet: true });
  await stage.worker();
}

const waiting = async (): Promise<number> =>
  (
    await stage.client.workflow.count(
      `RotationStage = 'waiting-approval' AND ExecutionStatus = 'Running'`,
    )
  ).count;

/** Approves all that wait, as a person does at the command line. */
async function approveAll(): Promise<void> {
  const accept = ['--accept', 'no-pod-seen', '--accept', 'not-smoke-tested'];
  const approved = await commandLine(stage)(
    ['approve', '--waiting', '--no-wait', '--by', 'grace@example.org', ...accept],
    {
      lines: ['integration'],
    },
  );
  if (approved.code !== EXIT.done)
    throw new Error(`exit ${approved.code}: ${approved.err}\n${approved.out.slice(-2000)}`);
}

/** What became of every pair's rotation. */
async function reports(
  rows: { apiUser: string; application: string }[],
): Promise<RotationReport[]> {
  return Promise.all(
    rows.map(async ({ apiUser, application }) => {
      const id = rotationId({ environment: 'integration', apiUser, application });
      return (await stage.client.workflow.getHandle(id).result()) as RotationReport;
    }),
  );
}

/** Of a request to fail, before its effect and again after. */
const CHANCE = 0.01;

/** Sweeps, approves all that waits and sees it to its end; what the stand-ins have on record. */
async function rotateFleet(): Promise<Stage['sandbox']['world']['happened']> {
  const { handle } = await startSweep(stage.client, {
    environment: 'integration',
    requestedBy: 'ada@example.org',
  });
  const { outcome, rows } = await handle.result();
  expect(outcome).toBe('swept');
  const started = rows.filter(({ state }) => state !== 'left alone');
  expect(started.map(({ state }) => state)).toEqual(Array(62).fill('waiting-approval'));
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
  await until('all to be listed', async () => (await waiting()) === 62 || undefined);
  await approveAll();
  const ended = await reports(started);
  expect(ended.map(({ outcome: how }) => how)).toEqual(Array(62).fill('rotated'));
  const { happened } = stage.sandbox.world;
  expect({ created: happened.created.length, revoked: happened.revoked.length }).toEqual({
    created: 62,
    revoked: 62,
  });
  expect(happened.outages).toEqual([]);
  expect(happened.trafficCalls).toBeGreaterThan(1000); // somebody would have noticed
  expect(happened.jobs.length).toBeLessThanOrEqual(2);
  return happened;
}

test('62 tokens that 33 applications read are issued, brought to every pod by one sync Job or two, proven, approved at once and revoked', async () => {
  await setFleet();
  const { requests, signIns } = await rotateFleet();
  expect(signIns).toBe(1);
  expect(requests.signon / 62).toBeLessThanOrEqual(15);
}, 900_000);

test('so they are with faults on: answers lost, cut and refused at random, before their effect and after', async () => {
  await setFleet();
  const { signon, argo, kubernetes } = stage.sandbox;
  const random = pseudoRandom(20261125);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const chance: Faults['byChance'] = ({ path }) => {
    // a sign-in whose answer is lost counts as refused
    if (path.startsWith('/users') || random() > CHANCE) return undefined;
    return pick([
      { kind: 'cut' },
      { kind: 'status', status: 500 },
      { kind: 'status', status: 503 },
    ] as const);
  };
  for (const { faults } of [signon, argo, kubernetes]) faults.byChance = chance;
  await rotateFleet();
  expect(signon.faults.hits + argo.faults.hits + kubernetes.faults.hits).toBeGreaterThan(15);
}, 900_000);

/** The same numbers from 0 to 1 for the same seed. */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
