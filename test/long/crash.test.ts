import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import type { SELDOM, StepName } from '../../domain/rotation/checklist.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set(
    { jobMs: 800, podStartMs: 300, readyMs: 200, terminationMs: 800, reloaderMs: 200 },
    { soak: '3 seconds' },
  );
});
afterAll(() => stage.strike());

/**
 * Where a rotation stands, by what its history and the stand-ins show: a dead worker answers no
 * query.
 */
const REACHED: Record<
  Exclude<StepName, (typeof SELDOM)[number]>,
  (rotation: StagedRotation) => boolean | Promise<boolean>
> = {
  assess: () => stage.sandbox.world.happened.requests.signon > 0,
  issue: () => stage.sandbox.world.happened.created.length > 0,
  sync: () => stage.sandbox.world.happened.jobs.length > 0,
  'roll out': () => stage.sandbox.world.state.jobs.some(({ status }) => status === 'Healthy'),
  smoke: (rotation) => scheduled(rotation, 'smokeConsumers'),
  approve: async (rotation) => (await rotation.status())?.waiting?.kind === 'approval',
  revoke: (rotation) => scheduled(rotation, 'revokeToken'),
  confirm: () => stage.sandbox.world.happened.revoked.length > 0,
};

async function scheduled(rotation: StagedRotation, activity: string): Promise<boolean> {
  const { events } = await rotation.handle.fetchHistory();
  return (events ?? []).some(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
  );
}

test('a worker killed with SIGKILL in every step: the rotation ends right', async () => {
  const rotation = await stage.rotation();
  for (const [step, reached] of Object.entries(REACHED)) {
    const worker = stage.workerProcess();
    // what a killed worker was doing may be given up after a minute only
    await until(`the step “${step}”`, async () => (await reached(rotation)) || undefined, 180_000);
    if (step === 'approve') await rotation.approve();
    await worker.crash();
  }
  stage.workerProcess();
  const report = await rotation.report();
  expect(report).toMatchObject({
    outcome: 'rotated',
    revoked: [{}],
    approvals: [{ by: 'grace@example.org' }],
  });
  const { created, revoked, outages } = stage.sandbox.world.happened;
  expect({ created: created.length, revoked: revoked.length, outages }).toEqual({
    created: 1,
    revoked: 1,
    outages: [],
  });
}, 600_000);
