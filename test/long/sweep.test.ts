import { afterEach, expect, test } from '../support/jest.ts';
import { startSweep } from '../../client/start-workflows.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';
import { sweepId } from '../../domain/names/names.ts';

let stage: Stage;
afterEach(() => stage.strike());

const PAIRS: [client: string, application: string][] = [
  ['collections', 'email-alert-api'],
  ['service-manual-publisher', 'publishing-api'],
  ['content-tagger', 'publishing-api'],
  ['travel-advice-publisher', 'asset-manager'],
  ['account-api', 'email-alert-api'],
  ['support', 'publishing-api'],
  ['search-admin', 'publishing-api'],
];

test('a sweep whose history the server wants cut goes on afresh, and hears of rotations that it started before', async () => {
  stage = await Stage.set(
    {},
    { sweep: { maxConcurrent: 2, pause: '0 ms' } },
    { also: PAIRS },
    {
      dynamicConfig: ['limit.historyCount.suggestContinueAsNew=120'],
    },
  );
  await stage.worker();
  const { handle } = await startSweep(stage.client, {
    environment: 'integration',
    requestedBy: 'ada@example.org',
  });
  // A rotation takes some 75 events to its approval, and must not be cut before; the sweep takes as
  // many more as it is sent signals.
  for (let sent = 0; sent < 40; sent++) await handle.signal('resume', { by: 'ada@example.org' });
  const { outcome, rows } = await handle.result();
  const mine = rows.filter(({ state }) => state !== 'left alone');
  expect({ outcome, pairs: mine.length }).toEqual({ outcome: 'swept', pairs: PAIRS.length + 1 });
  // A rotation that has had its turn may be at work again when the sweep ends.
  await until('all to wait for approval', async () => {
    const { count } = await stage.client.workflow.count("RotationStage = 'waiting-approval'");
    return count === PAIRS.length + 1 || undefined;
  });
  const runs = (type: string, also = ''): Promise<number> =>
    stage.client.workflow.count(`WorkflowType = '${type}'${also}`).then(({ count }) => count);
  expect(
    await runs('rotateExpiringTokens', ` AND WorkflowId = '${sweepId('integration')}'`),
  ).toBeGreaterThan(1);
  expect(await runs('rotateToken')).toBe(PAIRS.length + 1);
  expect(stage.sandbox.world.happened.created).toHaveLength(PAIRS.length + 1);
});

test('a sweep that is paused is cut as well when signals flood it, and stays paused', async () => {
  const dynamicConfig = ['limit.historyCount.suggestContinueAsNew=120'];
  stage = await Stage.set(
    {},
    { sweep: { maxConcurrent: 2, pause: '0 ms' } },
    {},
    { dynamicConfig },
  );
  await stage.worker();
  const by = 'ada@example.org';
  const { handle } = await startSweep(stage.client, {
    environment: 'integration',
    requestedBy: by,
  });
  await handle.signal('pause', { by });
  const { runId } = await handle.describe();
  const sweep = stage.client.workflow.getHandle(sweepId('integration'));
  await until('another run', async () => {
    await sweep.signal('retry', { by });
    return (await sweep.describe()).runId !== runId;
  });
  expect(await sweep.query('status')).toMatchObject({ pausedBy: by });
  await sweep.signal('abort', { by, reason: 'seen enough' });
  expect(await sweep.result()).toMatchObject({ outcome: 'aborted' });
  expect(stage.sandbox.world.happened.created).toEqual([]);
});
