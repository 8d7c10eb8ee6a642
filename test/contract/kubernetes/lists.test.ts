import { CoreV1Api, Watch, type V1Pod } from '@kubernetes/client-node';
import { describe, expect } from '../../support/jest.ts';
import { until } from '../../support/until.ts';
import { readOnlyTest, standInTest, useSystems } from '../systems.ts';

const systems = useSystems();
const MANY = 450;

const core = (): CoreV1Api => systems.kubeConfig.makeApiClient(CoreV1Api);
const namesOf = (pods: V1Pod[]): (string | undefined)[] =>
  pods.map(({ metadata }) => metadata?.name);

/** So many pods that our client needs several pages. */
function addPods(): void {
  const { pods } = systems.sandbox.world.state;
  const [first] = pods;
  for (let count = 0; count < MANY; count++)
    pods.push({ ...first!, name: `one-of-many-${count}`, workload: 'many' });
}

describe('a list', () => {
  readOnlyTest('goes on where its continuation says', async () => {
    const namespace = systems.configuration.KUBERNETES_NAMESPACE;
    const first = await core().listNamespacedPod({ namespace, limit: 1 });
    expect(first.items).toHaveLength(1);
    expect(first.metadata?._continue).toBeTruthy();
    const second = await core().listNamespacedPod({
      namespace,
      limit: 1,
      _continue: first.metadata?._continue,
    });
    expect(second.items).toHaveLength(1);
    expect(namesOf(second.items)).not.toEqual(namesOf(first.items));
  });

  standInTest('of several pages is read whole by our client', async () => {
    addPods();
    const names = namesOf(await systems.kubernetes.pods());
    expect(names).toEqual(systems.sandbox.world.state.pods.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
  });

  standInTest('whose continuation has expired is a 410, Expired', async () => {
    systems.sandbox.kubernetes.pagesThatExpire = 1;
    const { metadata } = await core().listNamespacedPod({ namespace: 'apps', limit: 1 });
    const refused = core().listNamespacedPod({
      namespace: 'apps',
      limit: 1,
      _continue: metadata?._continue,
    });
    await expect(refused).rejects.toMatchObject({
      code: 410,
      body: expect.stringContaining('"reason":"Expired"'),
    });
  });

  standInTest(
    'whose continuation has expired is begun anew by our client, and nothing is in it twice',
    async () => {
      addPods();
      systems.sandbox.kubernetes.pagesThatExpire = 2;
      const names = namesOf(await systems.kubernetes.pods());
      expect(names).toEqual(systems.sandbox.world.state.pods.map(({ name }) => name));
      expect(systems.sandbox.kubernetes.pagesThatExpire).toBe(0);
    },
  );

  standInTest('whose continuation always expires is given up, to be tried again', async () => {
    addPods();
    systems.sandbox.kubernetes.pagesThatExpire = 1000;
    await expect(systems.kubernetes.pods()).rejects.toMatchObject({
      type: 'Unreachable',
      nonRetryable: false,
    });
  });
});

describe('a watch', () => {
  readOnlyTest('answers at once, though nothing changes', async () => {
    const path = `/api/v1/namespaces/${systems.configuration.KUBERNETES_NAMESPACE}/pods`;
    let error: unknown;
    const controller = await new Watch(systems.kubeConfig).watch(
      path,
      {},
      () => undefined,
      (said) => (error = said),
    );
    expect(error).toBeUndefined();
    controller.abort();
  });

  standInTest('tells of pods that come, change and go', async () => {
    const events: { type: string; name?: string }[] = [];
    const controller = await new Watch(systems.kubeConfig).watch(
      '/api/v1/namespaces/apps/pods',
      {},
      (type, pod: V1Pod) => void events.push({ type, name: pod.metadata?.name }),
      () => undefined,
    );
    const [old] = await systems.kubernetes.pods();
    systems.sandbox.cluster.roll('short-url-manager');
    const told = (type: string, name?: string): Promise<unknown> =>
      until(type, () =>
        events.find((event) => event.type === type && (name ?? event.name) === event.name),
      );
    await told('ADDED');
    await told('MODIFIED');
    await told('DELETED', old?.metadata?.name);
    controller.abort();
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['ADDED', 'MODIFIED', 'DELETED']),
    );
  });

  standInTest('makes our client call back until it is told to stop', async () => {
    const { sandbox, kubernetes } = systems;
    const stop = new AbortController();
    let calls = 0;
    kubernetes.podWatch.nudges(() => calls++, stop.signal);
    await until('the watch', () => sandbox.kubernetes.watching > 0 || undefined);
    sandbox.cluster.roll('short-url-manager');
    await until('a call', () => calls > 0 || undefined);
    stop.abort();
    await until('the end of the watch', () => sandbox.kubernetes.watching === 0 || undefined);
    expect(calls).toBeGreaterThan(0);
  });

  standInTest('goes on from a version: what came and went since then is told', async () => {
    const { kubernetes, sandbox } = systems;
    const { version } = await kubernetes.podsNow();
    const pod = sandbox.cluster.runWorkflow('a-secret', 3_600_000);
    sandbox.cluster.kill(pod);
    const stop = new AbortController();
    const told: (string | undefined)[] = [];
    for await (const event of kubernetes.podWatch.events(version, stop.signal)) {
      told.push(event.pod?.metadata?.name);
      if (told.length === 2) break;
    }
    expect(told).toEqual([pod, pod]);
  });

  standInTest('ends with a bookmark, from which the next goes on', async () => {
    const { sandbox, kubeConfig } = systems;
    const events: { type: string; object: V1Pod }[] = [];
    const { version } = await systems.kubernetes.podsNow();
    await new Promise((ended) => {
      void new Watch(kubeConfig).watch(
        '/api/v1/namespaces/apps/pods',
        { resourceVersion: version, timeoutSeconds: 1, allowWatchBookmarks: true },
        (type, object: V1Pod) => void events.push({ type, object }),
        ended,
      );
    });
    const { type, object } = events.at(-1)!;
    expect([type, object.metadata?.resourceVersion]).toEqual([
      'BOOKMARK',
      String(sandbox.world.version),
    ]);
  });
});
