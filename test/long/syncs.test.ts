import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { defaultPayloadConverter } from '@temporalio/common';
import { taskQueueOf } from '../../domain/request/request.ts';
import type { SyncAnswer, SyncRequest } from '../../domain/sync/sync-requests.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';
import { syncTokensId } from '../../domain/names/names.ts';

const QUEUE = syncTokensId('integration');
let stage: Stage;
beforeAll(async () => {
  // Longer than a Job takes beside other work: who asks again in between would be served by one
  // more.
  const syncGathering = { quietFor: '0 ms', atMost: '0 ms', askAgainAfter: '6 seconds' };
  stage = await Stage.set({ jobMs: 1500 }, { syncGathering });
  await stage.worker();
});
afterAll(() => stage.strike());

/** What became of a ticket, as the histories of all runs of the queue show. */
async function answerTo(ticket: string): Promise<SyncAnswer | undefined> {
  for await (const { runId } of stage.client.workflow.list({ query: `WorkflowId = '${QUEUE}'` })) {
    const { events } = await stage.client.workflow.getHandle(QUEUE, runId).fetchHistory();
    for (const event of events ?? []) {
      const payload =
        event.signalExternalWorkflowExecutionInitiatedEventAttributes?.input?.payloads?.[0];
      const answer = payload && defaultPayloadConverter.fromPayload<SyncAnswer>(payload);
      if (answer?.ticket === ticket) return answer;
    }
  }
  return undefined;
}

test('a queue that somebody terminates while a Job runs does no harm: the rotation hears nothing, and asks again', async () => {
  const rotation = await stage.rotation();
  await until('the Job', () => stage.sandbox.world.happened.jobs.length > 0);
  await stage.client.workflow.getHandle(QUEUE).terminate('by hand');
  await rotation.approve();
  const { outcome, syncJobs } = await rotation.report();
  expect({ outcome, syncJobs: syncJobs.length }).toEqual({ outcome: 'rotated', syncJobs: 1 });
  expect(stage.sandbox.world.happened.jobs.length).toBeLessThanOrEqual(2);
});

test('a request that comes in the very moment in which the queue ends is lost in none of twenty tries', async () => {
  const rotation = await stage.rotation({ force: true });
  await rotation.awaitingApproval();
  const quick: SyncRequest = {
    workflowId: rotation.handle.workflowId,
    ticket: '',
    cronJobUid: stage.sandbox.world.state.cronJob.uid,
    notBefore: new Date(Date.now() - 3_600_000).toISOString(), // served by the Job that is there
  };
  const runs = new Set<string>();
  for (let at = 0; at < 20; at++) {
    const ticket = `try ${at}`;
    const { signaledRunId } = await stage.client.workflow.signalWithStart('syncTokens', {
      workflowId: QUEUE,
      taskQueue: taskQueueOf('integration'),
      args: [],
      signal: 'request',
      signalArgs: [{ ...quick, ticket }],
    });
    runs.add(signaledRunId);
    expect(await until(`an answer to ${ticket}`, () => answerTo(ticket))).toMatchObject({
      kind: 'synced',
    });
  }
  expect(runs.size).toBeGreaterThan(0);
});

test('who is no rotation of this environment that runs is served by no Job, whatever it is called', async () => {
  const ended = await stage.rotation({ force: true });
  await ended.send('abort', { reason: 'not needed' });
  await ended.report();
  const impostor = 'rotate-token/integration/impostor@example.org/publishing-api';
  const taskQueue = taskQueueOf('integration');
  const args = [{ environment: 'integration', requestedBy: 'mallory' }];
  await stage.client.workflow.start('takeInventory', {
    workflowId: impostor,
    taskQueue: 'nobody-polls',
    args,
  });
  const { uid: cronJobUid } = stage.sandbox.world.state.cronJob;
  const before = stage.sandbox.world.happened.jobs.length;
  for (const workflowId of ['nobody', ended.handle.workflowId, impostor]) {
    const request: SyncRequest = {
      workflowId,
      ticket: workflowId,
      cronJobUid,
      notBefore: new Date().toISOString(),
    };
    const handle = await stage.client.workflow.signalWithStart('syncTokens', {
      workflowId: QUEUE,
      taskQueue,
      args: [],
      signal: 'request',
      signalArgs: [request],
    });
    await handle.result();
  }
  expect(stage.sandbox.world.happened.jobs).toHaveLength(before);
});
