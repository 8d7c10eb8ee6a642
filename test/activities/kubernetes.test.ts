import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { createKubernetesActivities } from '../../activities/kubernetes/create-activities.ts';
import type { KubernetesActivities } from '../../activities/kubernetes/interface.ts';
import { fingerprintOf, Secret } from '../../activities/secret.ts';
import { allReady } from '../../domain/possession.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import { until } from '../support/until.ts';

const SECRET = 'signon-token-short-url-manager-publishing-api';
let sandbox: Sandbox;
let kubernetes: KubernetesActivities;
const READERS = { secret: SECRET, also: [] };
const CALLS = {
  readers: READERS,
  application: 'publishing-api',
  call: {
    adapter: 'PublishingApi',
    requires: 'gds_api/publishing_api',
    method: 'lookup_content_id',
    positional: [],
    keyword: {},
  },
};
beforeEach(async () => {
  sandbox = await Sandbox.start(seedWorld({ only: ['short-url-manager'] }), { ...IMMEDIATE, terminationMs: 3_600_000 });
  const config = new KubeConfig();
  config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
  const waits = { everyMs: 50, draining: new AbortController().signal };
  kubernetes = createKubernetesActivities(new KubernetesClient(config, 'apps', 5000), waits);
});
afterEach(() => sandbox.stop());

const run = <T>(act: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(act);

test('finds app and worker containers, the CronJob without a pod, and not nginx', async () => {
  const { consumers, containers } = await run(() => kubernetes.lookAtConsumers(READERS));
  expect(consumers.map(({ workload, container }) => `${container} of ${workload}`)).toEqual([
    'app of Deployment/short-url-manager',
    'worker of Deployment/short-url-manager-worker',
    'cron-task of CronJob/short-url-manager-task-1',
  ]);
  expect(containers.map(({ environment, state }) => ({ environment, state }))).toEqual(
    Array.from({ length: 3 }, () => ({ environment: 'integration', state: 'running' })),
  );
});

test('a container whose exec is killed every time is never taken for ended', async () => {
  sandbox.kubernetes.exec.faults.push(...Array.from({ length: 50 }, () => 'killed' as const));
  await expect(run(() => kubernetes.lookAtConsumers(READERS))).rejects.toMatchObject({ type: 'ExecIncomplete' });
});

test('a pod that goes away between list and question is found gone by another list', async () => {
  const [pod] = sandbox.world.state.pods;
  const looking = run(() => kubernetes.lookAtConsumers(READERS));
  sandbox.cluster.kill(pod!.name);
  const { containers } = await looking;
  expect(containers.filter((container) => container.pod === pod!.name && container.state === 'running')).toEqual([]);
});

test('a pod being deleted still counts as running, and says that it is terminating', async () => {
  sandbox.cluster.roll('short-url-manager');
  await until('a pod that terminates', () => sandbox.world.state.pods.find(({ goneAt }) => goneAt !== undefined));
  const { containers } = await run(() => kubernetes.lookAtConsumers(READERS));
  const terminating = containers.filter((container) => container.terminating);
  expect(new Set(terminating.map(({ state }) => state))).toEqual(new Set(['running']));
});

test('reads all pages of a list', async () => {
  const [pod] = sandbox.world.state.pods;
  for (let i = 0; i < 450; i++)
    sandbox.world.state.pods.push({ ...pod!, name: `bystander-${i}`, workload: 'bystander', containers: [] });
  sandbox.world.state.pods.push(sandbox.world.state.pods.shift()!); // one of the pair's comes last
  const { containers } = await run(() => kubernetes.lookAtConsumers(READERS));
  expect(containers).toHaveLength(3);
});

test('the same restart asked for twice restarts once', async () => {
  sandbox.kubernetes.role.deployments!.push('patch');
  const generationOf = (): number | undefined =>
    sandbox.world.state.workloads.find(({ name }) => name === 'short-url-manager')?.generation;
  const before = generationOf()!;
  const order = { deployments: ['Deployment/short-url-manager' as const], at: '2026-11-24T12:00:00.000Z' };
  await run(() => kubernetes.restartDeployments(order));
  await run(() => kubernetes.restartDeployments(order));
  expect(generationOf()).toBe(before + 1);
});

test('a missing right is named', async () => {
  sandbox.kubernetes.role['pods/exec'] = ['get'];
  await expect(run(() => kubernetes.lookAtConsumers(READERS))).rejects.toMatchObject({
    type: 'NotPermitted',
    message: expect.stringMatching(/^Kubernetes refused exec into app in short-url-manager-\S+ with 403$/),
  });
});

test('a program that ends before its smoke call is not a failed call', async () => {
  sandbox.kubernetes.exec.faults.push('killed', 'killed');
  const results = await run(() => kubernetes.smokeConsumers(CALLS));
  expect(results.map(({ verdict }) => verdict)).toEqual(['not-tested', 'not-tested']);
});

test('a smoke call that ends with its pod is made again, in another', async () => {
  sandbox.kubernetes.exec.byChance = () => {
    sandbox.kubernetes.exec.byChance = () => undefined;
    for (const { name, workload } of sandbox.world.state.pods)
      if (workload === 'short-url-manager') sandbox.cluster.kill(name);
    return 'killed';
  };
  await expect(run(() => kubernetes.smokeConsumers(CALLS))).rejects.toMatchObject({
    type: 'ExecIncomplete',
    nonRetryable: false,
    message: expect.stringContaining('ended during its smoke call'),
  });
});

/** One pod for each of the two Deployments, both new. */
const areReplaced = (): true | undefined => {
  const { pods } = sandbox.world.state;
  return (pods.length === 2 && pods.every(({ running, readyAt }) => running && readyAt !== undefined)) || undefined;
};

test('a rollout is over once a pod of each consumer is ready to call from', async () => {
  const { world } = sandbox;
  sandbox.options.readyMs = 3_600_000;
  for (const { name } of world.state.pods) sandbox.cluster.kill(name);
  await until('new pods to run', areReplaced);
  const token = fingerprintOf(new Secret(world.state.secrets[SECRET]!));
  const deadline = new Date(Date.now() + 60_000).toISOString();
  const rollout = run(() => kubernetes.awaitRollout({ readers: READERS, token, deadline }));
  await until('both to be asked what they hold', () => world.happened.execs >= 2 || undefined);
  world.state.clockOffsetMs += 3_700_000; // what was listed before was not ready
  const seen = await rollout;
  expect(seen).toMatchObject({ kind: 'held' });
  expect(seen.kind === 'held' && allReady(seen.look)).toBe(true);
});

test('a pod that never becomes ready holds the new token all the same, when the time is over', async () => {
  sandbox.options.readyMs = 3_600_000;
  for (const { name } of sandbox.world.state.pods) sandbox.cluster.kill(name);
  const token = fingerprintOf(new Secret(sandbox.world.state.secrets[SECRET]!));
  await until('new pods to run', areReplaced);
  const seen = await run(() =>
    kubernetes.awaitRollout({ readers: READERS, token, deadline: new Date(Date.now() + 1000).toISOString() }),
  );
  expect(seen).toMatchObject({ kind: 'held' });
  expect(seen.kind === 'held' && allReady(seen.look)).toBe(false);
});

test('fifty who look at the same time cost as many lists as two', async () => {
  const { requests, execs } = sandbox.world.happened;
  const before = { kubernetes: requests.kubernetes, execs };
  const looks = await Promise.all(
    Array.from({ length: 50 }, () =>
      run(() => kubernetes.smokeConsumers({ readers: { ...READERS, secret: 'read-by-nobody' }, application: 'x' })),
    ),
  );
  expect(looks).toEqual(looks.map(() => []));
  expect(sandbox.world.happened.requests.kubernetes - before.kubernetes).toBeLessThanOrEqual(10); // five lists, twice
  expect(sandbox.world.happened.execs).toBe(before.execs);
});
