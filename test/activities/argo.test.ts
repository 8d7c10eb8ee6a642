import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { ArgoClient } from '../../activities/argo/client.ts';
import { createArgoActivities } from '../../activities/argo/create-activities.ts';
import type { ArgoActivities, SyncCronJob, SyncJob } from '../../activities/argo/interface.ts';
import { Secret } from '../../activities/secret.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import type { JobState } from '../../sandbox/world-state.ts';

let sandbox: Sandbox;
let argo: ArgoActivities;
let cronJob: SyncCronJob;
beforeEach(async () => {
  sandbox = await Sandbox.start(seedWorld({ only: ['short-url-manager'] }), { ...IMMEDIATE, jobNameEveryMs: 1000 });
  const account = {
    url: sandbox.urls.argo,
    token: new Secret(sandbox.world.state.argoToken),
    application: 'signon',
    appNamespace: 'cluster-services',
    project: 'govuk',
    namespace: 'apps',
    cronJobs: ['signon-sync-token-secrets-to-k8s', 'signon-sync-app-secrets-to-k8s'],
    limitMs: 1000,
  };
  const waits = { everyMs: 50, draining: new AbortController().signal };
  argo = createArgoActivities(new ArgoClient(account), account, waits);
  cronJob = await argo.findSyncCronJob();
});
afterEach(() => sandbox.stop());

const iso = (fromNowMs: number): string => new Date(Date.now() + fromNowMs).toISOString();

/** A Job that somebody else made, this long ago. */
function jobFromBefore(agoMs: number, status: JobState['status'] = 'Healthy'): JobState {
  const createdAt = Date.now() - agoMs;
  const name = `${cronJob.name}-before`;
  const job: JobState = {
    name,
    uid: `uid-${name}`,
    cronJob: cronJob.name,
    createdAt,
    endsAt: createdAt,
    status,
    log: [],
  };
  sandbox.world.state.jobs.push(job);
  return job;
}

function create(notBefore: string, heartbeatDetails?: unknown): Promise<SyncJob> {
  const environment = new MockActivityEnvironment({ heartbeatDetails });
  return environment.run(() => argo.createSyncJob({ cronJob, notBefore, deadline: iso(60_000) }));
}

test('takes a Job over that was created at least five seconds after the token was there', async () => {
  const job = jobFromBefore(10_000);
  expect(await create(iso(-16_000))).toMatchObject({ uid: job.uid });
  expect(sandbox.world.happened.jobs).toEqual([]);
});

test.each([
  ['was created less than five seconds after the token', 10_000, 'Healthy', -14_000],
  ['is older than the token', 10_000, 'Healthy', -1000],
  ['failed', 10_000, 'Degraded', -16_000],
] as const)('makes a new Job where the one that is there %s', async (_what, agoMs, status, notBefore) => {
  const job = jobFromBefore(agoMs, status);
  const made = await create(iso(notBefore));
  expect(made.uid).not.toBe(job.uid);
  expect(sandbox.world.happened.jobs.map(({ name }) => name)).toEqual([made.name]);
});

test('an attempt after a crash finds the Job that the one before it made', async () => {
  const first = await create(iso(0));
  const again = await create(iso(0), { before: [] });
  expect(again).toMatchObject({ uid: first.uid });
  expect(sandbox.world.happened.jobs).toHaveLength(1);
});

test('a name that is taken by a Job that does not serve is waited out, and never reported as a failure', async () => {
  await create(iso(0));
  const second = await create(iso(0));
  expect(sandbox.world.happened.jobs).toHaveLength(2);
  expect(second.name).toBe(sandbox.world.happened.jobs[1]?.name);
});

test('a Job that was seen and is gone has ended, how is not known', async () => {
  const job = await create(iso(0));
  sandbox.world.state.jobs.length = 0;
  const environment = new MockActivityEnvironment();
  const end = await environment.run(() => argo.awaitSyncJob({ job, deadline: iso(60_000) }));
  expect(end).toMatchObject({ seenHealthy: false });
});

test('falls back to the older endpoint of servers before 3.1', async () => {
  sandbox.argo.withoutV2 = true;
  expect(await create(iso(0))).toMatchObject({ name: sandbox.world.happened.jobs[0]?.name });
});
