import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { randomUUID } from 'node:crypto';
import type { ArgoActivities } from '../../activities/argo/interface.ts';
import type {
  Gathering,
  Queued,
  SyncAnswer,
  SyncRequest,
} from '../../domain/sync/sync-requests.ts';
import { gate } from '../support/gate.ts';
import { timeSkippingServer } from '../support/rotations.ts';
import { until } from '../support/until.ts';
import { withWorkers } from '../support/with-workers.ts';

const AT_ONCE = { quietFor: '0 ms', atMost: '0 ms', askAgainAfter: '5 minutes' } as const;

let server: TestWorkflowEnvironment;
/** What Argo CD does. */
let argo: Pick<ArgoActivities, 'createSyncJob' | 'awaitSyncJob'>;
/** Jobs in order, with the moment that each must not be older than. */
let jobs: { name: string; notBefore: string }[];
/** How requests gather, by the worker's settings. */
let gathering: Gathering;
/** Whether a rotation of that id runs. */
let runs: (workflowId: string) => boolean;
beforeEach(async () => {
  server = await timeSkippingServer();
  jobs = [];
  gathering = AT_ONCE;
  runs = () => true;
  argo = {
    createSyncJob: ({ notBefore }) => {
      jobs.push({ name: `sync-${jobs.length + 1}`, notBefore });
      return Promise.resolve({
        name: `sync-${jobs.length}`,
        uid: `job-${jobs.length}`,
        createdAt: '2026-01-01T00:00:00Z',
      });
    },
    awaitSyncJob: () => Promise.resolve({ seenAt: '2026-01-01T00:01:00Z', seenHealthy: true }),
  };
});
afterEach(() => server.teardown());

const aRequest = (ticket: string, given: Partial<SyncRequest> = {}): SyncRequest => ({
  workflowId: `rotate-token/${ticket}`,
  ticket,
  cronJobUid: 'cron-1',
  notBefore: '2026-01-01T00:00:00Z',
  ...given,
});

interface Syncs {
  ask: (...requests: unknown[]) => Promise<void>;
  /** Answers sent so far, of all runs. */
  answers: () => Promise<SyncAnswer[]>;
  details: () => Promise<string>;
}

/** Runs `syncTokens`, started by its first request as rotations do, and waits for its end. */
async function syncing(
  first: unknown[],
  drive: (syncs: Syncs) => Promise<void> = () => Promise.resolve(),
  args: unknown[] = [],
): Promise<SyncAnswer[]> {
  const taskQueue = randomUUID();
  const workflowId = `sync-tokens/${taskQueue}`;
  const { client, nativeConnection: connection } = server;
  const runIds: string[] = [];
  const ask = async (...requests: unknown[]): Promise<void> => {
    for (const request of requests) {
      const { signaledRunId } = await client.workflow.signalWithStart('syncTokens', {
        workflowId,
        taskQueue,
        args,
        signal: 'request',
        signalArgs: [request],
      });
      // the run before may have ended
      if (!runIds.includes(signaledRunId)) runIds.push(signaledRunId);
    }
  };
  const answers = async (): Promise<SyncAnswer[]> => {
    const sent: SyncAnswer[] = [];
    for (const runId of runIds) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      for (const event of events ?? []) {
        const payload =
          event.signalExternalWorkflowExecutionInitiatedEventAttributes?.input?.payloads?.[0];
        if (payload) sent.push(defaultPayloadConverter.fromPayload(payload));
        const next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
        if (next && !runIds.includes(next)) runIds.push(next);
      }
    }
    return sent;
  };
  const activities = {
    syncSettings: () => Promise.resolve({ limit: '30 minutes', gathering }),
    runningRotations: (ids: string[]) => Promise.resolve(ids.filter(runs)),
    createSyncJob: (order: Parameters<typeof argo.createSyncJob>[0]) => argo.createSyncJob(order),
    awaitSyncJob: (wait: Parameters<typeof argo.awaitSyncJob>[0]) => argo.awaitSyncJob(wait),
  };
  return withWorkers({ connection, taskQueue, activities }, async () => {
    await ask(...first);
    const handle = client.workflow.getHandle(workflowId);
    await drive({
      ask,
      answers,
      details: async () =>
        (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata'))
          .currentDetails ?? '',
    });
    await client.workflow.getHandle(workflowId).result();
    return answers();
  });
}

test('a request brings one Job, and its rotation is told of its end', async () => {
  const answers = await syncing([aRequest('a')]);
  expect(answers).toEqual([
    {
      ticket: 'a',
      kind: 'synced',
      job: 'sync-1',
      seenAt: '2026-01-01T00:01:00Z',
      seenHealthy: true,
    },
  ]);
});

test('a hundred requests that come together are served by one Job, which is younger than all they ask for', async () => {
  gathering = { ...AT_ONCE, quietFor: '1 minute', atMost: '10 minutes' };
  const requests = Array.from({ length: 100 }, (_, at) =>
    aRequest(`t${at}`, { notBefore: new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString() }),
  );
  const answers = await syncing(requests);
  expect(jobs).toEqual([{ name: 'sync-1', notBefore: '2026-01-01T01:39:00.000Z' }]);
  expect(new Set(answers.map(({ ticket }) => ticket)).size).toBe(100);
});

test('a request that comes while a Job runs is served by the next', async () => {
  const running = gate();
  argo.awaitSyncJob = async () => {
    if (jobs.length === 1) await running.stop();
    return { seenAt: '2026-01-01T00:01:00Z', seenHealthy: true };
  };
  const answers = await syncing([aRequest('a')], async ({ ask, details }) => {
    await running.reached;
    await ask(aRequest('b', { notBefore: '2026-01-01T00:00:30Z' }));
    await until(
      'it to wait',
      async () => /Asked for a sync:\*\* 2/.test(await details()) || undefined,
    );
    expect(await details()).toMatch(/Job sync-1 runs, for 1 rotations/);
    running.open();
  });
  expect(answers.map(({ ticket, job }) => [ticket, job])).toEqual([
    ['a', 'sync-1'],
    ['b', 'sync-2'],
  ]);
});

test('a request that comes while a Job is being made is served by it, if what it asks for is old enough', async () => {
  const making = gate();
  const { createSyncJob } = argo;
  argo.createSyncJob = async (order) => {
    if (jobs.length === 0) await making.stop();
    return createSyncJob(order);
  };
  const answers = await syncing([aRequest('a')], async ({ ask, details }) => {
    await making.reached;
    await ask(
      aRequest('old', { notBefore: '2025-12-31T23:59:55Z' }),
      aRequest('young', { notBefore: '2025-12-31T23:59:56Z' }),
    );
    await until(
      'both to wait',
      async () => /Asked for a sync:\*\* 3/.test(await details()) || undefined,
    );
    making.open();
  });
  expect(answers.map(({ ticket, job }) => [ticket, job])).toEqual([
    ['a', 'sync-1'],
    ['old', 'sync-1'],
    ['young', 'sync-2'],
  ]);
});

test('a failed Job answers everybody it was to serve, with its log’s tail; the next request brings another', async () => {
  argo.awaitSyncJob = () =>
    jobs.length === 1
      ? Promise.reject(
          ApplicationFailure.nonRetryable('Job sync-1 failed. Its log ends: no', 'SyncJobFailed'),
        )
      : Promise.resolve({ seenAt: '2026-01-01T00:01:00Z', seenHealthy: true });
  gathering = { ...AT_ONCE, quietFor: '10 seconds', atMost: '1 minute' };
  const answers = await syncing([aRequest('a'), aRequest('b')]);
  const failed = {
    kind: 'failed',
    type: 'SyncJobFailed',
    message: 'Job sync-1 failed. Its log ends: no',
    job: 'sync-1',
  };
  expect(answers).toEqual([
    { ticket: 'a', ...failed },
    { ticket: 'b', ...failed },
  ]);
});

test('asked twice, a request counts once', async () => {
  gathering = { ...AT_ONCE, quietFor: '10 seconds', atMost: '1 minute' };
  const answers = await syncing([aRequest('a'), aRequest('a')]);
  expect(answers).toHaveLength(1);
});

test('requests gather no longer than they may, though others keep coming', async () => {
  gathering = { ...AT_ONCE, quietFor: '20 seconds', atMost: '30 seconds' };
  const answers = await syncing([aRequest('a')], async ({ ask }) => {
    for (let at = 0; at < 6; at++) {
      await server.sleep('12 seconds'); // no request comes just as the gathering ends
      await ask(aRequest(`later-${at}`, { notBefore: '2026-01-01T00:00:01Z' }));
    }
  });
  expect(answers).toHaveLength(7);
  expect(answers.map(({ job }) => job)).toEqual([
    'sync-1', // asked for at 0 seconds
    'sync-1',
    'sync-1', // at 24
    'sync-2',
    'sync-2',
    'sync-2', // at 60
    'sync-3',
  ]);
});

test('what is misshapen asks for nothing', async () => {
  const bad = [
    undefined,
    null,
    7,
    'a',
    {},
    { ...aRequest('x'), notBefore: 'soon' },
    { ...aRequest('x'), cronJobUid: 7 },
    { ...aRequest('x'), padding: undefined, ticket: 'x'.repeat(1_900_000) },
  ];
  const answers = await syncing([...bad, aRequest('a')]);
  expect(answers.map(({ ticket }) => ticket)).toEqual(['a']);
});

test('under long load its history is cut, and no request is lost or served twice', async () => {
  const making = gate();
  const { createSyncJob } = argo;
  argo.createSyncJob = async (order) => {
    if (jobs.length === 0) await making.stop();
    return createSyncJob(order);
  };
  const tickets = Array.from({ length: 52 }, (_, at) => `t${at}`);
  // Each for a CronJob of its own, so that each makes a Job.
  const [first, ...others] = tickets.map((ticket) =>
    aRequest(ticket, { cronJobUid: `cron-${ticket}` }),
  );
  const answers = await syncing([first], async ({ ask }) => {
    await making.reached;
    await ask(...others);
    making.open();
  });
  expect(answers.map(({ ticket, job }) => [ticket, job])).toEqual(
    tickets.map((ticket, at) => [ticket, `sync-${at + 1}`]),
  );
});

test.each([
  ['a word', ['x']],
  ['a queue of requests that nobody sent', [[{ request: aRequest('forged'), at: 0 }], 0]],
  ['a queue that is none', [[{ request: { workflowId: 7 }, at: 'x' }]]],
])('started with %s, it serves who asks, and nobody else', async (_what, args) => {
  const answers = await syncing([aRequest('a')], undefined, args);
  expect(answers.map(({ ticket, job }) => [ticket, job])).toEqual([['a', 'sync-1']]);
});

test.each([
  ['a Job that may take 300,000 years', { limit: '300000y' }],
  [
    'a hundred years of gathering',
    { gathering: { quietFor: '100y', atMost: '100y', askAgainAfter: '100y' } },
  ],
  ['another CronJob', { cronJob: { name: 'signon-delete-expired-tokens', uid: 'cron-1' } }],
  ['what is yet to come', { notBefore: '2999-01-01T00:00:00Z' }],
])(
  'a request for %s changes nothing for others: how to sync stands in the settings',
  async (_what, forged) => {
    const orders: object[] = [];
    const { createSyncJob } = argo;
    argo.createSyncJob = (order) => {
      orders.push(order);
      return createSyncJob(order);
    };
    gathering = { ...AT_ONCE, quietFor: '10 seconds', atMost: '1 minute' };
    const answers = await syncing([{ ...aRequest('forged'), ...forged }, aRequest('a')]);
    expect(answers).toContainEqual(
      expect.objectContaining({ ticket: 'a', kind: 'synced', job: 'sync-1' }),
    );
    const [order] = orders as { cronJobUid: string; notBefore: string; deadline: string }[];
    expect(orders).toEqual([
      { cronJobUid: 'cron-1', notBefore: expect.any(String), deadline: expect.any(String) },
    ]);
    const now = await server.currentTimeMs();
    expect(Date.parse(order!.notBefore)).toBeLessThanOrEqual(now);
    expect(Date.parse(order!.deadline) - now).toBeLessThanOrEqual(30 * 60_000);
  },
);

test('who is no running rotation gets no Job and no answer', async () => {
  runs = (workflowId) => workflowId === 'rotate-token/a';
  expect(await syncing([aRequest('stranger')])).toEqual([]);
  expect(jobs).toEqual([]);
  gathering = { ...AT_ONCE, quietFor: '10 seconds', atMost: '1 minute' };
  const answers = await syncing([aRequest('stranger'), aRequest('a')]);
  expect(answers.map(({ ticket }) => ticket)).toEqual(['a']);
});

test('a forged ticket of a rotation that waits takes nothing from its own: both are answered', async () => {
  gathering = { ...AT_ONCE, quietFor: '10 seconds', atMost: '1 minute' };
  const own = aRequest('a');
  const answers = await syncing([own, { ...own, ticket: 'forged' }]);
  expect(answers.map(({ ticket, job }) => [ticket, job])).toEqual([
    ['a', 'sync-1'],
    ['forged', 'sync-1'],
  ]);
});

test('what a run of a cron schedule, or a retry, is given again is not believed', async () => {
  const { client, nativeConnection: connection } = server;
  const taskQueue = randomUUID();
  const workflowId = `sync-tokens/${taskQueue}`;
  const activities = {
    ...argo,
    syncSettings: () => Promise.resolve({ limit: '30 minutes', gathering }),
    runningRotations: (ids: string[]) => Promise.resolve(ids),
  };
  await withWorkers({ connection, taskQueue, activities }, async () => {
    const args = [[{ request: aRequest('forged'), at: 0 } satisfies Queued]];
    const handle = await client.workflow.start('syncTokens', {
      workflowId,
      taskQueue,
      args,
      cronSchedule: '* * * * *',
    });
    const { runId } = await handle.describe();
    await server.sleep('5 minutes');
    await until('a later run', async () => (await handle.describe()).runId !== runId || undefined);
    await handle.terminate();
  });
  expect(jobs).toEqual([]);
});
