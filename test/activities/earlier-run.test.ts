import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from '../support/jest.ts';
import { rememberedByEarlierRun } from '../../activities/temporal/earlier-run.ts';

const RUN = { workflowId: 'rotate-token/integration/a@b.c/d', runId: 'now' };

const TASK_QUEUE = 'signon-rotation-integration';
const passing = (name: string) => [
  { workload: `Workflow/${name}` as const, container: 'main', variable: 'T' },
];

/** What is remembered where these reports are of the runs before this one, the last first. */
function remembered(...reports: object[]): Promise<unknown> {
  const runs = reports.map((_, at) => ({
    runId: String(at),
    taskQueue: TASK_QUEUE,
    status: { name: 'COMPLETED' },
  }));
  const getHandle = (_: string, at: string) => ({ result: () => Promise.resolve(reports[+at]) });
  const client = { workflow: { list: () => runs, getHandle } } as unknown as Client;
  const activity = new MockActivityEnvironment({ taskQueue: TASK_QUEUE, workflowExecution: RUN });
  return activity.run(() => rememberedByEarlierRun(client));
}

test('a run that could not read what those before it saw takes nothing from that: both are remembered', async () => {
  const last = { givenUp: [], also: [], passing: passing('last'), isPart: true };
  const before = { givenUp: [], also: passing('copy'), passing: passing('before') };
  const older = { givenUp: [], also: [], passing: passing('older') };
  const runs = [before, older].map((one) => ({ outcome: 'aborted', remembered: one }));
  expect(await remembered({ outcome: 'aborted', remembered: last }, ...runs)).toEqual({
    givenUp: [],
    also: passing('copy'),
    passing: [...passing('last'), ...passing('before')],
  });
  // Where it ended well, what passed by before it holds no live token.
  expect(await remembered({ outcome: 'rotated', remembered: last }, ...runs)).toEqual({
    givenUp: [],
    also: passing('copy'),
    passing: [],
  });
});

test('a run that the server still lists as open, though this one runs, is read again later: its end is not listed yet', async () => {
  const listed = [RUN.runId, 'before'].map((runId) => ({
    ...RUN,
    runId,
    taskQueue: TASK_QUEUE,
    status: { name: 'RUNNING' },
  }));
  const client = { workflow: { list: () => listed } } as unknown as Client;
  const activity = new MockActivityEnvironment({ taskQueue: TASK_QUEUE, workflowExecution: RUN });
  await expect(activity.run(() => rememberedByEarlierRun(client))).rejects.toMatchObject({
    type: 'Unreachable',
    nonRetryable: false,
  });
});
