import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { isPolled } from '../../client/polling.ts';
import { changedBundle } from '../support/changed-bundle.ts';
import { doctorLine } from '../support/command-line.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

const DEPLOYMENT = 'signon-rotation-integration';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());

/** A worker process of a version. */
function roll(
  buildId: string,
  change: Record<string, string> = {},
): ReturnType<Stage['workerProcess']> {
  return stage.workerProcess({
    TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT,
    TEMPORAL_WORKER_BUILD_ID: buildId,
    ...change,
  });
}

/**
 * What the command that worker start and `doctor` print does. The server must have heard of the
 * version.
 */
async function makeCurrent(buildId: string): Promise<void> {
  await until(`version ${buildId} to be taken`, async () =>
    stage.client.workflowService
      .setWorkerDeploymentCurrentVersion({
        namespace: stage.namespace,
        deploymentName: DEPLOYMENT,
        buildId,
      })
      .then(
        () => true,
        () => undefined,
      ),
  );
}

/** The builds that completed a rotation's workflow tasks, each once, in the order they came. */
async function builds(rotation: StagedRotation): Promise<string[]> {
  const { events } = await rotation.handle.fetchHistory();
  const all = (events ?? []).flatMap(
    ({ workflowTaskCompletedEventAttributes: done }) => done?.deploymentVersion?.buildId ?? [],
  );
  return all.filter((build, index) => build !== all[index - 1]);
}

/**
 * Has workflow tasks run, as timers and answers do, until a build takes one: the server tells its
 * parts of a new version by and by.
 */
async function untilTakenBy(build: string, rotation: StagedRotation): Promise<void> {
  for (let nudges = 1; (await builds(rotation)).at(-1) !== build; nudges++) {
    const by = `${build}-${nudges}`;
    await rotation.handle.signal<[unknown]>('approve', { by, evidence: '00000000' });
    await rotation.answered(new RegExp(`by ${by} not accepted`));
  }
}

test('a versioned worker gets nothing to do until its version is made current, and it and doctor say so', async () => {
  const worker = roll('1');
  const told = await until(
    'the worker to say so',
    () => /.*is not current.*/.exec(worker.output)?.[0],
  );
  const command = `temporal worker deployment set-current-version --deployment-name ${DEPLOYMENT} --build-id 1`;
  expect(told).toContain(`version ${DEPLOYMENT}/1 is not current, so this worker gets no tasks`);
  expect(told).toContain(command);
  const doctor = await until('the server to hear of the worker', async () => {
    const { out } = await doctorLine(stage)([]);
    return out.includes('its version') ? out : undefined;
  });
  expect(doctor).toContain(command);
  expect(await isPolled(stage.client, 'integration')).toBe(false);
  await makeCurrent('1');
  await until(
    'the worker to get tasks',
    async () => (await isPolled(stage.client, 'integration')) || undefined,
  );
  await worker.stop();
});

test('a new version takes over a waiting rotation, hands it back, and takes it to its end', async () => {
  const file = 'workflows/rotation/steps/confirm.ts';
  const next = await changedBundle(
    { file, find: 'import { sleep }', replace: 'import { patched, sleep }' },
    {
      file,
      find: '    await sleep(soak);\n',
      replace: "    if (patched('a-longer-soak')) await sleep(1);\n    await sleep(soak);\n",
    },
  );
  const first = roll('1');
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();

  const second = roll('2', { WORKFLOW_BUNDLE: next.codePath });
  await makeCurrent('2');
  await untilTakenBy('2', rotation);
  await makeCurrent('1');
  await untilTakenBy('1', rotation);
  await makeCurrent('2');
  await untilTakenBy('2', rotation);
  await first.stop();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  expect(await builds(rotation)).toEqual(['1', '2', '1', '2']);
  const { events } = await rotation.handle.fetchHistory();
  expect(
    events?.some(
      ({ markerRecordedEventAttributes: marker }) => marker?.markerName === 'core_patch',
    ),
  ).toBe(true);
  await second.stop();
});
