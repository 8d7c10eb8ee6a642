import { AppsV1Api, type V1Deployment } from '@kubernetes/client-node';
import { describe, expect } from '../../support/jest.ts';
import ms from 'ms';
import { createKubernetesActivities } from '../../../activities/kubernetes/create-activities.ts';
import { readersIn } from '../../../activities/kubernetes/consumers.ts';
import type { ClusterLook, Readers } from '../../../domain/cluster/cluster.ts';
import { fingerprintOf, Secret } from '../../../config/secret.ts';
import { IMMEDIATE } from '../../../sandbox/options.ts';
import { pairOf } from '../../../sandbox/seed.ts';
import type { Authorisation } from '../../../sandbox/world-state.ts';
import { until } from '../../support/until.ts';
import { run } from '../run-activity.ts';
import { pass, readOnlyTest, standInTest, useSystems } from '../systems.ts';
import { consumers, secretOf } from './consumer.ts';

/** Moved by the clock alone. */
const systems = useSystems({ ...IMMEDIATE, reloaderMs: ms('1 hour'), terminationMs: ms('1 hour') });
const NAME = 'short-url-manager';

/** By the tokens that the stand-in's Signon has; on a live cluster, by those that are found. */
const readers = (): Readers => {
  const holding =
    systems.sandbox?.world.state.authorisations.map(({ token }) =>
      fingerprintOf(new Secret(token)),
    ) ?? [];
  return { secret: secretOf(systems), holding, also: [], ofOtherPairs: [] };
};
const look = (): Promise<ClusterLook> => {
  const waits = { everyMs: 20, draining: new AbortController().signal };
  return run(createKubernetesActivities(systems.kubernetes, waits).lookAtConsumers, readers());
};
const held = async (): Promise<Set<string | undefined>> =>
  new Set((await look()).containers.map(({ token }) => token));
/** From a list: the worker's role lets it read no single one. */
async function deployment(): Promise<V1Deployment> {
  const { items } = await systems.kubeConfig
    .makeApiClient(AppsV1Api)
    .listNamespacedDeployment({ namespace: 'apps' });
  return items.find(({ metadata }) => metadata?.name === NAME)!;
}
const masked = (token: string): string => fingerprintOf(new Secret(token)).masked;
const tokenInSecret = (): string => systems.sandbox.world.state.secrets[secretOf(systems)]!;

/** A new token of the pair, and a sync that ends. */
async function issueAndSync(): Promise<Authorisation> {
  const { world, cluster } = systems.sandbox;
  const { user, server } = pairOf(world, systems.pair.apiUser, systems.pair.application);
  const token = world.issue(user.id, server.id);
  cluster.createJob('a-sync');
  await until(
    'the sync',
    async () => (await systems.kubernetes.jobCompletedAt('a-sync')) || undefined,
  );
  expect(tokenInSecret()).toBe(token.token);
  return token;
}

describe('the consumers', () => {
  standInTest(
    'are app, the worker of its twin, and its CronJobs, all by the same variable',
    async () => {
      const templates = await systems.kubernetes.templates();
      expect(templates.flatMap((template) => readersIn(template, secretOf(systems)))).toEqual([
        {
          workload: `Deployment/${NAME}`,
          container: 'app',
          variable: 'PUBLISHING_API_BEARER_TOKEN',
        },
        {
          workload: `Deployment/${NAME}-worker`,
          container: 'worker',
          variable: 'PUBLISHING_API_BEARER_TOKEN',
        },
        {
          workload: `CronJob/${NAME}-task-1`,
          container: 'cron-task',
          variable: 'PUBLISHING_API_BEARER_TOKEN',
        },
      ]);
      const containers = Object.fromEntries(
        templates.map(({ workload, spec }) => [workload, spec?.containers.map(({ name }) => name)]),
      );
      expect(containers[`Deployment/${NAME}`]).toEqual(['app', 'nginx']);
      expect(containers[`Deployment/${NAME}-worker`]).toEqual(['worker']);
    },
  );

  standInTest('are rolled by Reloader, which their template allows', async () => {
    const { spec } = await deployment();
    expect(spec?.template.metadata?.annotations).toMatchObject({
      'reloader.stakater.com/auto': 'true',
    });
  });

  readOnlyTest('run in the worker’s environment, and say by digest what they hold', async () => {
    const { containers } = await look();
    const running = containers.filter(({ state }) => state === 'running');
    expect(running.length).toBeGreaterThan(0);
    for (const { environment } of running)
      expect(environment).toBe(systems.configuration.ROTATION_ENVIRONMENT);
    if (systems.sandbox) for (const { token } of running) expect(token).toMatch(/^.{8}….{8}$/);
  });
});

describe('what a container holds', () => {
  standInTest(
    'was resolved once, when it started: a changed Secret is seen by new pods only',
    async () => {
      const old = masked(tokenInSecret());
      const token = await issueAndSync();
      expect(await held()).toEqual(new Set([old]));
      pass(systems.sandbox, '61 minutes');
      await until('Reloader', async () => (await held()).has(masked(token.token)) || undefined);
      pass(systems.sandbox, '61 minutes');
      await until('the old pods to go', async () => !(await held()).has(old) || undefined);
      expect(await held()).toEqual(new Set([masked(token.token)]));
    },
  );

  standInTest(
    'is old though the Deployment counts as rolled out, until Reloader acts',
    async () => {
      const old = masked(tokenInSecret());
      await issueAndSync();
      const { metadata, spec, status } = await deployment();
      expect(status?.observedGeneration).toBe(metadata?.generation);
      expect(status).toMatchObject({
        updatedReplicas: spec?.replicas,
        availableReplicas: spec?.replicas,
      });
      expect(await held()).toEqual(new Set([old]));
    },
  );

  standInTest('stays old where Reloader misses the change', async () => {
    const { sandbox } = systems;
    const old = masked(tokenInSecret());
    sandbox.world.overlooked.add(NAME);
    sandbox.world.overlooked.add(`${NAME}-worker`);
    await issueAndSync();
    expect(sandbox.world.state.reloads).toEqual([]);
    expect(await held()).toEqual(new Set([old]));
  });

  standInTest('does not change where a Secret is applied with the value it had', async () => {
    const { sandbox } = systems;
    sandbox.cluster.createJob('a-sync');
    await until(
      'the sync',
      async () => (await systems.kubernetes.jobCompletedAt('a-sync')) || undefined,
    );
    expect(sandbox.world.state.reloads).toEqual([]);
  });
});

describe('a pod being deleted', () => {
  standInTest(
    'stays Running and Ready, answers exec, and holds what it held, until it is gone',
    async () => {
      const old = masked(tokenInSecret());
      const token = await issueAndSync();
      systems.sandbox.cluster.roll(`${NAME}-worker`);
      const name = await until(
        'a pod being deleted',
        async () => (await consumers(systems)).find(({ terminating }) => terminating)?.pod,
      );
      const pod = (await systems.kubernetes.pods()).find(({ metadata }) => metadata?.name === name);
      expect(pod?.metadata?.deletionTimestamp).toBeDefined();
      expect(pod?.status?.phase).toBe('Running');
      expect(pod?.status?.containerStatuses).toMatchObject([
        { name: 'worker', ready: true, state: { running: {} } },
      ]);
      const seen = (await look()).containers.find((container) => container.pod === name);
      expect(seen).toMatchObject({ state: 'running', terminating: true, token: old });
      pass(systems.sandbox, '61 minutes');
      await until(
        'it to be gone',
        async () => (await consumers(systems)).every(({ pod: one }) => one !== name) || undefined,
      );
      expect(await systems.kubernetes.exec({ pod: name, container: 'worker' }, ['true'])).toEqual({
        kind: 'gone',
      });
      expect((await held()).has(masked(token.token))).toBe(true);
    },
  );
});
