import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { KubeConfig } from '@kubernetes/client-node';
import { ArgoClient, type ArgoAccount } from '../../activities/argo/client.ts';
import { createArgoActivities } from '../../activities/argo/create-activities.ts';
import type { ArgoActivities, SyncCronJob, SyncJob } from '../../activities/argo/interface.ts';
import { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { Secret } from '../../config/secret.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import type { JobState } from '../../sandbox/world-state.ts';

let sandbox: Sandbox;
let argo: ArgoActivities;
let cronJob: SyncCronJob;
beforeEach(async () => {
  sandbox = await Sandbox.start(seedWorld({ only: ['short-url-manager'] }), {
    ...IMMEDIATE,
    jobNameEveryMs: 1000,
  });
  const renewed = (): Secret => new Secret(sandbox.world.state.argoToken);
  const config = new KubeConfig();
  config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
  const waits = { everyMs: 50, draining: new AbortController().signal };
  const kubernetes = new KubernetesClient(config, 'apps', 5000);
  argo = createArgoActivities(new ArgoClient(account(), renewed), kubernetes, waits);
  cronJob = await argo.findSyncCronJob();
});
afterEach(() => sandbox.stop());

function account(): ArgoAccount {
  return {
    ARGOCD_URL: sandbox.urls.argo,
    ARGOCD_TOKEN: new Secret(sandbox.world.state.argoToken),
    ARGOCD_APPLICATION: 'signon',
    ARGOCD_APP_NAMESPACE: 'cluster-services',
    ARGOCD_PROJECT: 'govuk',
    KUBERNETES_NAMESPACE: 'apps',
    ARGOCD_SYNC_CRONJOBS: ['signon-sync-token-secrets-to-k8s', 'signon-sync-app-secrets-to-k8s'],
    settings: { answerLimit: '1 second' },
  };
}

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
    ...(status !== 'Progressing' && { endedAt: createdAt }),
    status,
    read: {},
    log: [],
  };
  sandbox.world.state.jobs.push(job);
  return job;
}

function create(notBefore: string, cronJobUid = cronJob.uid): Promise<SyncJob> {
  const environment = new MockActivityEnvironment();
  return environment.run(() =>
    argo.createSyncJob({ cronJobUid, notBefore, deadline: iso(60_000) }),
  );
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
] as const)(
  'makes a new Job where the one that is there %s',
  async (_what, agoMs, status, notBefore) => {
    const job = jobFromBefore(agoMs, status);
    const made = await create(iso(notBefore));
    expect(made.uid).not.toBe(job.uid);
    expect(sandbox.world.happened.jobs.map(({ name }) => name)).toEqual([made.name]);
  },
);

test('makes no Job beside one that runs on, which could write older tokens: names it at the deadline', async () => {
  const job = jobFromBefore(10_000, 'Progressing');
  job.endsAt = sandbox.world.now() + 3_600_000;
  const order = { cronJobUid: cronJob.uid, notBefore: iso(-1000), deadline: iso(500) };
  const environment = new MockActivityEnvironment();
  await expect(environment.run(() => argo.createSyncJob(order))).rejects.toMatchObject({
    type: 'SyncJobUnseen',
    message: `Job ${job.name} of ${cronJob.name} still runs. A second Job could overwrite new tokens with older ones, so none was made`,
  });
  expect(sandbox.world.happened.jobs).toEqual([]);
});

test('takes no Job over beside which an older one runs, which could write older tokens after it: makes one once that has ended', async () => {
  const older = jobFromBefore(20_000, 'Progressing');
  older.endsAt = sandbox.world.now() + 1500;
  const later = { ...jobFromBefore(10_000), name: `${cronJob.name}-later`, uid: 'uid-later' };
  sandbox.world.state.jobs.splice(1, 1, later);
  const made = await create(iso(-16_000));
  expect(made.uid).not.toBe(later.uid);
  expect(older.status).toBe('Healthy');
});

test('nor does the attempt after a crash', async () => {
  const older = jobFromBefore(20_000, 'Progressing');
  older.endsAt = sandbox.world.now() + 3_600_000;
  const later = { ...jobFromBefore(10_000), name: `${cronJob.name}-later`, uid: 'uid-later' };
  sandbox.world.state.jobs.splice(1, 1, later);
  const attempt = (heartbeatDetails: unknown, lasts: number): Promise<{ uid: string }> => {
    const environment = new MockActivityEnvironment({ heartbeatDetails });
    environment.on('heartbeat', (progress) => (kept = progress));
    const order = { cronJobUid: cronJob.uid, notBefore, deadline: iso(lasts) };
    return environment.run(() => argo.createSyncJob(order));
  };
  const notBefore = iso(-17_000);
  let kept: unknown;
  await expect(attempt(undefined, 500)).rejects.toMatchObject({ type: 'SyncJobUnseen' });
  older.status = 'Healthy';
  expect((await attempt(kept, 20_000)).uid).not.toBe(later.uid);
});

test.each([
  ['takes no Job over after whose beginning', 4000, false],
  ['takes a Job over before whose beginning', 12_000, true],
])(
  '%s an older one ended, which was over when it first looked',
  async (_what, endedAgo, isTaken) => {
    const older = jobFromBefore(20_000);
    older.endedAt = Date.now() - endedAgo;
    const later = { ...jobFromBefore(10_000), name: `${cronJob.name}-later`, uid: 'uid-later' };
    sandbox.world.state.jobs.splice(1, 1, later);
    expect((await create(iso(-16_000))).uid === later.uid).toBe(isTaken);
  },
);

test('an attempt after a crash waits for the Job that the one before it made, and makes none beside it', async () => {
  sandbox.options.jobMs = 3_600_000;
  const made = await create(iso(0));
  const order = { cronJobUid: cronJob.uid, notBefore: iso(0), deadline: iso(500) };
  await expect(
    new MockActivityEnvironment().run(() => argo.createSyncJob(order)),
  ).rejects.toMatchObject({ message: expect.stringContaining(`Job ${made.name} of`) });
  expect(sandbox.world.happened.jobs).toHaveLength(1);
});

test('makes one Job and no more where Kubernetes lists none of that CronJob', async () => {
  sandbox.world.events.on('changed', () => {
    for (const job of sandbox.world.state.jobs) job.cronJob = 'signon-of-somebody';
  });
  const order = { cronJobUid: cronJob.uid, notBefore: iso(0), deadline: iso(2500) };
  await expect(
    new MockActivityEnvironment().run(() => argo.createSyncJob(order)),
  ).rejects.toMatchObject({
    type: 'SyncJobUnseen',
    message: `Argo CD took create-job for ${cronJob.name}, but Kubernetes lists no new Job of it`,
  });
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

test('makes no Job of a CronJob that is not the configured one by its uid, and names both', async () => {
  await expect(create(iso(0), 'uid-of-signon-delete-expired-tokens')).rejects.toMatchObject({
    type: 'SyncCronJobChanged',
    message: expect.stringContaining(
      `has uid ${cronJob.uid} in Argo CD, but the rotation expected uid-of-signon`,
    ),
  });
  expect(sandbox.world.happened.jobs).toEqual([]);
});

/** A Job that began this long ago, as Argo CD's tree shows it. */
function runningSince(agoMs: number): SyncJob {
  const { name, uid } = jobFromBefore(agoMs, 'Progressing');
  const job = sandbox.world.state.jobs.find((one) => one.uid === uid)!;
  job.endsAt = Infinity;
  return { name, uid, createdAt: iso(-agoMs) };
}
const awaited = (job: SyncJob): Promise<unknown> =>
  new MockActivityEnvironment().run(() => argo.awaitSyncJob({ job, deadline: iso(20_000) }));

test.each([
  ['finished, and is gone', 'gone', { seenHealthy: false }],
  ['finished', 'Healthy', { seenHealthy: true }],
] as const)(
  'a Job that %s while Argo CD’s tree shows it as Progressing for ever is told by Kubernetes',
  async (_, how, end) => {
    const job = runningSince(120_000);
    sandbox.argo.controllerDown = true; // its tree stays as it is
    const { jobs } = sandbox.world.state;
    if (how === 'gone') jobs.splice(0);
    else Object.assign(jobs[0]!, { status: how, endedAt: Date.now() });
    expect(await awaited(job)).toMatchObject(end);
  },
);

test('a Job that failed while the tree shows it as Progressing has failed', async () => {
  const job = runningSince(120_000);
  sandbox.argo.controllerDown = true;
  Object.assign(sandbox.world.state.jobs[0]!, { status: 'Degraded', endedAt: Date.now() });
  await expect(awaited(job)).rejects.toMatchObject({ type: 'SyncJobFailed' });
});

test('a Job that somebody suspended is said to be at once', async () => {
  const job = runningSince(1000);
  sandbox.world.state.jobs[0]!.suspended = true;
  await expect(awaited(job)).rejects.toMatchObject({
    type: 'SyncJobSuspended',
    nonRetryable: true,
    message: `Job ${job.name} is suspended`,
  });
});

const FORBIDDEN =
  'jobs.batch is forbidden: User "system:serviceaccount:argocd:signon" cannot create resource "jobs" in API group "batch" in the namespace "apps"';

test('a Job that Kubernetes forbids Argo CD to make is not tried again, and its words are quoted', async () => {
  sandbox.argo.forbidden.createJob = `${FORBIDDEN}; Bearer abcdefghijklmnopqrstuvwxyz0123456789`;
  await expect(create(iso(0))).rejects.toMatchObject({
    type: 'SyncJobRefused',
    nonRetryable: true,
    message: expect.stringMatching(/cannot create resource "jobs".*Bearer \[redacted\]/),
  });
});

test('a Job whose name would be over 63 characters is not tried again, and the limit is quoted', async () => {
  sandbox.world.state.cronJob.name = `signon-sync-${'x'.repeat(50)}`;
  const named = { ...account(), ARGOCD_SYNC_CRONJOBS: [sandbox.world.state.cronJob.name] };
  const client = new ArgoClient(named);
  await expect(client.createJob(sandbox.world.state.cronJob.name)).rejects.toMatchObject({
    type: 'SyncJobRefused',
    message: expect.stringContaining('must be no more than 63 characters'),
  });
});

test('a log that Kubernetes forbids Argo CD to read is said to be forbidden', async () => {
  const job = runningSince(1000);
  Object.assign(sandbox.world.state.jobs[0]!, { status: 'Degraded' });
  sandbox.argo.forbidden.logs =
    'pods "x" is forbidden: User "robot" cannot get resource "pods/log"';
  await expect(awaited(job)).rejects.toMatchObject({
    type: 'SyncJobFailed',
    message: expect.stringMatching(/Its log may not be read\. .*cannot get resource "pods\/log"/),
  });
});

test('a token that Argo CD does not accept is tried again, read afresh: it may have been renewed', async () => {
  sandbox.world.state.argoToken = 'renewed';
  await expect(argo.findSyncCronJob()).rejects.toMatchObject({
    type: 'CredentialRefused',
    nonRetryable: false,
  });
  expect(await argo.findSyncCronJob()).toEqual(cronJob);
});
