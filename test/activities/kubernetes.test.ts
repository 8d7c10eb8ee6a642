import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, test } from '../support/jest.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitReader } from '../../activities/kubernetes/await-reader.ts';
import { censusWithShell } from '../../activities/kubernetes/scripts.ts';
import { readConfiguration } from '../../config/configuration.ts';
import { createClients } from '../../worker/clients.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { createKubernetesActivities } from '../../activities/kubernetes/create-activities.ts';
import type { KubernetesActivities } from '../../activities/kubernetes/interface.ts';
import { fingerprintOf, Secret } from '../../config/secret.ts';
import type { Readers } from '../../domain/cluster/cluster.ts';
import type { Fingerprint } from '../../domain/tokens/tokens.ts';
import { allReady } from '../../domain/cluster/possession.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeToken, makeUid } from '../../sandbox/world.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import { until } from '../support/until.ts';

const SECRET = 'signon-token-short-url-manager-publishing-api';
let sandbox: Sandbox;
let cluster: KubernetesClient;
let kubernetes: KubernetesActivities;
const READERS: Readers = { secret: SECRET, holding: [], also: [], ofOtherPairs: [] };
const CALLS = {
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
  sandbox = await Sandbox.start(seedWorld({ only: ['short-url-manager'] }), {
    ...IMMEDIATE,
    terminationMs: 3_600_000,
  });
  const config = new KubeConfig();
  config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
  const waits = { everyMs: 50, draining: new AbortController().signal };
  cluster = new KubernetesClient(config, 'apps', 5000);
  kubernetes = createKubernetesActivities(cluster, waits);
});
afterEach(() => sandbox.stop());

const heldToken = (): Fingerprint =>
  fingerprintOf(new Secret(sandbox.world.state.secrets[SECRET]!));
const calls = () => {
  const token = heldToken();
  return { ...CALLS, readers: { ...READERS, holding: [token] }, tokens: [token] };
};
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
  await expect(run(() => kubernetes.lookAtConsumers(READERS))).rejects.toMatchObject({
    type: 'ExecIncomplete',
  });
});

test.each([
  ['a node whose container runtime is starting anew', 'runtime-away'],
  ['a container whose runtime misses a file of its own', 'no-cgroup'],
] as const)('%s is asked again: no program is missing', async (_what, fault) => {
  sandbox.kubernetes.exec.faults.push(fault);
  const { census } = await run(() => kubernetes.lookAtConsumers(READERS));
  expect([census.asked, census.unasked]).toEqual([3, []]);
});

test.each([
  'cut-status',
  'unknown-channel',
  'empty-frame',
  'late-output',
  'closes-stderr',
] as const)(
  'a malformed frame (%s) fails that one exec, which is made again, and ends no process',
  async (frame) => {
    sandbox.kubernetes.exec.faults.push(frame);
    const { census, containers } = await run(() => kubernetes.lookAtConsumers(READERS));
    expect([census.asked, census.unasked, containers.length]).toEqual([3, [], 3]);
    sandbox.kubernetes.exec.byChance = () => frame;
    for (const { name } of sandbox.world.state.pods) sandbox.cluster.kill(name);
    await until(
      'new pods',
      () =>
        (sandbox.world.state.pods.length === 3 &&
          sandbox.world.state.pods.every(({ running }) => running)) ||
        undefined,
    );
    await expect(run(() => kubernetes.lookAtConsumers(READERS))).rejects.toMatchObject({
      type: 'ExecIncomplete',
    });
  },
);

test('a pod that goes away between list and question is found gone by another list', async () => {
  const [pod] = sandbox.world.state.pods;
  const looking = run(() => kubernetes.lookAtConsumers(READERS));
  sandbox.cluster.kill(pod!.name);
  const { containers } = await looking;
  expect(
    containers.filter((container) => container.pod === pod!.name && container.state === 'running'),
  ).toEqual([]);
});

test('a pod being deleted still counts as running, and says that it is terminating', async () => {
  sandbox.cluster.roll('short-url-manager');
  await until('a pod that terminates', () =>
    sandbox.world.state.pods.find(({ goneAt }) => goneAt !== undefined),
  );
  const { containers } = await run(() => kubernetes.lookAtConsumers(READERS));
  const terminating = containers.filter((container) => container.terminating);
  expect(new Set(terminating.map(({ state }) => state))).toEqual(new Set(['running']));
});

test('reads all pages of a list', async () => {
  const [pod] = sandbox.world.state.pods;
  for (let i = 0; i < 450; i++)
    sandbox.world.state.pods.push({
      ...pod!,
      name: `bystander-${i}`,
      workload: 'bystander',
      containers: [],
    });
  sandbox.world.state.pods.push(sandbox.world.state.pods.shift()!); // one of the pair's comes last
  const { containers } = await run(() => kubernetes.lookAtConsumers(READERS));
  expect(containers).toHaveLength(3);
});

test('the same restart asked for twice restarts once', async () => {
  sandbox.kubernetes.role.deployments!.push('patch');
  const generationOf = (): number | undefined =>
    sandbox.world.state.workloads.find(({ name }) => name === 'short-url-manager')?.generation;
  const before = generationOf()!;
  const order = {
    deployments: ['Deployment/short-url-manager' as const],
    at: '2026-11-24T12:00:00.000Z',
  };
  await run(() => kubernetes.restartDeployments(order));
  await run(() => kubernetes.restartDeployments(order));
  expect(generationOf()).toBe(before + 1);
});

test('a missing right is named', async () => {
  sandbox.kubernetes.role['pods/exec'] = ['get'];
  await expect(run(() => kubernetes.lookAtConsumers(READERS))).rejects.toMatchObject({
    type: 'NotPermitted',
    message: expect.stringMatching(
      /^Kubernetes refused exec into app in short-url-manager-\S+ with 403: the role lacks create on pods\/exec$/,
    ),
  });
});

test('a program that ends before its smoke call is not a failed call', async () => {
  await run(() => kubernetes.lookAtConsumers(READERS)); // all have told what they hold
  sandbox.kubernetes.exec.faults.push('killed', 'killed');
  const results = await run(() => kubernetes.smokeConsumers(calls()));
  expect(results.map(({ verdict }) => verdict)).toEqual(['not-tested', 'not-tested']);
});

test('a smoke call is made only from a container that holds the token', async () => {
  const [pod] = sandbox.world.state.pods.filter(({ workload }) => workload === 'short-url-manager');
  for (const container of pod!.containers)
    container.env = { ...container.env, PUBLISHING_API_BEARER_TOKEN: makeToken() };
  const results = await run(() => kubernetes.smokeConsumers(calls()));
  expect(results.map((result) => result.pod)).not.toContain(pod!.name);
  expect(results).toHaveLength(2);
});

test('a smoke call that ends with its pod is made again, in another', async () => {
  await run(() => kubernetes.lookAtConsumers(READERS));
  sandbox.kubernetes.exec.byChance = () => {
    sandbox.kubernetes.exec.byChance = () => undefined;
    for (const { name, workload } of sandbox.world.state.pods)
      if (workload === 'short-url-manager') sandbox.cluster.kill(name);
    return 'killed';
  };
  await expect(run(() => kubernetes.smokeConsumers(calls()))).rejects.toMatchObject({
    type: 'ExecIncomplete',
    nonRetryable: false,
    message: expect.stringContaining('ended during its smoke call'),
  });
});

/** One pod for each of the two Deployments, both new. */
const areReplaced = (): true | undefined => {
  const { pods } = sandbox.world.state;
  return (
    (pods.length === 2 && pods.every(({ running, readyAt }) => running && readyAt !== undefined)) ||
    undefined
  );
};

test('a rollout is over once a pod of each consumer is ready to call from', async () => {
  const { world } = sandbox;
  sandbox.options.readyMs = 3_600_000;
  for (const { name } of world.state.pods) sandbox.cluster.kill(name);
  await until('new pods to run', areReplaced);
  const token = heldToken();
  const deadline = new Date(Date.now() + 60_000).toISOString();
  const rollout = run(() =>
    kubernetes.awaitRollout({ readers: { ...READERS, holding: [token] }, token, deadline }),
  );
  await until('both to be asked what they hold', () => world.happened.execs >= 2 || undefined);
  world.state.clockOffsetMs += 3_700_000; // what was listed before was not ready
  const seen = await rollout;
  expect(seen).toMatchObject({ kind: 'held' });
  expect(seen.kind === 'held' && allReady(seen.look)).toBe(true);
});

test('a pod that never becomes ready holds the new token all the same, when the time is over', async () => {
  sandbox.options.readyMs = 3_600_000;
  for (const { name } of sandbox.world.state.pods) sandbox.cluster.kill(name);
  const token = heldToken();
  await until('new pods to run', areReplaced);
  const seen = await run(() =>
    kubernetes.awaitRollout({
      readers: { ...READERS, holding: [token] },
      token,
      deadline: new Date(Date.now() + 1000).toISOString(),
    }),
  );
  expect(seen).toMatchObject({ kind: 'held' });
  expect(seen.kind === 'held' && allReady(seen.look)).toBe(false);
});

test('a pod that nothing lists and that held the old token is told of, also where it ended before another worker went on waiting', async () => {
  const pod = sandbox.cluster.runWorkflow(SECRET, 3_600_000);
  const [old, token] = [heldToken(), fingerprintOf(new Secret(makeToken()))];
  const readers = { ...READERS, holding: [old, token] };
  const attempt = (heartbeatDetails: unknown, lasts: number): Promise<unknown> => {
    const environment = new MockActivityEnvironment({ heartbeatDetails });
    environment.on('heartbeat', (kept) => (last = kept));
    const deadline = new Date(Date.now() + lasts).toISOString();
    return environment.run(() => kubernetes.awaitRollout({ readers, token, deadline }));
  };
  let last: unknown;
  await attempt(undefined, 0);
  sandbox.cluster.kill(pod);
  await until('it to end', () => !sandbox.world.state.pods.some(({ name }) => name === pod));
  expect(await attempt(last, 0)).toMatchObject({
    kind: 'incomplete',
    passing: [{ workload: expect.stringMatching(/^Workflow\/deploy-/), container: 'main' }],
  });
});

test('a wait for the rollout says which containers it waits for', async () => {
  const environment = new MockActivityEnvironment();
  let told: unknown;
  environment.on('heartbeat', (kept) => (told = kept));
  const token = fingerprintOf(new Secret(makeToken()));
  const deadline = new Date().toISOString();
  await environment.run(() => kubernetes.awaitRollout({ readers: READERS, token, deadline }));
  expect(told).toMatchObject({
    waitsFor: expect.stringMatching(/^the new token in app in short-url-manager-\w+-\w+, /),
  });
});

test('fifty who look at the same time cost as many lists as two', async () => {
  await run(() => kubernetes.lookAtConsumers(READERS));
  const { requests, execs } = sandbox.world.happened;
  const before = { kubernetes: requests.kubernetes, execs };
  const looks = await Promise.all(
    Array.from({ length: 50 }, () =>
      run(() =>
        kubernetes.smokeConsumers({
          readers: { ...READERS, secret: 'read-by-nobody' },
          tokens: [],
          application: 'x',
        }),
      ),
    ),
  );
  expect(looks).toEqual(looks.map(() => []));
  // five lists, twice
  expect(sandbox.world.happened.requests.kubernetes - before.kubernetes).toBeLessThanOrEqual(10);
  expect(sandbox.world.happened.execs).toBe(before.execs);
});

/** A kubeconfig of the sandbox whose user is as given, in a folder of its own. */
function kubeconfigWith(user: object): string {
  const whole = JSON.parse(readFileSync(sandbox.workerEnv().KUBECONFIG!, 'utf8')) as {
    users: [{ user: object }];
  };
  whole.users[0].user = user;
  const file = join(sandbox.folder, 'other-kubeconfig');
  writeFileSync(file, JSON.stringify(whole));
  return file;
}
const tokenOfSandbox = (): string => Object.keys(sandbox.world.state.kubernetesTokens)[0]!;
const clientsWith = (kubeconfig: string): KubernetesClient =>
  createClients(readConfiguration({ ...sandbox.workerEnv(), KUBECONFIG: kubeconfig })).kubernetes;

test('a kubeconfig’s tokenFile is read, beside the kubeconfig as kubectl does, and read again when it changes', async () => {
  const token = tokenOfSandbox();
  writeFileSync(join(sandbox.folder, 'token'), `${token}\n`);
  const client = clientsWith(kubeconfigWith({ tokenFile: 'token', token: 'an-older-one' }));
  expect((await client.pods()).length).toBeGreaterThan(0);
  const pod = (await client.pods()).find(({ metadata }) =>
    metadata?.name?.startsWith('short-url-manager-'),
  )!;
  const target = { pod: pod.metadata!.name!, container: pod.spec!.containers[0]!.name };
  expect(await client.exec(target, censusWithShell)).toMatchObject({ kind: 'answered' });
  const { kubernetesTokens } = sandbox.world.state;
  delete kubernetesTokens[token];
  kubernetesTokens['a-renewed-token'] = 'worker';
  writeFileSync(join(sandbox.folder, 'token'), 'a-renewed-token\n');
  expect((await client.pods()).length).toBeGreaterThan(0);
});

test('a credential that is refused is tried again, and read afresh from the kubeconfig before', async () => {
  const token = tokenOfSandbox();
  const file = kubeconfigWith({ token });
  const client = clientsWith(file);
  const { kubernetesTokens } = sandbox.world.state;
  delete kubernetesTokens[token];
  kubernetesTokens['a-renewed-token'] = 'worker';
  await expect(client.pods()).rejects.toMatchObject({
    type: 'CredentialRefused',
    nonRetryable: false,
  });
  kubeconfigWith({ token: 'a-renewed-token' });
  // with what was read before it was renewed
  await expect(client.pods()).rejects.toMatchObject({ type: 'CredentialRefused' });
  expect((await client.pods()).length).toBeGreaterThan(0);
});

describe('whoever waits for a pod that reads the Secret', () => {
  const secret = 'signon-token-argo-workflows-release';
  const order = (from = new Date().toISOString()) => ({
    secret,
    ofOtherPairs: Object.keys(sandbox.world.state.secrets).filter((name) => name !== secret),
    from,
  });
  /** Comes and goes at once. */
  const readsForAMoment = (of = secret): string => {
    const pod = sandbox.cluster.runWorkflow(of, 3_600_000);
    sandbox.cluster.kill(pod);
    return pod;
  };
  const isWatching = () =>
    until('the watch', () => sandbox.kubernetes.asked.has('pods watch') || undefined);
  const before = () => sandbox.kubernetes.asked.clear();

  test('is told of it, whatever owns it', async () => {
    const seen = run(() => kubernetes.awaitReader(order()));
    const pod = sandbox.cluster.runWorkflow(secret, 3_600_000);
    expect(await seen).toMatchObject({
      workload: expect.stringMatching(/^Workflow\/deploy-/),
      container: 'main',
      variable: 'RELEASE_API_TOKEN',
      pod,
    });
  });

  test('is told of one that lives for less than a look', async () => {
    before();
    const seen = run(() => kubernetes.awaitReader(order()));
    await isWatching();
    readsForAMoment('another-secret');
    const pod = readsForAMoment();
    expect(await seen).toMatchObject({ pod });
  });

  test('is told of one that came and went while the watch was cut or refused', async () => {
    before();
    const seen = run(() => kubernetes.awaitReader(order()));
    await isWatching();
    const { role } = sandbox.kubernetes;
    const verbs = role.pods!;
    role.pods = ['list'];
    before();
    sandbox.kubernetes.cutWatches();
    await isWatching();
    const pod = readsForAMoment();
    role.pods = verbs;
    expect(await seen).toMatchObject({ pod });
  });

  test('is told of one that came and went while no worker ran', async () => {
    const { version } = await cluster.podsNow();
    const pod = readsForAMoment();
    const environment = new MockActivityEnvironment({ heartbeatDetails: { version } });
    const longAgo = order('2020-01-01T00:00:00.000Z');
    expect(await environment.run(() => kubernetes.awaitReader(longAgo))).toMatchObject({ pod });
  });

  test('is told of one that reads a Secret of no pair, perhaps under an older name, and not of another pair’s', async () => {
    before();
    const seen = run(() => kubernetes.awaitReader(order()));
    await isWatching();
    readsForAMoment('signon-token-short-url-manager-publishing-api');
    const pod = readsForAMoment('signon-token-before-it-was-renamed');
    expect(await seen).toMatchObject({ pod, secret: 'signon-token-before-it-was-renamed' });
  });

  test('goes on where the one before ended: none that came meanwhile is missed', async () => {
    const { version } = await cluster.podsNow();
    const pod = readsForAMoment();
    const longAgo = { ...order('2020-01-01T00:00:00.000Z'), version };
    expect(await run(() => kubernetes.awaitReader(longAgo))).toMatchObject({ pod });
  });

  test('is told of one although the Jobs cannot be listed', async () => {
    const { role } = sandbox.kubernetes;
    const verbs = role.jobs!;
    role.jobs = [];
    const pod = sandbox.cluster.runWorkflow(secret, 3_600_000);
    expect(await run(() => kubernetes.awaitReader(order()))).toMatchObject({ pod });
    role.jobs = verbs;
  });

  test('is told of one that a watch says nothing of, since the cluster was restored', async () => {
    const pod = sandbox.cluster.runWorkflow(secret, 3_600_000);
    const heartbeatDetails = { version: '999999999' };
    const environment = new MockActivityEnvironment({ heartbeatDetails });
    expect(await environment.run(() => kubernetes.awaitReader(order()))).toMatchObject({ pod });
    sandbox.cluster.kill(pod);
    const again = new MockActivityEnvironment({ heartbeatDetails });
    expect(await again.run(() => kubernetes.awaitReader(order()))).toEqual({
      interrupted: expect.stringMatching(/^\d{4}-/),
    });
  });

  test('is told of one that mounts the Secret as files', async () => {
    const seen = run(() => kubernetes.awaitReader(order()));
    sandbox.cluster.deploy({
      kind: 'Pod',
      name: 'job-with-files',
      uid: makeUid(),
      replicas: 1,
      generation: 1,
      mounts: [secret],
      containers: [{ name: 'main', ruby: false, tokens: [] }],
    });
    expect(await seen).toMatchObject({
      workload: 'Pod/job-with-files',
      container: 'main',
      variable: 'files of a volume',
    });
  });

  test.each([
    ['it begins long after it was to begin', '2020-01-01T00:00:00.000Z', undefined],
    ['Kubernetes remembers the changes no more', undefined, { version: '0' }],
  ])('is told of a gap where %s', async (_why, from, heartbeatDetails) => {
    await cluster.pods();
    const environment = new MockActivityEnvironment({ heartbeatDetails });
    const asked = order(from);
    // by the worker's own clock, which the next look compares it with
    const since = { interrupted: expect.stringMatching(/^\d{4}-/) };
    expect(await environment.run(() => kubernetes.awaitReader(asked))).toEqual(since);
  });

  test('is told that every watch was cut for too long', async () => {
    const cutting = setInterval(() => sandbox.kubernetes.cutWatches(), 2);
    const waits = { everyMs: 10, draining: new AbortController().signal };
    await expect(run(() => awaitReader(cluster, order(), waits, 50))).rejects.toMatchObject({
      type: 'NotPermitted',
      nonRetryable: true,
    });
    clearInterval(cutting);
  });

  test('is told that the watch is refused for too long', async () => {
    sandbox.kubernetes.role.pods = ['list'];
    const waits = { everyMs: 10, draining: new AbortController().signal };
    await expect(run(() => awaitReader(cluster, order(), waits, 50))).rejects.toMatchObject({
      type: 'NotPermitted',
      message:
        'no watch of pods could be had for ten minutes: Kubernetes refused “watch pods” with 403',
    });
  });
});

describe('what keeps a container from holding the new token is said in Kubernetes’ words', () => {
  const workload = () =>
    sandbox.world.state.workloads.find(({ name }) => name === 'short-url-manager')!;
  const whys = async (): Promise<unknown[]> => {
    const { containers } = await run(() => kubernetes.lookAtConsumers(READERS));
    return [
      ...new Set(
        containers
          .filter((one) => one.workload === 'Deployment/short-url-manager')
          .map(({ why }) => why),
      ),
    ];
  };
  const stuck = (how: 'unschedulable' | 'withoutImage'): Promise<unknown> => {
    sandbox.world[how].add('short-url-manager');
    sandbox.cluster.roll('short-url-manager');
    return until('the pod', () => sandbox.world.state.pods.find((pod) => pod.stuck));
  };

  test('a Deployment that is paused', async () => {
    workload().paused = true;
    expect(await whys()).toEqual(['its Deployment is paused']);
  });

  test('a quota that forbids pods', async () => {
    workload().failsToCreate = 'pods "short-url-manager-1" is forbidden: exceeded quota: memory';
    expect(await whys()).toEqual([
      'its Deployment: FailedCreate: pods "short-url-manager-1" is forbidden: exceeded quota: memory',
    ]);
  });

  test('a pod that no node has room for', async () => {
    await stuck('unschedulable');
    expect(await whys()).toContain(
      'Unschedulable: 0/3 nodes are available: 3 Insufficient memory.',
    );
  });

  test('an image that cannot be pulled', async () => {
    await stuck('withoutImage');
    expect(await whys()).toContain(
      'ImagePullBackOff: Back-off pulling image "stand-in": not found',
    );
  });
});

test('a Deployment that is paused is not restarted, and that is said', async () => {
  sandbox.kubernetes.role.deployments!.push('patch');
  sandbox.world.state.workloads.find(({ name }) => name === 'short-url-manager')!.paused = true;
  const order = {
    deployments: ['Deployment/short-url-manager' as const],
    at: '2026-11-24T12:00:00.000Z',
  };
  await expect(run(() => kubernetes.restartDeployments(order))).rejects.toMatchObject({
    type: 'DeploymentPaused',
    nonRetryable: true,
    message: 'Deployment/short-url-manager is paused: a restart would replace none of its pods',
  });
});

describe('a container that dies with our program in it, while its pod stays', () => {
  /** The next exec is killed, and its container starts anew; its status says so at once or later. */
  const dies = (afterMs = 0): void => {
    sandbox.kubernetes.exec.byChance = () => {
      sandbox.kubernetes.exec.byChance = () => undefined;
      const pod = sandbox.world.state.pods.find(
        ({ workload }) => workload === 'short-url-manager',
      )!;
      const startAnew = (): void => {
        for (const container of pod.containers)
          Object.assign(container, { id: `${container.id}2`, startedAt: sandbox.world.now() });
      };
      if (afterMs === 0) startAnew();
      else setTimeout(startAnew, afterMs);
      return 'killed';
    };
  };

  test.each([
    ['at once', 0],
    ['a second later', 1000],
  ])(
    'ends the smoke calls where its status says so %s: no other pod is tried',
    async (_what, ms) => {
      await run(() => kubernetes.lookAtConsumers(READERS));
      dies(ms);
      await expect(run(() => kubernetes.smokeConsumers(calls()))).rejects.toMatchObject({
        type: 'ContainerEnded',
        nonRetryable: true,
        message: expect.stringMatching(
          /^app in short-url-manager-\S+ was killed \(137\) during its smoke call/,
        ),
      });
    },
  );

  test('ends the watch for a consumer’s next run as well', async () => {
    const { consumers } = await run(() => kubernetes.lookAtConsumers(READERS));
    dies();
    const { tokens: _, ...order } = calls();
    await expect(
      run(() => kubernetes.awaitSighting({ ...order, consumers })),
    ).rejects.toMatchObject({ type: 'ContainerEnded', nonRetryable: true });
  });

  test('ends the census as well, and is told apart from a smoke call', async () => {
    dies();
    await expect(run(() => kubernetes.lookAtConsumers(READERS))).rejects.toMatchObject({
      type: 'ContainerEnded',
      message: expect.stringMatching(
        / was killed \(137\) while a small shell program asked what it holds$/,
      ),
    });
  });
});

test('a smoke call is made in the pod whose memory limit leaves most room', async () => {
  const [first, second] = sandbox.world.state.pods.filter(
    ({ workload }) => workload === 'short-url-manager',
  );
  const { containers } = sandbox.world.state.workloads.find(
    ({ name }) => name === 'short-url-manager',
  )!;
  const specs = (memory: string) => containers.map((one) => ({ ...one, memory }));
  for (const [small, large] of [
    [first!, second!],
    [second!, first!],
  ] as const) {
    Object.assign(small, { specs: specs('512Mi') });
    Object.assign(large, { specs: specs('1Gi') });
    const [result] = await run(() => kubernetes.smokeConsumers(calls()));
    expect(result).toMatchObject({ pod: large.name, verdict: 'passed' });
  }
});
