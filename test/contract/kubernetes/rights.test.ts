import { AppsV1Api, CoreV1Api } from '@kubernetes/client-node';
import { describe, expect } from '../../support/jest.ts';
import { KubernetesClient } from '../../../activities/kubernetes/client.ts';
import { READ_SECRETS, RIGHTS } from '../../../activities/kubernetes/rights.ts';
import { readOnlyTest, standInTest, useSystems } from '../systems.ts';
import { asSomebody, rawExec, someConsumer } from './consumer.ts';

const systems = useSystems();
const CRON_JOB = 'signon-sync-token-secrets-to-k8s';

interface Refusal {
  code?: number;
  body?: string;
}

/**
 * How an API refused, and `allowed` where it did not: an answer that should not have come is never
 * quoted.
 */
const refusal = (call: Promise<unknown>): Promise<Refusal | 'allowed'> =>
  call.then(
    () => 'allowed' as const,
    ({ code, body }: Refusal) => ({ code, body }),
  );

describe('the worker’s role', () => {
  readOnlyTest('reads no Secrets', async () => {
    const core = systems.kubeConfig.makeApiClient(CoreV1Api);
    const namespace = systems.configuration.KUBERNETES_NAMESPACE;
    expect(await refusal(core.listNamespacedSecret({ namespace, limit: 1 }))).toMatchObject({
      code: 403,
    });
  });

  readOnlyTest('ends at its namespace', async () => {
    const apps = systems.kubeConfig.makeApiClient(AppsV1Api);
    const elsewhere = refusal(
      apps.listNamespacedDeployment({ namespace: 'kube-system', limit: 1 }),
    );
    expect(await elsewhere).toMatchObject({ code: 403 });
  });

  readOnlyTest('suffices for all that our client reads', async () => {
    const { kubernetes } = systems;
    expect((await kubernetes.templates()).length).toBeGreaterThan(0);
    expect((await kubernetes.pods()).length).toBeGreaterThan(0);
    expect(Array.isArray(await kubernetes.jobs())).toBe(true);
    expect(await kubernetes.cronJobUid('no-such-cronjob')).toBeUndefined();
    expect(await kubernetes.jobCompletedAt('no-such-job')).toBeUndefined();
  });

  const needs: [string, string, (client: KubernetesClient) => Promise<unknown>][] = [
    ['deployments', 'list', (client) => client.templates()],
    ['statefulsets', 'list', (client) => client.templates()],
    ['cronjobs', 'list', (client) => client.templates()],
    ['cronjobs', 'get', (client) => client.cronJobUid(CRON_JOB)],
    ['jobs', 'list', (client) => client.jobs()],
    ['jobs', 'get', (client) => client.jobCompletedAt('no-such-job')],
    ['pods', 'list', (client) => client.pods()],
  ];
  standInTest.each(needs)(
    'is enforced: without %s %s our client says so, and does not try again',
    async (...need) => {
      const [resource, verb, read] = need;
      const { role } = systems.sandbox.kubernetes;
      await expect(read(systems.kubernetes)).resolves.not.toThrow();
      role[resource] = role[resource]!.filter((allowed) => allowed !== verb);
      await expect(read(systems.kubernetes)).rejects.toMatchObject({
        type: 'NotPermitted',
        nonRetryable: true,
        message: expect.stringMatching(new RegExp(`${verb} ${resource.replace(/s$/, '')}`)),
      });
    },
  );

  readOnlyTest(
    'says of itself what it may do: all that a rotation needs, and not to read Secrets',
    async () => {
      const { kubernetes } = systems;
      const may = await Promise.all(RIGHTS.map((right) => kubernetes.may(right)));
      expect(RIGHTS.filter((_, at) => !may[at])).toEqual([]);
      for (const right of READ_SECRETS) expect(await kubernetes.may(right)).toBe(false);
      expect(await kubernetes.may({ ...RIGHTS[0]!, group: 'no-such-group' })).toBe(false);
    },
  );

  standInTest.each(RIGHTS.map((right) => [`${right.resource} ${right.verb}`, right] as const))(
    'says of itself that it lacks %s',
    async (_, right) => {
      const { role } = systems.sandbox.kubernetes;
      role[right.resource] = role[right.resource]!.filter((verb) => verb !== right.verb);
      expect(await systems.kubernetes.may(right)).toBe(false);
    },
  );

  standInTest.each([['get'], ['create']])('exec needs more than %s alone', async (verb) => {
    const target = await someConsumer(systems);
    systems.sandbox.kubernetes.role['pods/exec'] = [verb];
    await expect(systems.kubernetes.exec(target, ['true'])).rejects.toMatchObject({
      type: 'NotPermitted',
    });
  });

  standInTest('without the watch leaves our client to its polling', async () => {
    const { kubernetes, sandbox } = systems;
    sandbox.kubernetes.role.pods = ['get', 'list'];
    let calls = 0;
    kubernetes.podWatch.nudges(() => calls++, new AbortController().signal);
    sandbox.cluster.roll('short-url-manager');
    expect(await kubernetes.pods()).not.toEqual([]);
    expect(calls).toBe(0);
  });
});

describe('a refusal', () => {
  standInTest('carries its code as a number and its body as a JSON string', async () => {
    const core = systems.kubeConfig.makeApiClient(CoreV1Api);
    const said = await refusal(core.listNamespacedSecret({ namespace: 'apps' }));
    expect(said).toEqual({ code: 403, body: expect.any(String) });
    expect(JSON.parse((said as { body: string }).body)).toMatchObject({
      kind: 'Status',
      reason: 'Forbidden',
      code: 403,
    });
  });

  readOnlyTest('of an unknown token is a 401 without a body', async () => {
    const core = asSomebody(systems, 'nonsense').makeApiClient(CoreV1Api);
    const namespace = systems.configuration.KUBERNETES_NAMESPACE;
    expect(await refusal(core.listNamespacedPod({ namespace, limit: 1 }))).toEqual({
      code: 401,
      body: undefined,
    });
  });

  readOnlyTest('of a request without a token is a 403 for system:anonymous', async () => {
    const core = asSomebody(systems).makeApiClient(CoreV1Api);
    const namespace = systems.configuration.KUBERNETES_NAMESPACE;
    const said = (await refusal(core.listNamespacedPod({ namespace, limit: 1 }))) as Refusal;
    expect(said.code).toBe(403);
    expect(said.body).toContain('system:anonymous');
  });

  standInTest('of exec, too, may pass, as an API server is replaced', async () => {
    const target = await someConsumer(systems);
    systems.sandbox.kubernetes.exec.faults.push('unauthorized');
    await expect(systems.kubernetes.exec(target, ['true'])).rejects.toMatchObject({
      type: 'CredentialRefused',
      nonRetryable: false,
    });
    await expect(systems.kubernetes.exec(target, ['true'])).rejects.toMatchObject({
      type: 'ExecIncomplete', // `true` prints no end marker
    });
  });

  readOnlyTest(
    'of an unknown token is tried again by our client, lists and exec alike',
    async () => {
      const target = await someConsumer(systems);
      const config = asSomebody(systems, 'nonsense');
      const client = new KubernetesClient(
        config,
        systems.configuration.KUBERNETES_NAMESPACE,
        10_000,
      );
      const refused = {
        type: 'CredentialRefused',
        nonRetryable: false,
        message: expect.stringContaining('401'),
      };
      await expect(client.pods()).rejects.toMatchObject(refused);
      await expect(client.exec(target, ['true'])).rejects.toMatchObject(refused);
      await expect(rawExec(systems, target, ['true'], { config })).rejects.toMatchObject({
        message: 'Unexpected server response: 401',
      });
    },
  );
});
