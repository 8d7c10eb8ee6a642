import { describe, expect } from '../../support/jest.ts';
import { ArgoClient, type ArgoAccount } from '../../../activities/argo/client.ts';
import { Secret } from '../../../config/secret.ts';
import { readOnlyTest, standInTest, useSystems } from '../systems.ts';
import { callArgo, logQuery, orderOf, scopeOf, type ArgoAnswer, type ArgoCall } from './caller.ts';

const systems = useSystems();
const TREE = '/applications/signon/resource-tree';
const CRON_JOB = 'signon-sync-token-secrets-to-k8s';
const NONSENSE = { Authorization: 'Bearer nonsense' };

const tree = (call: ArgoCall = {}): Promise<ArgoAnswer> =>
  callArgo(systems, TREE, { query: scopeOf(systems), ...call });
const act = (resourceName: string, action: string): Promise<ArgoAnswer> =>
  callArgo(systems, '/applications/signon/resource/actions/v2', {
    body: { ...orderOf(systems, resourceName), action },
  });
const clientWith = (changes: Partial<ArgoAccount>): ArgoClient =>
  new ArgoClient({ ...systems.configuration, ...changes });
const refused = (code: number, message: string): object => ({ code, error: message, message });

describe('Argo CD refuses', () => {
  readOnlyTest(
    'no or a nonsense token with 401, code 16; our client tries again: it may pass',
    async () => {
      expect(await tree({ headers: NONSENSE })).toMatchObject({ status: 401, json: { code: 16 } });
      expect(await tree({ headers: { Authorization: '' } })).toMatchObject({
        status: 401,
        json: { code: 16 },
      });
      const token = new Secret('nonsense');
      await expect(clientWith({ ARGOCD_TOKEN: token }).tree()).rejects.toMatchObject({
        type: 'CredentialRefused',
        nonRetryable: false,
      });
    },
  );

  readOnlyTest('a wrong appNamespace with 403, code 7: existence is hidden', async () => {
    const query = { ...scopeOf(systems), appNamespace: 'no-such-namespace' };
    expect(await tree({ query })).toMatchObject({
      status: 403,
      json: refused(7, 'permission denied'),
    });
  });

  readOnlyTest(
    'an unknown application with 403, code 7, where the role names one application, whatever project is named',
    async () => {
      const path = '/applications/no-such-application/resource-tree';
      const { appNamespace, project } = scopeOf(systems);
      for (const query of [
        { appNamespace: appNamespace! } as Record<string, string>,
        { appNamespace: appNamespace!, project: project! },
      ])
        expect(await callArgo(systems, path, { query })).toMatchObject({
          status: 403,
          json: refused(7, 'permission denied'),
        });
      await expect(
        clientWith({ ARGOCD_APPLICATION: 'no-such-application' }).tree(),
      ).rejects.toMatchObject({
        type: 'Unreachable',
        message: expect.stringContaining('an unknown application'),
      });
    },
  );

  standInTest('what the role lacks with 403, code 7', async () => {
    Object.assign(systems.sandbox.argo.rights, { get: false, createJob: false, logs: false });
    const answers = [
      await tree(),
      await act(CRON_JOB, 'create-job'),
      await callArgo(systems, '/applications/signon/logs', { query: logQuery(systems, 'a-job') }),
    ];
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 403, json: refused(7, 'permission denied') });
    await expect(systems.argo.createJob(CRON_JOB)).rejects.toMatchObject({ type: 'Unreachable' });
    expect(systems.sandbox.world.state.jobs).toEqual([]);
  });

  standInTest('a resource outside the application’s tree with 400, code 3', async () => {
    const message = 'CronJob batch no-such-cronjob not found as part of application signon';
    expect(await act('no-such-cronjob', 'create-job')).toMatchObject({
      status: 400,
      json: refused(3, message),
    });
    await expect(systems.argo.createJob('no-such-cronjob')).rejects.toMatchObject({
      type: 'SyncCronJobMissing',
      nonRetryable: true,
    });
  });

  standInTest('an unknown action with 500, code 2', async () => {
    const answer = await act(CRON_JOB, 'no-such-action');
    expect(answer).toMatchObject({ status: 500, json: { code: 2 } });
    expect((answer.json as { message: string }).message).toMatch(
      /^error getting Lua resource action: /,
    );
  });
});

describe('while the Kubernetes API is down', () => {
  standInTest(
    'the application itself is a 403, the tree a stale 200, all else a 500 with code 2',
    async () => {
      systems.sandbox.argo.kubernetesDown = true;
      const application = await callArgo(systems, '/applications/signon', {
        query: scopeOf(systems),
      });
      expect(application).toMatchObject({ status: 403, json: refused(7, 'permission denied') });
      expect((await tree()).status).toBe(200);
      expect(await act(CRON_JOB, 'create-job')).toMatchObject({ status: 500, json: { code: 2 } });
      const logs = await callArgo(systems, '/applications/signon/logs', {
        query: logQuery(systems, 'a-job'),
      });
      expect(logs).toMatchObject({ status: 500, json: { code: 2 } });
    },
  );

  standInTest('our client takes 403 and 500 for passing: both are tried again', async () => {
    const passing = { type: 'Unreachable', nonRetryable: false };
    systems.sandbox.argo.kubernetesDown = true;
    await expect(systems.argo.createJob(CRON_JOB)).rejects.toMatchObject(passing);
    systems.sandbox.argo.rights.get = false;
    await expect(systems.argo.tree()).rejects.toMatchObject(passing);
    systems.sandbox.argo.kubernetesDown = false;
    await systems.argo.createJob(CRON_JOB);
    expect(systems.sandbox.world.happened.jobs).toHaveLength(1);
  });
});

describe('userinfo', () => {
  readOnlyTest('is a 200 {} for a bad token, and names the account of a good one', async () => {
    const bad = await callArgo(systems, '/session/userinfo', { headers: NONSENSE });
    expect(bad).toMatchObject({ status: 200, json: {} });
    expect(bad.json).not.toHaveProperty('loggedIn');
    const good = await callArgo(systems, '/session/userinfo');
    expect(good).toMatchObject({
      status: 200,
      json: { loggedIn: true, username: expect.any(String) },
    });
  });
});
