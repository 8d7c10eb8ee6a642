import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from '../support/jest.ts';
import { rememberedByEarlierRun } from '../../activities/temporal/earlier-run.ts';

const RUN = { workflowId: 'rotate-token/integration/a@b.c/d', runId: 'now' };

test('a run that the server still lists as open, though this one runs, is read again later: its end is not listed yet', async () => {
  const taskQueue = 'signon-rotation-integration';
  const listed = [RUN.runId, 'before'].map((runId) => ({
    ...RUN,
    runId,
    taskQueue,
    status: { name: 'RUNNING' },
  }));
  const client = { workflow: { list: () => listed } } as unknown as Client;
  const activity = new MockActivityEnvironment({ taskQueue, workflowExecution: RUN });
  await expect(activity.run(() => rememberedByEarlierRun(client))).rejects.toMatchObject({
    type: 'Unreachable',
    nonRetryable: false,
  });
});
