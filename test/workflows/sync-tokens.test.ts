import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { randomUUID } from 'node:crypto';
import type { ArgoActivities } from '../../activities/argo/interface.ts';
import type { Queued, SyncAnswer, SyncRequest } from '../../domain/sync-requests.ts';
import { BUNDLE } from '../support/bundle.ts';
import { gate } from '../support/gate.ts';
import { createWorkers } from '../../worker/run-worker.ts';
import { runUntil, timeSkippingServer } from '../support/rotations.ts';
import { until } from '../support/until.ts';

const AT_ONCE = { quietFor: '0 ms', atMost: '0 ms', askAgainAfter: '5 minutes' } as const;
const CRON_JOB = { name: 'signon-sync-token-secrets-to-k8s', uid: 'cron-1' };

let server: TestWorkflowEnvironment;
/** What Argo CD does. */
let argo: Pick<ArgoActivities, 'createSyncJob' | 'awaitSyncJob'>;
/** Jobs in order, with the moment that each must not be older than. */
let jobs: { name: string; notBefore: string }[];
beforeEach(async () => {
  server = await timeSkippingServer();
  jobs = [];
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
  workflowId: `rotation-${ticket}`,
  ticket,
  cronJob: CRON_JOB,
  notBefore: '2026-01-01T00:00:00Z',
  limit: '30 minutes',
  gathering: AT_ONCE,
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
  args: [Queued[]?, number?] = [],
): Promise<SyncAnswer[]> {
  const taskQueue = randomUUID();
  const workflowId = `sync-tokens/${taskQueue}`;
  const { client, nativeConnection: connection } = server;
  const ask = async (...requests: unknown[]): Promise<void> => {
    for (const request of requests)
      await client.workflow.signalWithStart('syncTokens', {
        workflowId,
        taskQueue,
        args: [],
        signal: 'request',
        signalArgs: [request],
      });
  };
  const runIds: string[] = [];
  const answers = async (): Promise<SyncAnswer[]> => {
    const sent: SyncAnswer[] = [];
    for (const runId of runIds) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      for (const event of events ?? []) {
        const payload = event.signalExternalWorkflowExecutionInitiatedEventAttributes?.input?.payloads?.[0];
        if (payload) sent.push(defaultPayloadConverter.fromPayload(payload));
        const next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
        if (next && !runIds.includes(next)) runIds.push(next);
      }
    }
    return sent;
  };
  const activities = {
    createSyncJob: (order: Parameters<typeof argo.createSyncJob>[0]) => argo.createSyncJob(order),
    awaitSyncJob: (wait: Parameters<typeof argo.awaitSyncJob>[0]) => argo.awaitSyncJob(wait),
  };
  const workers = await createWorkers({ connection, taskQueue, workflows: { workflowBundle: BUNDLE }, activities });
  return runUntil(workers, async () => {
    const handle =
      args.length > 0
        ? await client.workflow.start('syncTokens', { workflowId, taskQueue, args })
        : (await ask(...first), client.workflow.getHandle(workflowId));
    runIds.push((await handle.describe()).runId);
    await drive({
      ask,
      answers,
      details: async () =>
        (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '',
    });
    await client.workflow.getHandle(workflowId).result();
    return answers();
  });
}

test('a request brings one Job, and its rotation is told of its end', async () => {
  const answers = await syncing([aRequest('a')]);
  expect(answers).toEqual([
    { ticket: 'a', kind: 'synced', job: 'sync-1', seenAt: '2026-01-01T00:01:00Z', seenHealthy: true },
  ]);
});

test('a hundred requests that come together are served by one Job, which is younger than all they ask for', async () => {
  const gathering = { ...AT_ONCE, quietFor: '1 minute', atMost: '10 minutes' } as const;
  const requests = Array.from({ length: 100 }, (_, at) =>
    aRequest(`t${at}`, { gathering, notBefore: new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString() }),
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
    await until('it to wait', async () => /Asked for a sync:\*\* 2/.test(await details()) || undefined);
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
    await until('both to wait', async () => /Asked for a sync:\*\* 3/.test(await details()) || undefined);
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
      ? Promise.reject(ApplicationFailure.nonRetryable('Job sync-1 failed. Its log ends: no', 'SyncJobFailed'))
      : Promise.resolve({ seenAt: '2026-01-01T00:01:00Z', seenHealthy: true });
  const gathering = { ...AT_ONCE, quietFor: '10 seconds', atMost: '1 minute' } as const;
  const answers = await syncing([aRequest('a', { gathering }), aRequest('b', { gathering })]);
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
  const gathering = { ...AT_ONCE, quietFor: '10 seconds', atMost: '1 minute' } as const;
  const answers = await syncing([aRequest('a', { gathering }), aRequest('a', { gathering })]);
  expect(answers).toHaveLength(1);
});

test('requests gather no longer than they may, though others keep coming', async () => {
  const gathering = { ...AT_ONCE, quietFor: '10 seconds', atMost: '30 seconds' } as const;
  const answers = await syncing([aRequest('a', { gathering })], async ({ ask }) => {
    for (let at = 0; at < 6; at++) {
      await server.sleep('6 seconds');
      await ask(aRequest(`later-${at}`, { gathering, notBefore: '2026-01-01T00:00:01Z' }));
    }
  });
  expect(answers).toHaveLength(7);
  expect(answers.find(({ ticket }) => ticket === 'a')).toMatchObject({ job: 'sync-1' });
  expect(answers.at(-1)).toMatchObject({ ticket: 'later-5', job: 'sync-2' });
});

test('what is misshapen asks for nothing', async () => {
  const bad = [
    undefined,
    null,
    7,
    'a',
    {},
    { ...aRequest('x'), notBefore: 'soon' },
    { ...aRequest('x'), gathering: {} },
  ];
  const answers = await syncing([...bad, aRequest('a')]);
  expect(answers.map(({ ticket }) => ticket)).toEqual(['a']);
});

test('under long load its history is cut, and no request is lost or served twice', async () => {
  const carried = ['a', 'b', 'c'].map((ticket, at): Queued => ({
    request: aRequest(ticket, { cronJob: { ...CRON_JOB, uid: `cron-${at}` } }),
    at: 0,
  }));
  const answers = await syncing([], undefined, [carried, 1]);
  expect(answers.map(({ ticket, job }) => [ticket, job])).toEqual([
    ['a', 'sync-1'],
    ['b', 'sync-2'],
    ['c', 'sync-3'],
  ]);
});
