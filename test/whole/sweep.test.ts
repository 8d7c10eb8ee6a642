import { afterEach, expect, test } from '@jest/globals';
import { startSweep } from '../../client/start-sweep.ts';
import { sweepId } from '../../domain/sweep-request.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const PAIRS: [client: string, application: string][] = [
  ['collections', 'email-alert-api'],
  ['service-manual-publisher', 'publishing-api'],
  ['content-tagger', 'publishing-api'],
  ['travel-advice-publisher', 'asset-manager'],
];

test('a sweep whose history the server wants cut goes on afresh, and hears of rotations that it started before', async () => {
  stage = await Stage.set(
    {},
    { sweep: { maxConcurrent: 2, pause: '0 ms' } },
    { also: PAIRS },
    {
      dynamicConfig: ['limit.historyCount.suggestContinueAsNew=30'],
    },
  );
  await stage.worker();
  const { handle } = await startSweep(stage.client, { environment: 'integration', requestedBy: 'ada@example.org' });
  const { outcome, rows } = await handle.result();
  const mine = rows.filter(({ state }) => state !== 'left alone');
  expect({ outcome, states: mine.map(({ state }) => state) }).toEqual({
    outcome: 'swept',
    states: Array(PAIRS.length + 1).fill('waiting-approval'),
  });
  const runs = (type: string, also = ''): Promise<number> =>
    stage.client.workflow.count(`WorkflowType = '${type}'${also}`).then(({ count }) => count);
  expect(await runs('rotateExpiringTokens', ` AND WorkflowId = '${sweepId('integration')}'`)).toBeGreaterThan(1);
  expect(await runs('rotateToken')).toBe(PAIRS.length + 1);
  expect(stage.sandbox.world.happened.created).toHaveLength(PAIRS.length + 1);
});
