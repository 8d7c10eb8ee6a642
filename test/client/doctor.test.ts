import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { isPolled } from '../../client/polling.ts';
import { commandLine } from '../support/command-line.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
let cli: ReturnType<typeof commandLine>;
beforeAll(async () => {
  stage = await Stage.set();
  cli = commandLine(stage);
});
afterAll(() => stage.strike());

const keepFor = (days: number): Promise<unknown> =>
  stage.client.workflowService.updateNamespace({
    namespace: 'default',
    config: { workflowExecutionRetentionTtl: { seconds: days * 86_400 } },
  } as never);

test('without a worker it says that nothing moves, and that the rest is well', async () => {
  const { code, out } = await cli(['doctor']);
  expect(code).toBe(EXIT.failed);
  expect(out).toMatch(
    /^✓ retention: closed workflows are kept for 30 days\n✓ search attributes: all are registered\n✗ worker: No worker polls/,
  );
});

test('a namespace that forgets after fourteen days is named, with the command that mends it', async () => {
  await keepFor(14);
  const { code, out } = await cli(['doctor']);
  expect(code).toBe(EXIT.failed);
  expect(out).toMatch(/✗ retention: closed workflows are kept for 14 days\n.*--namespace default --retention 15d/);
  await keepFor(15);
  expect((await cli(['doctor'])).out).toContain('✓ retention');
});

test('with all well, it says so and ends with 0', async () => {
  await stage.worker();
  await until('the worker to poll', async () => (await isPolled(stage.client, 'integration')) || undefined);
  const { code, json } = await cli(['doctor', '--json']);
  expect(code).toBe(EXIT.done);
  expect(json).toMatchObject([{ good: true }, { good: true }, { good: true }]);
});

test('a search attribute that is missing is named, with the command that registers it', async () => {
  await stage.client.connection.operatorService.removeSearchAttributes({
    namespace: 'default',
    searchAttributes: ['RotationApplication'],
  });
  const { out } = await until('the server to forget it', async () => {
    const ran = await cli(['doctor']);
    return ran.out.includes('✗ search attributes') ? ran : undefined;
  });
  expect(out).toMatch(/RotationApplication cannot be searched by\n.*--name RotationApplication --type Keyword/);
});
