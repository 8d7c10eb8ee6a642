import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import proto from '@temporalio/proto';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { isPolled } from '../../client/polling.ts';
import { doctorLine } from '../support/command-line.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
let doctor: ReturnType<typeof doctorLine>;
beforeAll(async () => {
  // a server of its own: what its namespace is like is what is tested
  stage = await Stage.set({}, {}, {}, {});
  doctor = doctorLine(stage);
});
afterAll(() => stage.strike());

const keepFor = (days: number): Promise<unknown> =>
  stage.client.workflowService.updateNamespace({
    namespace: 'default',
    config: { workflowExecutionRetentionTtl: { seconds: days * 86_400 } },
  } as never);

test('without a worker it says that nothing moves, and that the rest is well', async () => {
  const { code, out } = await doctor([]);
  expect(code).toBe(EXIT.failed);
  const lines = out.split('\n').map((line) => line.replace(/ {2,}/g, '  '));
  expect(lines).toEqual([
    '–  configuration  no variable of a worker is set here: Temporal alone is checked',
    '  → Run doctor where the worker runs, or with its variables.',
    '✓  namespace  default',
    '✓  retention  closed workflows are kept for 30 days',
    '✓  search attributes  all are registered',
    expect.stringMatching(/^✗ {2}worker {2}No worker polls signon-rotation-integration:/),
    '  → Start one; in Kubernetes, see why its pod does not run: kubectl --namespace signon-rotation get pods',
  ]);
});

test('a namespace that forgets after fourteen days is named, with the command that mends it', async () => {
  await keepFor(14);
  const { code, out } = await doctor([]);
  expect(code).toBe(EXIT.failed);
  expect(out).toMatch(
    /✗  retention +closed workflows are kept for 14 days\n.*--namespace default --retention 15d/,
  );
  await keepFor(1);
  expect((await doctor([])).out).toContain('closed workflows are kept for 1 day\n');
  expect((await doctor(['--fix'])).out).toMatch(
    /✓ {2}retention +closed workflows were kept for 1 day, and are for 15 days now/,
  );
  expect((await doctor([])).out).toMatch(/✓ {2}retention/);
});

test('with all well, it says so and ends with 0', async () => {
  await stage.worker();
  await until(
    'the worker to poll',
    async () => (await isPolled(stage.client, 'integration')) || undefined,
  );
  const { code, json } = await doctor(['--json']);
  expect(code).toBe(EXIT.done);
  expect(json).toMatchObject([
    { verdict: 'not checked' },
    ...[1, 2, 3, 4].map(() => ({ verdict: 'well' })),
  ]);
});

test('a search attribute that is missing is named, with the command that registers it', async () => {
  await stage.client.connection.operatorService.removeSearchAttributes({
    namespace: 'default',
    searchAttributes: ['RotationApplication'],
  });
  const { out } = await until('the server to forget it', async () => {
    const ran = await doctor([]);
    return /✗ {2}search attributes/.test(ran.out) ? ran : undefined;
  });
  expect(out).toMatch(
    /not registered: RotationApplication\n.*--name RotationApplication --type Keyword/,
  );
  const { out: mended } = await doctor(['--fix']);
  expect(mended).toMatch(
    /✓ {2}search attributes +RotationApplication were missing, and are registered now/,
  );
  expect((await doctor([])).out).toMatch(/✓ {2}search attributes +all are registered/);
});

test('a namespace that is not there is named', async () => {
  const { code, json } = await doctor(['--json'], {
    env: { TEMPORAL_NAMESPACE: 'no-such-namespace' },
  });
  expect(code).toBe(EXIT.failed);
  expect(json).toContainEqual({
    check: 'namespace',
    verdict: 'wrong',
    found: 'Temporal does not show the namespace no-such-namespace',
    todo: expect.stringContaining('TEMPORAL_NAMESPACE'),
  });
});

test('where Temporal does not answer, that is said, and the rest is checked', async () => {
  const { code, json } = await doctor(['--json'], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
  expect(code).toBe(EXIT.failed);
  expect(json).toMatchObject([{ check: 'configuration' }, { check: 'Temporal', verdict: 'wrong' }]);
});

test('a version of the worker that is not current is named', async () => {
  const versioned = await Stage.set();
  try {
    await versioned.worker({
      TEMPORAL_DEPLOYMENT_NAME: 'signon-rotation',
      TEMPORAL_WORKER_BUILD_ID: 'b1',
    });
    const { out } = await until('its version to be known', async () => {
      const ran = await doctorLine(versioned)([]);
      return ran.out.includes('signon-rotation/b1') ? ran : undefined;
    });
    expect(out).toMatch(/✗ {2}worker .*its version signon-rotation\/b1 is not current/);
  } finally {
    await versioned.strike();
  }
});

test('a search attribute of another type is named, with the command that removes it', async () => {
  const { operatorService } = stage.client.connection;
  const searchAttributes = ['RotationStage'];
  await operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes });
  const TEXT = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_TEXT;
  await until('another type to be taken', () =>
    operatorService
      .addSearchAttributes({ namespace: 'default', searchAttributes: { RotationStage: TEXT } })
      .then(
        () => true,
        () => undefined,
      ),
  );
  const { out } = await until('the server to know it', async () => {
    const ran = await doctor([]);
    return ran.out.includes('of another') ? ran : undefined;
  });
  expect(out).toMatch(
    /✗ {2}search attributes +RotationStage must be of type Keyword[^\n]*\n.*search-attribute remove --namespace default --name RotationStage/,
  );
});
