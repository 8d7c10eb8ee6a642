import { afterEach, beforeEach, describe, expect, test } from '../support/jest.ts';
import { KubeConfig } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { readingVariables, sourcesOf } from '../../activities/kubernetes/consumers.ts';
import { createKubernetesActivities } from '../../activities/kubernetes/create-activities.ts';
import type { KubernetesActivities } from '../../activities/kubernetes/interface.ts';
import { fingerprintOf, Secret } from '../../config/secret.ts';
import type { ClusterLook, Readers } from '../../domain/cluster/cluster.ts';
import {
  allHold,
  disagreements,
  judgeRollout,
  unseenConsumers,
} from '../../domain/cluster/possession.ts';
import type { Fingerprint } from '../../domain/tokens/tokens.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import { makeToken, makeUid } from '../../sandbox/world.ts';
import type { ContainerSpec, WorkloadState } from '../../sandbox/world-state.ts';
import { until } from '../support/until.ts';

const SECRET = 'signon-token-short-url-manager-publishing-api';
const VARIABLE = 'PUBLISHING_API_BEARER_TOKEN';
const NAME = 'short-url-manager';
const READS: ContainerSpec = {
  name: 'app',
  tokens: [{ variable: VARIABLE, secret: SECRET }],
  ruby: true,
};
let sandbox: Sandbox;
let kubernetes: KubernetesActivities;

/** Pods being deleted stay until the test's end. */
beforeEach(async () => {
  sandbox = await Sandbox.start(seedWorld({ only: [NAME] }), {
    ...IMMEDIATE,
    terminationMs: 3_600_000,
  });
  const config = new KubeConfig();
  config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
  const waits = { everyMs: 50, draining: new AbortController().signal };
  kubernetes = createKubernetesActivities(new KubernetesClient(config, 'apps', 5000), waits);
});
afterEach(() => sandbox.stop());

const look = (given: Partial<Readers> = {}): Promise<ClusterLook> =>
  new MockActivityEnvironment().run(() =>
    kubernetes.lookAtConsumers({
      secret: SECRET,
      holding: [inSecret()],
      also: [],
      ofOtherPairs: [],
      ...given,
    }),
  );
const inSecret = (): Fingerprint => fingerprintOf(new Secret(sandbox.world.state.secrets[SECRET]!));
const deploy = (
  kind: WorkloadState['kind'],
  container: Partial<ContainerSpec> = {},
  more: Partial<WorkloadState> = {},
): void =>
  sandbox.cluster.deploy({
    kind,
    name: 'legacy',
    uid: makeUid(),
    replicas: 1,
    generation: 1,
    containers: [{ ...READS, ...container }],
    ...more,
  });
const ofLegacy = ({ consumers }: ClusterLook): string[] =>
  consumers
    .filter(({ workload }) => workload.endsWith('/legacy'))
    .map(({ workload, container, variable }) => `${container} of ${workload} by ${variable}`);
const podsOf = (seen: ClusterLook, workload: string): ClusterLook['containers'] =>
  seen.containers.filter((container) => container.workload === workload);

describe('a consumer is found', () => {
  test.each(['Deployment', 'StatefulSet', 'CronJob', 'Pod'] as const)('in a %s', async (kind) => {
    deploy(kind, {}, kind === 'CronJob' ? { replicas: 0 } : {});
    expect(ofLegacy(await look())).toEqual([`app of ${kind}/legacy by ${VARIABLE}`]);
  });

  test.each([
    [
      'an init container',
      { name: 'migrate', init: 'ends' },
      `migrate of Deployment/legacy by ${VARIABLE}`,
    ],
    ['a sidecar', { name: 'proxy', init: 'stays' }, `proxy of Deployment/legacy by ${VARIABLE}`],
    [
      'a container that reads the whole Secret',
      { tokens: [], whole: { secret: SECRET } },
      'app of Deployment/legacy by bearer_token',
    ],
    [
      'a container that reads the whole Secret under a prefix',
      { tokens: [], whole: { secret: SECRET, prefix: 'API_' } },
      'app of Deployment/legacy by API_bearer_token',
    ],
    [
      'a container with another variable’s name',
      { tokens: [{ variable: 'RUMMAGER_BEARER_TOKEN', secret: SECRET }] },
      'app of Deployment/legacy by RUMMAGER_BEARER_TOKEN',
    ],
  ] as const)('where it is %s', async (_what, container, found) => {
    deploy('Deployment', container as Partial<ContainerSpec>);
    expect(ofLegacy(await look())).toEqual([found]);
  });

  test('in a Deployment scaled to 0, of which no pod can be seen', async () => {
    deploy('Deployment', {}, { replicas: 0 });
    const seen = await look();
    expect(unseenConsumers(seen)).toContainEqual({
      workload: 'Deployment/legacy',
      container: 'app',
      variable: VARIABLE,
    });
    expect(allHold(seen, inSecret())).toBe(true); // nothing that runs holds another token
  });

  test('where it mounts the Secret as files, as a reader that cannot be proven', async () => {
    deploy('Deployment', { tokens: [] }, { mounts: [SECRET] });
    expect((await look()).mountedBy).toEqual(['Deployment/legacy']);
  });
});

describe('evidence of a pod that', () => {
  test('waits for a node: it has not started, so it is waited for', async () => {
    sandbox.world.unschedulable.add(NAME);
    sandbox.cluster.roll(NAME);
    await until('the pod', () =>
      sandbox.world.state.pods.find(({ stuck }) => stuck === 'unschedulable'),
    );
    const seen = await look();
    expect(judgeRollout(seen, inSecret(), undefined)).toMatchObject({
      kind: 'incomplete',
      containers: [{ state: 'starting' }],
    });
  });

  test('crashes again and again: it proves nothing and may start at any moment, so it is waited for', async () => {
    sandbox.world.crashing.add(NAME);
    sandbox.cluster.roll(NAME);
    await until('the pod', () =>
      sandbox.world.state.pods.find(({ stuck }) => stuck === 'crashing'),
    );
    const seen = await look();
    expect(judgeRollout(seen, inSecret(), undefined)).toMatchObject({
      kind: 'incomplete',
      containers: [{ state: 'starting' }],
    });
  });

  test('is being deleted: it holds what it holds until it is gone', async () => {
    const old = inSecret();
    sandbox.world.state.secrets[SECRET] = makeToken();
    sandbox.cluster.roll(NAME);
    await until('its end', () =>
      sandbox.world.state.pods.find(({ goneAt, workload }) => goneAt && workload === NAME),
    );
    const seen = await look({ holding: [old, inSecret()] });
    const terminating = podsOf(seen, `Deployment/${NAME}`).filter((one) => one.terminating);
    expect(terminating.length).toBeGreaterThan(0);
    for (const one of terminating)
      expect(one).toMatchObject({ state: 'running', token: old.masked });
    expect(judgeRollout(seen, inSecret(), undefined).kind).toBe('incomplete');
  });

  test('ran an init container: that one has ended, and holds nothing', async () => {
    deploy('Deployment', { name: 'migrate', init: 'ends' });
    expect(podsOf(await look(), 'Deployment/legacy')).toEqual([]);
  });

  test('belongs to a StatefulSet: the old pod goes before the new one comes, and is counted until then', async () => {
    deploy('StatefulSet');
    sandbox.cluster.roll('legacy');
    await until('its end', () =>
      sandbox.world.state.pods.find(({ goneAt, workload }) => workload === 'legacy' && goneAt),
    );
    expect(podsOf(await look(), 'StatefulSet/legacy')).toMatchObject([
      { pod: 'legacy-0', terminating: true, state: 'running' },
    ]);
  });
});

describe('a run of a CronJob', () => {
  test('counts as the CronJob’s while it runs, and shows what it holds', async () => {
    const task = `${NAME}-task-1`;
    expect(unseenConsumers(await look())).toMatchObject([{ workload: `CronJob/${task}` }]);
    const pod = sandbox.cluster.runTask(task, 3_600_000);
    const seen = await look();
    expect(podsOf(seen, `CronJob/${task}`)).toMatchObject([
      { pod, state: 'running', token: inSecret().masked },
    ]);
    expect(unseenConsumers(seen)).toEqual([]);
  });

  test('that is over holds nothing, though its pod stays listed', async () => {
    const task = `${NAME}-task-1`;
    const pod = sandbox.cluster.runTask(task, 0);
    await until('its end', () =>
      sandbox.world.state.pods.find(({ name, ended }) => name === pod && ended),
    );
    expect(podsOf(await look(), `CronJob/${task}`)).toEqual([]);
  });
});

/** Ends a run, and its Job. */
async function over(pod: string): Promise<void> {
  const { world } = sandbox;
  world.state.pods.find(({ name }) => name === pod)!.endsAt = world.now();
  world.changed();
  await until('its end', () => world.state.pods.find(({ name }) => name === pod)?.ended);
}

/** Another Secret with the same value, as somebody copied it by hand. */
const COPY = 'copied-by-hand';
const OLD_NAME = 'signon-token-url-shortener-publishing-api';
const held = (): string => sandbox.world.state.secrets[SECRET]!;
const copied = (
  container: Partial<ContainerSpec> = {},
  more: Partial<WorkloadState> = {},
): void => {
  sandbox.world.state.secrets[COPY] = held();
  deploy('Deployment', { tokens: [{ variable: 'UPSTREAM', secret: COPY }], ...container }, more);
};

describe('what runs once', () => {
  test.each([
    ['dbmigrate', `Job/${NAME}-dbmigrate`],
    ['JobRequest', `JobRequest/${NAME}-task-`],
  ] as const)(
    'a one-off Job (%s) is a consumer of its own, for as long as it runs',
    async (how, workload) => {
      const pod = sandbox.cluster.runJob(NAME, how, 3_600_000);
      const seen = await look();
      const [row] = seen.containers.filter((one) => one.pod === pod);
      expect(row).toMatchObject({
        workload: expect.stringMatching(/^Job\//),
        container: 'app',
        token: inSecret().masked,
      });
      expect(row!.workload).toContain(workload.split('/')[1]);
      const running = sandbox.world.state.pods.find((one) => one.name === pod)!;
      running.endsAt = sandbox.world.now();
      await until('its end', () => running.ended);
      expect((await look()).consumers.map((one) => one.workload)).not.toContain(row!.workload);
    },
  );

  test('a pod of an Argo Workflow is a consumer under its own name, and proves nothing of the environment', async () => {
    const pod = sandbox.cluster.runWorkflow(SECRET, 3_600_000);
    const seen = await look();
    expect(seen.containers.find((one) => one.pod === pod)).toMatchObject({
      workload: expect.stringMatching(/^Workflow\/deploy-/),
      variable: 'RELEASE_API_TOKEN',
      token: inSecret().masked,
      environment: '',
    });
    expect(disagreements(seen, 'integration').environment).toEqual([]);
  });
});

describe('a container that holds the token is found by its value', () => {
  const found = async (): Promise<
    [variable: string, from: string | undefined, token: string | undefined][]
  > =>
    podsOf(await look(), 'Deployment/legacy').map(({ variable, from, token }) => [
      variable,
      from,
      token,
    ]);
  const isHeld = (variable: string, from: string | undefined): unknown => [
    [variable, from, inSecret().masked],
  ];

  test('in a Secret under an older name of the API user, which no sync writes any more', async () => {
    sandbox.world.state.secrets[OLD_NAME] = held();
    deploy('Deployment', { tokens: [{ variable: VARIABLE, secret: OLD_NAME }] });
    expect(await found()).toEqual(isHeld(VARIABLE, `Secret ${OLD_NAME}, key bearer_token`));
  });

  test('in a copy under any name, by a variable of any name', async () => {
    copied();
    expect(await found()).toEqual(isHeld('UPSTREAM', `Secret ${COPY}, key bearer_token`));
  });

  test('as a literal value of the pod template', async () => {
    deploy('Deployment', { tokens: [], literals: { API_KEY: held() } });
    expect(await found()).toEqual(isHeld('API_KEY', 'a literal value'));
  });

  test('where it takes all of a Secret as variables', async () => {
    copied({ tokens: [], whole: { secret: COPY, prefix: 'MY_' } });
    expect(await found()).toEqual(isHeld('MY_bearer_token', `all of Secret ${COPY}`));
  });

  test('where it takes all of a ConfigMap as variables', async () => {
    copied({ tokens: [], whole: { secret: COPY, configMap: true } });
    expect(await found()).toEqual(isHeld('bearer_token', `all of ConfigMap ${COPY}`));
  });

  test.each([
    ['a line break after it', (token: string) => `${token}\n`],
    ['“Bearer” before it', (token: string) => `Bearer ${token}`],
    ['quotes around it', (token: string) => `"${token}"`],
    ['blanks around it', (token: string) => `  ${token}\t`],
    ['other text around it', (token: string) => `{"token":"${token}","for":"publishing-api"}`],
    ['letters right before and after it', (token: string) => `key_${token}00`],
    ['another line before it', (token: string) => `# made by hand\n${token}`],
  ])('with %s', async (_how, wrapped) => {
    copied();
    sandbox.world.state.secrets[COPY] = wrapped(held());
    sandbox.cluster.deploy({
      kind: 'StatefulSet',
      name: 'wrapped',
      uid: makeUid(),
      replicas: 1,
      generation: 1,
      containers: [{ ...READS, tokens: [{ variable: 'UPSTREAM', secret: COPY }] }],
    });
    expect(podsOf(await look(), 'StatefulSet/wrapped')).toMatchObject([
      { token: inSecret().masked },
    ]);
  });

  test('also where the very Secret of the pair has a line break after it', async () => {
    const { secrets } = sandbox.world.state;
    const token = inSecret();
    secrets[SECRET] = `${held()}\n`;
    deploy('Deployment');
    const seen = await look({ holding: [token] });
    expect(podsOf(seen, 'Deployment/legacy')).toMatchObject([{ token: token.masked }]);
  });

  test('in a pod of an older template, though the workload reads the Secret now', async () => {
    deploy('Deployment', { tokens: [], literals: { [VARIABLE]: held() } });
    sandbox.cluster.retemplate('legacy', [READS]);
    const old = inSecret();
    sandbox.world.state.secrets[SECRET] = makeToken();
    const seen = await look({ holding: [old, inSecret()] });
    expect(podsOf(seen, 'Deployment/legacy')).toMatchObject([
      { variable: VARIABLE, token: old.masked },
    ]);
    expect(judgeRollout(seen, inSecret(), undefined)).toMatchObject({ kind: 'incomplete' });
  });

  test('in each variable that has it, and each token that one variable has', async () => {
    const other = makeToken();
    deploy('Deployment', { literals: { BOTH: `${held()} ${other}`, [VARIABLE]: other } });
    const holding = [inSecret(), fingerprintOf(new Secret(other))];
    const rows = podsOf(await look({ holding }), 'Deployment/legacy');
    expect(rows.map(({ variable, token }) => [variable, token])).toEqual([
      [VARIABLE, holding[1]!.masked],
      ['BOTH', holding[0]!.masked],
      ['BOTH', holding[1]!.masked],
    ]);
  });

  test('in an ephemeral container that somebody added to the pod', async () => {
    copied({ name: 'debugger', init: 'ephemeral' });
    expect(await found()).toEqual(isHeld('UPSTREAM', `Secret ${COPY}, key bearer_token`));
  });

  test('in a pod that has failed, while the container still runs', async () => {
    copied();
    sandbox.world.state.pods.find(({ workload }) => workload === 'legacy')!.failed = true;
    expect(await found()).toEqual(isHeld('UPSTREAM', `Secret ${COPY}, key bearer_token`));
  });

  test('and holds none of the pair’s where it holds another pair’s', async () => {
    deploy('Deployment', {
      tokens: [{ variable: VARIABLE, secret: 'signon-token-legacy-support-api' }],
    });
    expect(await found()).toEqual([]);
  });
});

describe('a container between two starts', () => {
  const between = async (container: Partial<ContainerSpec>): Promise<ClusterLook> => {
    copied(container);
    const pod = sandbox.world.state.pods.find(({ workload }) => workload === 'legacy')!;
    pod.containers[0]!.exited = { code: 0 };
    return look();
  };

  test('is starting where its own restart policy is Always, whatever its pod’s is', async () => {
    const { census } = await between({ restartPolicy: 'Always' });
    expect(census.starting).toEqual([expect.stringMatching(/^app in legacy-/)]);
  });

  test('has ended where its own restart policy is Never, though its pod runs on', async () => {
    const { census, containers } = await between({ restartPolicy: 'Never' });
    expect(census.starting).toEqual([]);
    expect(containers.filter(({ workload }) => workload === 'Deployment/legacy')).toEqual([]);
  });

  test('has ended where its rules name another exit code than its own, and is starting where they name it', async () => {
    expect((await between({ restartPolicy: 'Never', restartOn: [42] })).census.starting).toEqual(
      [],
    );
    sandbox.world.state.pods.find(({ workload }) => workload === 'legacy')!.containers[0]!.exited =
      { code: 42 };
    expect((await look()).census.starting).toEqual([expect.stringMatching(/^app in legacy-/)]);
  });
});

describe('what was not asked is listed, with the reason', () => {
  test('a container without a program to be asked with', async () => {
    copied({ bare: true });
    expect((await look()).census.unasked).toEqual([
      expect.stringMatching(/^app in legacy-\S+ has neither a shell with sha256sum nor Ruby$/),
    ]);
  });

  test('a reader of the Secret without such a program is a consumer still, of which nothing is seen', async () => {
    deploy('Deployment', { bare: true });
    const seen = await look();
    expect(seen.census.unasked).toEqual([
      expect.stringMatching(/^app in legacy-\S+, which is to have the token, has/),
    ]);
    expect(unseenConsumers(seen)).toContainEqual({
      workload: 'Deployment/legacy',
      container: 'app',
      variable: VARIABLE,
    });
    expect(seen.mute).toMatchObject([
      { workload: 'Deployment/legacy', state: 'running', startedAt: expect.any(String) },
    ]);
  });

  test('a container that has not started', async () => {
    sandbox.world.unschedulable.add('legacy');
    sandbox.world.state.workloads.push({
      kind: 'Deployment',
      name: 'legacy',
      uid: makeUid(),
      replicas: 1,
      generation: 1,
      containers: [{ ...READS, tokens: [{ variable: 'UPSTREAM', secret: COPY }] }],
    });
    await until('the pod', () =>
      sandbox.world.state.pods.find(({ stuck }) => stuck === 'unschedulable'),
    );
    expect((await look()).census.starting).toEqual([expect.stringMatching(/^app in legacy-\S+$/)]);
  });

  test('a container whose exec gives no whole answer, however often it is asked', async () => {
    copied();
    await look();
    copied({}, { name: 'broken', kind: 'Pod' });
    sandbox.kubernetes.exec.byChance = () => 'false-success';
    expect((await look()).census.unasked).toEqual(['app in broken gave no answer']);
  });

  test('a CronJob between two runs that has a Secret which nothing that runs has', async () => {
    deploy(
      'CronJob',
      { name: 'task', tokens: [{ variable: 'UPSTREAM', secret: COPY }] },
      { replicas: 0 },
    );
    expect((await look()).census.unasked).toEqual([
      `task of CronJob/legacy does not run with UPSTREAM from Secret ${COPY}, key bearer_token`,
    ]);
  });

  test('nothing, where a container cannot hold a token by its spec', async () => {
    deploy('Deployment', { tokens: [], bare: true, literals: { LOG_LEVEL: 'debug' } });
    const before = sandbox.world.happened.execs;
    const { census } = await look();
    expect(census.unasked).toEqual([]);
    expect(sandbox.world.happened.execs - before).toBe(census.asked);
  });
});

describe('a workload of which nothing runs', () => {
  const idle = (container: Partial<ContainerSpec>): void =>
    deploy('CronJob', { name: 'task', ...container }, { name: 'nightly', replicas: 0 });
  const consumers = ({ consumers: all }: ClusterLook): string[] =>
    all.filter(({ workload }) => workload === 'CronJob/nightly').map(({ variable }) => variable);

  test('is a consumer where it has the copy that a running container holds the token by', async () => {
    copied();
    idle({ tokens: [{ variable: 'UPSTREAM', secret: COPY }] });
    const seen = await look();
    expect(consumers(seen)).toEqual(['UPSTREAM']);
    expect(seen.idleHolders).toMatchObject([
      { variable: 'UPSTREAM', token: inSecret().masked, from: expect.stringContaining(COPY) },
    ]);
    expect(seen.census.unasked).toEqual([]);
  });

  test('is none where a running container with the same source holds no token of the pair', async () => {
    copied();
    idle({ tokens: [{ variable: 'UPSTREAM', secret: COPY }] });
    const seen = await look({ holding: [fingerprintOf(new Secret(makeToken()))] });
    expect(consumers(seen)).toEqual([]);
    expect(seen.census.unasked).toEqual([]);
  });

  test('is a consumer where it has a Secret of the sync that belongs to no pair of today', async () => {
    idle({ tokens: [{ variable: VARIABLE, secret: OLD_NAME }] });
    const seen = await look();
    expect(consumers(seen)).toEqual([VARIABLE]);
    expect(seen.census.otherSecrets).toEqual([OLD_NAME]);
    const known = await look({ ofOtherPairs: [OLD_NAME] });
    expect([consumers(known), known.census.otherSecrets, known.census.unasked]).toEqual([
      [],
      [],
      [],
    ]);
  });

  test('is a consumer where its template spells the token out, and none where it spells out another', async () => {
    idle({ tokens: [], literals: { API_KEY: `Bearer ${held()}`, OTHER: makeToken() } });
    const seen = await look();
    expect(consumers(seen)).toEqual(['API_KEY']);
    expect(seen.idleHolders).toMatchObject([
      { variable: 'API_KEY', token: inSecret().masked, from: 'a literal value' },
    ]);
    expect(seen.census.unasked).toEqual([]);
  });

  test('is said to hold only what its other sources have, whatever its last run had from the pair’s Secret', async () => {
    idle({ whole: { secret: COPY, configMap: true } });
    const pod = sandbox.cluster.runTask('nightly', 3_600_000);
    expect(podsOf(await look(), 'CronJob/nightly')).toMatchObject([{ pod, state: 'running' }]);
    await over(pod);
    const seen = await look();
    expect(consumers(seen)).toEqual([VARIABLE]);
    expect(seen.idleHolders).toEqual([]);
  });

  test('is told by its last run', async () => {
    sandbox.world.state.secrets[COPY] = held();
    idle({ tokens: [{ variable: 'UPSTREAM', secret: COPY }] });
    const pod = sandbox.cluster.runTask('nightly', 3_600_000);
    expect(podsOf(await look(), 'CronJob/nightly')).toMatchObject([{ pod, state: 'running' }]);
    await over(pod);
    const seen = await look();
    expect(consumers(seen)).toEqual(['UPSTREAM']);
    expect(seen.idleHolders).toMatchObject([{ token: inSecret().masked }]);
    expect(seen.census.unasked).toEqual([]);
    expect(
      (await look({ holding: [fingerprintOf(new Secret(makeToken()))] })).census.unasked,
    ).toEqual([]);
  });
});

test('a Job between two tries is a consumer that is about to start, whoever owns it', async () => {
  const pod = sandbox.cluster.runJob(NAME, 'JobRequest', 3_600_000);
  const [row] = (await look()).containers.filter((one) => one.pod === pod);
  sandbox.cluster.kill(pod);
  const between = await look();
  const [next] = between.containers.filter(({ workload }) => workload === row!.workload);
  expect(next).toMatchObject({ variable: VARIABLE, state: 'starting' });
  expect(next!.pod).toMatch(/^the next pod of Job /);
});

test('of two whole Secrets of pairs, a container has the token of the last alone', () => {
  const all = [SECRET, 'signon-token-short-url-manager-asset-manager'];
  const reads = (names: string[], more: object = {}): string[] =>
    readingVariables(
      sourcesOf({ name: 'app', envFrom: names.map((name) => ({ secretRef: { name } })), ...more }),
      SECRET,
    );
  expect(reads(all)).toEqual([]);
  expect(reads(all.toReversed())).toEqual(['bearer_token']);
  expect(reads([SECRET], { env: [{ name: 'bearer_token', value: 'x' }] })).toEqual([]);
});

describe('the census', () => {
  test('asks each container once in its life, whoever looks and however often', async () => {
    const { happened } = sandbox.world;
    await Promise.all(Array.from({ length: 5 }, () => look()));
    const { census } = await look();
    expect(happened.execs).toBe(census.asked);
    const [pod] = sandbox.world.state.pods;
    sandbox.cluster.kill(pod!.name);
    await until('another pod to be asked', async () => {
      await look();
      return happened.execs > census.asked || undefined;
    });
    await look();
    expect(happened.execs).toBe(census.asked + 1);
  });

  test('asks at most four containers of a node at the same time', async () => {
    for (let at = 0; at < 20; at++) copied({}, { name: `legacy-${at}` });
    const { census } = await look();
    expect(census.asked).toBeGreaterThan(20);
    expect(sandbox.kubernetes.exec.open.most).toBeLessThanOrEqual(4);
  });

  test('tells nothing of what else containers hold', async () => {
    deploy('Deployment', { tokens: [], literals: { DATABASE_PASSWORD: makeToken() } });
    const seen = await look();
    expect(podsOf(seen, 'Deployment/legacy')).toEqual([]);
    expect(JSON.stringify(seen)).not.toMatch(/[0-9a-f]{64}|DATABASE_PASSWORD/);
  });
});
