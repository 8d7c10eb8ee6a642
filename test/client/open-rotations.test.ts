import { afterAll, beforeAll, beforeEach, expect, test } from '../support/jest.ts';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { Registry } from 'prom-client';
import { OpenRotations } from '../../client/receiver/open-rotations.ts';
import { isPolled } from '../../client/polling.ts';
import { listRotations } from '../../client/rotations.ts';
import { startSweep } from '../../client/start-workflows.ts';
import { rotationId, taskQueueOf } from '../../domain/request/index.ts';
import { attributesOf, pairsOf } from '../../domain/rotation/index.ts';
import { startOfDay } from '../../domain/tokens/tokens.ts';
import type { RunningWorker } from '../../worker/run-worker.ts';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { commandLine } from '../support/command-line.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
let registry: Registry;
let rotations: OpenRotations;
let rotation: StagedRotation;
beforeAll(async () => {
  stage = await Stage.set({}, { soak: '1 minute' }, { also: [['collections', 'email-alert-api']] });
});
afterAll(() => stage.strike());
beforeEach(() => {
  registry = new Registry();
  rotations = new OpenRotations(stage.client, 'integration', registry);
});

/** What is exported now: `name{labels}` and the value. */
async function exported(): Promise<Record<string, number>> {
  await rotations.look();
  const lines = (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('signon_rotation_'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

const COLLECTIONS = 'collections@alphagov.co.uk';
const BY = { environment: 'integration', requestedBy: 'ada@example.org' } as const;
const openOf = (apiUser: string, now: string): string =>
  `signon_rotation_open{environment="integration",api_user="${apiUser}",application="all applications",stage="${now}"}`;
const PAIR =
  'environment="integration",api_user="short-url-manager@alphagov.co.uk",application="publishing-api"';

test('where nothing was ever started, nothing is open, no worker polls and no sweep is known', async () => {
  expect(await exported()).toMatchObject({
    'signon_rotation_worker_polls{environment="integration"}': 0,
    'signon_rotation_last_sweep_timestamp_seconds{environment="integration"}': 0,
    'signon_rotation_last_look_timestamp_seconds{environment="integration"}': expect.closeTo(
      Date.now() / 1000,
      -2,
    ),
  });
});

test('a rotation or a sweep that nobody works on is open all the same', async () => {
  rotation = await stage.rotation();
  await until(
    'it to be listed',
    async () => (await exported())[`signon_rotation_open{${PAIR},stage="preparing"}`],
  );
  expect((await exported())['signon_rotation_worker_polls{environment="integration"}']).toBe(0);
  const { handle } = await startSweep(stage.client, BY);
  const sweeping = openOf('all API users', 'sweeping');
  await until('the sweep to be listed', async () => (await exported())[sweeping]);
  await handle.terminate('asked about no more');
});

test('what the Temporal UI started is open before any worker has seen it, whatever its id', async () => {
  const request = { ...BY, apiUser: COLLECTIONS, application: 'email-alert-api' };
  const byForm = { taskQueue: 'signon-rotation-integration', args: [request] }; // no attributes
  const named = 'rotate-token/integration/collections@alphagov.co.uk/email-alert-api';
  const started = [];
  for (const workflowId of [named, 'workflow-4711'])
    started.push(await stage.client.workflow.start('rotateToken', { ...byForm, workflowId }));
  const open = (apiUser: string, application: string): string =>
    `signon_rotation_open{environment="integration",api_user="${apiUser}",application="${application}",stage="preparing"}`;
  await until('both to be listed', async () => {
    const now = await exported();
    return now[open(COLLECTIONS, 'email-alert-api')] && now[open('', '')];
  });
  for (const handle of started) await handle.terminate('no longer needed');
});

test('one that waits for approval tells when the token it is to revoke ends; after that it is gone', async () => {
  const worker: RunningWorker = await stage.worker();
  await until(
    'the worker to poll',
    async () => (await isPolled(stage.client, 'integration')) || undefined,
  );
  const waits = `signon_rotation_open{${PAIR},stage="waiting-approval"}`;
  const figures = await until('it to wait', async () => {
    const now = await exported();
    return waits in now ? now : undefined;
  });
  const { expires } =
    stage.tokens().length > 0 ? { expires: stage.tokens()[0]!.expiresAt } : { expires: 0 };
  const day = new Date(expires).toISOString().slice(0, 10);
  expect(figures).toMatchObject({
    'signon_rotation_worker_polls{environment="integration"}': 1,
    [`signon_rotation_waiting_token_ends_timestamp_seconds{${PAIR}}`]: startOfDay(day) / 1000,
  });
  await worker.stop();
});

test('a rotation that is started under a false name is listed under its own', async () => {
  const worker = await stage.worker();
  const request = { ...BY, apiUser: COLLECTIONS, application: 'email-alert-api' };
  const handle = await stage.client.workflow.start('rotateToken', {
    workflowId: rotationId(request),
    taskQueue: taskQueueOf('integration'),
    args: [request],
    typedSearchAttributes: pairsOf({
      ...attributesOf(request),
      RotationEnvironment: 'production',
      RotationApiUser: 'nobody@example.org',
    }),
  });
  await until('its name', async () => {
    const listed = await listRotations(stage.client, 'integration');
    return listed.find(({ apiUser }) => apiUser === COLLECTIONS);
  });
  await handle.terminate('no longer needed');
  await worker.stop();
});

test('its end is told although no worker answers any more', async () => {
  const ends = `signon_rotation_waiting_token_ends_timestamp_seconds{${PAIR}}`;
  expect((await exported())[ends]).toBeGreaterThan(0);
  await rotation.handle.terminate('asked about no more');
});

test('a rotation that was terminated is lost until it is started again, as a reset does', async () => {
  const LOST = 'signon_rotation_lost{environment="integration"}';
  const worker = await stage.worker();
  const request = { ...BY, apiUser: COLLECTIONS, application: 'asset-manager' };
  const start = (): Promise<WorkflowHandle> =>
    stage.client.workflow.start('rotateToken', {
      workflowId: rotationId(request),
      taskQueue: taskQueueOf('integration'),
      args: [request],
    });
  const lostNow = (count: number): Promise<true> =>
    until(`${count} lost`, async () => (await exported())[LOST] === count || undefined);
  const before = (await exported())[LOST]!;
  await (await start()).terminate('for the test');
  await lostNow(before + 1);
  const again = await start();
  await lostNow(before);
  await again.terminate('no longer needed');
  await worker.stop();
});

test('when the last sweep began is told, and that a sweep and a leak are blocked', async () => {
  const { account } = stage.sandbox.world.state;
  const { password } = account;
  const worker = await stage.worker();
  account.password = 'another'; // than the worker has
  const sweep = await startSweep(stage.client, BY);
  const leak = await startSweep(stage.client, { ...BY, apiUser: COLLECTIONS, reason: 'a leak' });
  const figures = await until('both to be blocked', async () => {
    const now = await exported();
    const both = ['all API users', COLLECTIONS].map((apiUser) => now[openOf(apiUser, 'blocked')]);
    return both.every((one) => one === 1) ? now : undefined;
  });
  const { startTime } = await sweep.handle.describe();
  expect(
    figures['signon_rotation_last_sweep_timestamp_seconds{environment="integration"}'],
  ).toBeCloseTo(startTime.getTime() / 1000);
  await worker.stop();
  account.password = password; // which a new worker signs in with: both go on
  const another = await stage.worker();
  for (const { handle } of [sweep, leak]) await handle.signal('retry', { by: 'ada@example.org' });
  await until('the leak to be at work, or over', async () => {
    const now = await exported();
    return now[openOf(COLLECTIONS, 'blocked')] === undefined;
  });
  for (const { handle } of [sweep, leak])
    await handle.terminate('asked about no more').catch(() => undefined); // it may be over
  await another.stop();
});

/** What a registry tells, without a look. */
const told = async (from: Registry): Promise<string[]> =>
  (await from.metrics()).split('\n').filter((line) => line.startsWith('signon_rotation_'));

test('a memo that nobody can decode, or a day that is none, keeps no list from being read', async () => {
  const payload = (data: string, encoding: string): object => ({
    metadata: { encoding: Buffer.from(encoding) },
    data: Buffer.from(data),
  });
  const started = ['binary/encrypted', 'json/plain'].map(async (encoding) => {
    const request = { ...BY, apiUser: 'nobody@example.org', application: encoding.slice(0, 4) };
    const fields = Object.entries(pairsOf(attributesOf(request))).map(([, { key, value }]) => [
      key.name,
      payload(
        JSON.stringify(key.name === 'RotationStage' ? 'waiting-approval' : value),
        'json/plain',
      ),
    ]);
    await stage.client.workflowService.startWorkflowExecution({
      namespace: stage.namespace,
      requestId: encoding,
      workflowId: rotationId(request),
      workflowType: { name: 'rotateToken' },
      taskQueue: { name: 'nobody polls this' },
      searchAttributes: { indexedFields: Object.fromEntries(fields) },
      memo: { fields: { firstEnd: payload('"2026-99-99"', encoding) } },
    });
    return stage.client.workflow.getHandle(rotationId(request));
  });
  const open = `signon_rotation_open{environment="integration",api_user="nobody@example.org",application="bina",stage="waiting-approval"}`;
  await until('it to be listed', async () => (await exported())[open]);
  const worker = await stage.worker();
  await until(
    'the worker to poll',
    async () => (await isPolled(stage.client, 'integration')) || undefined,
  );
  const cli = commandLine(stage);
  expect(await cli(['list'])).toMatchObject({
    code: EXIT.done,
    out: expect.stringContaining('nobody@example.org'),
  });
  expect(await cli(['sweep', 'start', '--plan', '--by', 'ada@example.org'])).toMatchObject({
    code: EXIT.done,
  });
  for (const handle of started) await (await handle).terminate('no longer needed');
  await worker.stop();
});

test('where Temporal never answered, that alone is told, by a last look of never', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: '100 ms' });
  const none = new Registry();
  const away = new OpenRotations(new Client({ connection }), 'integration', none);
  const failed = new Promise((tell) => {
    const end = away.watch((error) => void end().then(() => tell(error)));
  });
  expect(await failed).toBeInstanceOf(Error);
  expect(await told(none)).toEqual([
    'signon_rotation_last_look_timestamp_seconds{environment="integration"} 0',
  ]);
  await connection.close();
});

test('what was read stays for five minutes while Temporal is away, and is then told no more', async () => {
  await stage.rotation();
  await until(
    'it to be listed',
    async () => (await exported())[`signon_rotation_open{${PAIR},stage="preparing"}`],
  );
  const before = await told(registry);
  expect(before.length).toBeGreaterThan(3);
  const answers = stage.client.workflowService.describeTaskQueue;
  stage.client.workflowService.describeTaskQueue = (() =>
    Promise.reject(new Error('away'))) as unknown as typeof answers;
  try {
    await expect(rotations.look(Date.now() + 60_000)).rejects.toThrow('away');
    expect(await told(registry)).toEqual(before);
    await expect(rotations.look(Date.now() + 6 * 60_000)).rejects.toThrow('away');
    expect((await told(registry)).map((line) => line.split('{')[0])).toEqual([
      'signon_rotation_last_sweep_timestamp_seconds',
      'signon_rotation_last_look_timestamp_seconds',
    ]);
  } finally {
    stage.client.workflowService.describeTaskQueue = answers;
  }
});

test('looks leave nothing behind on the signals that could end them', async () => {
  const signals: AbortSignal[] = [];
  const withAbortSignal = stage.client.withAbortSignal.bind(stage.client);
  stage.client.withAbortSignal = ((signal: AbortSignal, act: () => Promise<unknown>) => {
    signals.push(signal);
    return withAbortSignal(signal, act);
  }) as typeof withAbortSignal;
  await rotations.look();
  await rotations.look();
  stage.client.withAbortSignal = withAbortSignal;
  expect(new Set(signals).size).toBe(2);
});
