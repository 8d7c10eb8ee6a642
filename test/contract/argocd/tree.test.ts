import { describe, expect } from '../../support/jest.ts';
import ms from 'ms';
import { createArgoActivities } from '../../../activities/argo/create-activities.ts';
import type { ArgoActivities, SyncJob } from '../../../activities/argo/interface.ts';
import type { TreeNode } from '../../../activities/argo/client.ts';
import { IMMEDIATE } from '../../../sandbox/options.ts';
import { until } from '../../support/until.ts';
import { run } from '../run-activity.ts';
import { pass, readOnlyTest, standInTest, useSystems } from '../systems.ts';
import { callArgo, scopeOf, shownJobs, type ShownNode } from './caller.ts';

/** Moved by the clock alone. */
const systems = useSystems({ ...IMMEDIATE, treeLagMs: ms('1 minute'), jobMs: ms('1 hour') });
const TREE = '/applications/signon/resource-tree';

const jobs = (): Promise<ShownNode[]> => shownJobs(systems);
const health = (name: string): Promise<string | undefined> =>
  jobs().then((nodes) => nodes.find((node) => node.name === name)?.health?.status);
/** Makes a Job and lets it end. */
async function ended(name: string, fails = false): Promise<void> {
  systems.sandbox.world.sync.fails = fails ? 1 : 0;
  systems.sandbox.cluster.createJob(name);
  pass(systems.sandbox, '2 hours');
  await until(`${name} to end`, async () => (await health(name)) !== 'Progressing' || undefined);
}
const activities = (): ArgoActivities =>
  createArgoActivities(systems.argo, systems.kubernetes, {
    everyMs: 20,
    draining: new AbortController().signal,
  });

describe('the tree', () => {
  readOnlyTest(
    'holds the sync CronJob, with the uid that the Kubernetes API gives it',
    async () => {
      const cronJob = await run(activities().findSyncCronJob);
      expect(systems.configuration.ARGOCD_SYNC_CRONJOBS).toContain(cronJob.name);
      expect(await systems.kubernetes.cronJobUid(cronJob.name)).toBe(cronJob.uid);
    },
  );

  readOnlyTest('ignores filters in the query', async () => {
    const query = { ...scopeOf(systems), kind: 'Job', name: 'no-such-job' };
    const { json } = await callArgo(systems, TREE, { query });
    const kinds = (json as { nodes: TreeNode[] }).nodes.map(({ kind }) => kind);
    expect(kinds).toContain('CronJob');
  });

  standInTest('lacks a new Job at first, then shows it Progressing, then Healthy', async () => {
    systems.sandbox.cluster.createJob('a-job');
    expect(await jobs()).toEqual([]);
    pass(systems.sandbox, '61 seconds');
    const [node] = await jobs();
    expect(node).toMatchObject({
      group: 'batch',
      kind: 'Job',
      namespace: 'apps',
      parentRefs: [{ kind: 'CronJob', name: systems.sandbox.world.state.cronJob.name }],
      health: { status: 'Progressing' },
    });
    expect(node!.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    await ended('another');
    expect(await health('a-job')).toBe('Healthy');
  });

  standInTest(
    'says why a Job is Healthy or Degraded; the application itself stays Healthy',
    async () => {
      await ended('good');
      await ended('bad', true);
      const said = Object.fromEntries((await jobs()).map((node) => [node.name, node.health]));
      expect(said).toEqual({
        good: { status: 'Healthy', message: 'Reached expected number of succeeded pods' },
        bad: { status: 'Degraded', message: 'Job has reached the specified backoff limit' },
      });
      const application = await callArgo(systems, '/applications/signon', {
        query: scopeOf(systems),
      });
      expect(application).toMatchObject({
        status: 200,
        json: { status: { health: { status: 'Healthy' } } },
      });
    },
  );

  standInTest('keeps the last 3 succeeded Jobs and the last failed one', async () => {
    for (const name of ['good-1', 'good-2', 'good-3', 'good-4']) await ended(name);
    for (const name of ['bad-1', 'bad-2']) await ended(name, true);
    expect((await jobs()).map(({ name }) => name)).toEqual(['good-2', 'good-3', 'good-4', 'bad-2']);
  });

  standInTest('of a controller that is down stays as it was', async () => {
    await ended('before');
    systems.sandbox.argo.controllerDown = true;
    await ended('after');
    expect((await jobs()).map(({ name }) => name)).toEqual(['before']);
  });
});

describe('our wait for a Job', () => {
  const deadline = new Date(Date.now() + ms('1 hour')).toISOString();
  const made = async (name: string): Promise<SyncJob> => {
    systems.sandbox.cluster.createJob(name);
    const { uid } = systems.sandbox.world.state.cronJob;
    const [job] = await systems.kubernetes.jobsOf({ name: '', uid });
    return job!;
  };

  standInTest('ends with the Job itself, healthy', async () => {
    const job = await made('a-job');
    const wait = run(activities().awaitSyncJob, { job, deadline });
    pass(systems.sandbox, '2 hours');
    expect(await wait).toMatchObject({ seenHealthy: true });
  });

  standInTest('does not call a Job healthy that was seen and is gone', async () => {
    const job = await made('a-job');
    systems.sandbox.world.state.jobs.length = 0;
    expect(await run(activities().awaitSyncJob, { job, deadline })).toMatchObject({
      seenHealthy: false,
    });
  });

  standInTest(
    'fails with the end of a failed Job’s log, without what has the shape of a token',
    async () => {
      const { world } = systems.sandbox;
      const [token] = world.state.authorisations;
      world.sync.extraLog = [
        `wrote bearer_token: ${token!.token}`,
        `and ${token!.token} once more`,
      ];
      world.sync.fails = 1;
      const job = await made('a-job');
      pass(systems.sandbox, '2 hours');
      const failed = await run(activities().awaitSyncJob, { job, deadline }).catch(
        (error: unknown) => error as Error,
      );
      expect(failed).toMatchObject({
        type: 'SyncJobFailed',
        message: expect.stringContaining('once more'),
      });
      expect((failed as Error).message).not.toContain(token!.token.slice(0, 12));
    },
  );
});
