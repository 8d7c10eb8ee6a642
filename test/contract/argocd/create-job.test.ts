import { describe, expect } from '../../support/jest.ts';
import { createArgoActivities } from '../../../activities/argo/create-activities.ts';
import type { ArgoActivities } from '../../../activities/argo/interface.ts';
import { IMMEDIATE } from '../../../sandbox/options.ts';
import { until } from '../../support/until.ts';
import { run } from '../run-activity.ts';
import { pass, standInTest, useSystems, writingTest } from '../systems.ts';
import { callArgo, orderOf, shownJobs, type ArgoAnswer, type ArgoCall } from './caller.ts';

const systems = useSystems({ ...IMMEDIATE, jobNameEveryMs: 60_000 });
const CRON_JOB = 'signon-sync-token-secrets-to-k8s';
const ACTIONS = '/applications/signon/resource/actions';

const createJob = (call: Partial<ArgoCall> = {}): Promise<ArgoAnswer> =>
  callArgo(systems, `${ACTIONS}/v2`, {
    body: { ...orderOf(systems, CRON_JOB), action: 'create-job' },
    ...call,
  });
const jobNames = async (): Promise<string[]> => (await shownJobs(systems)).map(({ name }) => name);
const activities = (): ArgoActivities =>
  createArgoActivities(systems.argo, systems.kubernetes, {
    everyMs: 20,
    draining: new AbortController().signal,
  });
/** In the middle of a minute, so that the next does not begin meanwhile. */
function toTheMiddleOfAMinute(): void {
  const { world } = systems.sandbox;
  world.state.clockOffsetMs += 90_000 - (world.now() % 60_000);
}

describe('create-job', () => {
  writingTest('through our client makes a Job that the tree shows under its CronJob', async () => {
    const { findSyncCronJob, createSyncJob } = activities();
    const cronJob = await run(findSyncCronJob);
    const before = await jobNames();
    const deadline = new Date(Date.now() + 90_000).toISOString();
    const job = await run(createSyncJob, {
      cronJobUid: cronJob.uid,
      notBefore: new Date().toISOString(),
      deadline,
    });
    expect(before).not.toContain(job.name);
    const shown = async () => (await shownJobs(systems)).find(({ uid }) => uid === job.uid);
    const node = await until('the tree to show it', shown);
    expect(node.parentRefs).toContainEqual(
      expect.objectContaining({ kind: 'CronJob', name: cronJob.name }),
    );
  });

  standInTest(
    'answers 200 {} without the Job’s name, which is the minute in UTC by the server’s clock',
    async () => {
      systems.sandbox.world.state.clockOffsetMs = Date.parse('2026-11-24T04:01:25Z') - Date.now();
      expect(await createJob()).toMatchObject({ status: 200, json: {} });
      expect(await jobNames()).toEqual([`${CRON_JOB}-2611240401`]);
      const [job] = await systems.kubernetes.jobs();
      expect(job?.metadata).toMatchObject({
        name: `${CRON_JOB}-2611240401`,
        annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
        ownerReferences: [{ kind: 'CronJob', name: CRON_JOB }],
      });
    },
  );

  standInTest(
    'twice in a minute is a 409 that names the Job; in the next minute it works again',
    async () => {
      toTheMiddleOfAMinute();
      await createJob();
      const [name] = await jobNames();
      const message = `jobs.batch "${name}" already exists`;
      expect(await createJob()).toMatchObject({
        status: 409,
        json: { code: 6, error: message, message },
      });
      pass(systems.sandbox, '1 minute');
      await systems.argo.createJob(CRON_JOB);
      expect(await jobNames()).toHaveLength(2);
    },
  );

  standInTest('twice in a minute is no failure of our client, and makes one Job', async () => {
    toTheMiddleOfAMinute();
    await createJob();
    await systems.argo.createJob(CRON_JOB);
    expect(await jobNames()).toHaveLength(1);
  });

  standInTest('whose answer is a 500, or is lost, may have made the Job', async () => {
    for (const kind of ['status', 'cut'] as const) {
      systems.sandbox.argo.faults.add({ path: /actions/, when: 'after', kind, status: 500 });
      await expect(systems.argo.createJob(CRON_JOB)).rejects.toMatchObject({
        type: 'Unreachable',
        nonRetryable: false,
      });
      expect(await jobNames()).toHaveLength(kind === 'status' ? 1 : 2);
      pass(systems.sandbox, '1 minute');
    }
  });

  standInTest.each(['namespace', 'group', 'kind', 'version', 'resourceName'])(
    'with another %s is a 400 that names what is not there, and nothing is made',
    async (field) => {
      const body = { ...orderOf(systems, CRON_JOB), action: 'create-job', [field]: 'other' };
      expect(await createJob({ body })).toMatchObject({ status: 400, json: { code: 3 } });
      expect(await jobNames()).toEqual([]);
    },
  );

  standInTest('without a JSON content type is a 415, and nothing is made', async () => {
    const types = [
      {},
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      { 'Content-Type': 'text/plain' },
    ];
    for (const headers of types) {
      const answer = await createJob({ headers: { 'Content-Type': '', ...headers } });
      expect(answer.status).toBe(415);
    }
    expect(await jobNames()).toEqual([]);
  });
});

describe('the endpoint before 3.1', () => {
  standInTest('takes the fields in its query, and the action as a JSON string', async () => {
    const answer = await callArgo(systems, ACTIONS, {
      query: orderOf(systems, CRON_JOB),
      body: 'create-job',
    });
    expect(answer).toMatchObject({ status: 200, json: {} });
    expect(await jobNames()).toHaveLength(1);
  });

  standInTest('is what our client falls back to where v2 is a 404 in plain text', async () => {
    systems.sandbox.argo.withoutV2 = true;
    const answer = await createJob();
    expect(answer).toMatchObject({ status: 404, json: undefined });
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    await systems.argo.createJob(CRON_JOB);
    expect(await jobNames()).toHaveLength(1);
  });
});

describe('our sync', () => {
  const order = (notBefore: number): Parameters<ArgoActivities['createSyncJob']>[0] => ({
    cronJobUid: systems.sandbox.world.state.cronJob.uid,
    notBefore: new Date(notBefore).toISOString(),
    deadline: new Date().toISOString(),
  });

  standInTest('takes a Job over that was created 5 s after the token, not one of 4 s', async () => {
    toTheMiddleOfAMinute();
    await createJob();
    const [node] = await shownJobs(systems);
    const createdAt = Date.parse(node!.createdAt!);
    const { createSyncJob } = activities();
    expect(await run(createSyncJob, order(createdAt - 5000))).toMatchObject({ uid: node!.uid });
    await expect(run(createSyncJob, order(createdAt - 4000))).rejects.toMatchObject({
      type: 'SyncJobUnseen',
      message: expect.stringMatching(/still runs|was in use/), // the Job may have ended by now
    });
    expect(await jobNames()).toHaveLength(1);
  });

  standInTest('makes its Job and follows it, though the tree never shows it', async () => {
    const { argo, world } = systems.sandbox;
    argo.controllerDown = true;
    const deadline = new Date(Date.now() + 60_000).toISOString();
    const { createSyncJob, awaitSyncJob } = activities();
    const job = await run(createSyncJob, { ...order(world.now()), deadline });
    expect(await run(awaitSyncJob, { job, deadline })).toMatchObject({ seenHealthy: true });
    expect(await jobNames()).toEqual([]);
  });
});
