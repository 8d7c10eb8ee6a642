import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { createKubernetesActivities } from '../../activities/kubernetes/create-activities.ts';
import type { KubernetesActivities } from '../../activities/kubernetes/interface.ts';
import { fingerprintOf, Secret } from '../../activities/secret.ts';
import type { ClusterLook, Readers } from '../../domain/cluster.ts';
import { allHold, judgeRollout, unseenConsumers } from '../../domain/possession.ts';
import type { Fingerprint } from '../../domain/tokens.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import { makeToken, makeUid } from '../../sandbox/world.ts';
import type { ContainerSpec, WorkloadState } from '../../sandbox/world-state.ts';
import { until } from '../support/until.ts';

const SECRET = 'signon-token-short-url-manager-publishing-api';
const VARIABLE = 'PUBLISHING_API_BEARER_TOKEN';
const NAME = 'short-url-manager';
const READS: ContainerSpec = { name: 'app', tokens: [{ variable: VARIABLE, secret: SECRET }], ruby: true };
let sandbox: Sandbox;
let kubernetes: KubernetesActivities;

/** Pods being deleted stay until the test's end. */
beforeEach(async () => {
  sandbox = await Sandbox.start(seedWorld({ only: [NAME] }), { ...IMMEDIATE, terminationMs: 3_600_000 });
  const config = new KubeConfig();
  config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
  const waits = { everyMs: 50, draining: new AbortController().signal };
  kubernetes = createKubernetesActivities(new KubernetesClient(config, 'apps', 5000), waits);
});
afterEach(() => sandbox.stop());

const look = (given: Partial<Readers> = {}): Promise<ClusterLook> =>
  new MockActivityEnvironment().run(() => kubernetes.lookAtConsumers({ secret: SECRET, also: [], ...given }));
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
    ['an init container', { name: 'migrate', init: 'ends' }, `migrate of Deployment/legacy by ${VARIABLE}`],
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
    await until('the pod', () => sandbox.world.state.pods.find(({ stuck }) => stuck === 'unschedulable'));
    const seen = await look();
    expect(judgeRollout(seen, inSecret(), undefined)).toMatchObject({ kind: 'waiting', for: [{ state: 'starting' }] });
  });

  test('crashes again and again: it proves nothing and may start at any moment, so it is waited for', async () => {
    sandbox.world.crashing.add(NAME);
    sandbox.cluster.roll(NAME);
    await until('the pod', () => sandbox.world.state.pods.find(({ stuck }) => stuck === 'crashing'));
    const seen = await look();
    expect(judgeRollout(seen, inSecret(), undefined)).toMatchObject({ kind: 'waiting', for: [{ state: 'starting' }] });
  });

  test('is being deleted: it holds what it holds until it is gone', async () => {
    const old = inSecret();
    sandbox.world.state.secrets[SECRET] = makeToken();
    sandbox.cluster.roll(NAME);
    await until('its end', () => sandbox.world.state.pods.find(({ goneAt, workload }) => goneAt && workload === NAME));
    const terminating = podsOf(await look(), `Deployment/${NAME}`).filter((one) => one.terminating);
    expect(terminating.length).toBeGreaterThan(0);
    for (const one of terminating) expect(one).toMatchObject({ state: 'running', digests: { sha256: old.sha256 } });
    expect(judgeRollout(await look(), inSecret(), undefined).kind).toBe('waiting');
  });

  test('ran an init container: that one has ended, and holds nothing', async () => {
    deploy('Deployment', { name: 'migrate', init: 'ends' });
    expect(podsOf(await look(), 'Deployment/legacy')).toMatchObject([{ container: 'migrate', state: 'ended' }]);
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
      { pod, state: 'running', digests: { sha256: inSecret().sha256 } },
    ]);
    expect(unseenConsumers(seen)).toEqual([]);
  });

  test('that is over holds nothing, though its pod stays listed', async () => {
    const task = `${NAME}-task-1`;
    const pod = sandbox.cluster.runTask(task, 0);
    await until('its end', () => sandbox.world.state.pods.find(({ name, ended }) => name === pod && ended));
    expect(podsOf(await look(), `CronJob/${task}`)).toMatchObject([{ pod, state: 'ended' }]);
  });
});

describe('a search', () => {
  const OTHER = 'signon-token-legacy-support-api';
  const copied = (container: Partial<ContainerSpec> = {}): void => {
    sandbox.world.state.secrets[OTHER] = sandbox.world.state.secrets[SECRET]!;
    deploy('Deployment', { tokens: [{ variable: 'SUPPORT_API_BEARER_TOKEN', secret: OTHER }], ...container });
  };

  test('asks every running container that has a token of some pair, and finds the one that holds this pair’s', async () => {
    copied();
    const seen = await look({ holding: [inSecret()] });
    expect(ofLegacy(seen)).toEqual(['app of Deployment/legacy by SUPPORT_API_BEARER_TOKEN']);
    expect(podsOf(seen, 'Deployment/legacy')).toMatchObject([{ digests: { sha256: inSecret().sha256 } }]);
    expect(seen.searched).toEqual({
      asked: 1,
      environments: [{ value: 'integration', seenIn: expect.stringMatching(/^app in legacy-/) }],
      starting: [],
      unasked: [],
    });
    expect(ofLegacy(await look())).toEqual([]); // without a search, only who reads the Secret is a consumer
  });

  test('finds a variable by its name alone, whatever Secret it is read from', async () => {
    sandbox.world.state.secrets['by-hand'] = sandbox.world.state.secrets[SECRET]!;
    deploy('Deployment', { tokens: [{ variable: 'COPIED_BEARER_TOKEN', secret: 'by-hand' }] });
    expect(ofLegacy(await look({ holding: [inSecret()] }))).toEqual([
      'app of Deployment/legacy by COPIED_BEARER_TOKEN',
    ]);
  });

  test('is no hit where a container holds another pair’s token', async () => {
    copied();
    const seen = await look({ holding: [fingerprintOf(new Secret(makeToken()))] });
    expect(ofLegacy(seen)).toEqual([]);
    expect(seen.searched?.asked).toBe(1);
  });

  test('names a container that has no program to be asked with, and one that has not started', async () => {
    copied({ bare: true });
    sandbox.world.unschedulable.add('late');
    sandbox.world.state.workloads.push({
      kind: 'Deployment',
      name: 'late',
      uid: makeUid(),
      replicas: 1,
      generation: 1,
      containers: [{ ...READS, tokens: [{ variable: 'SUPPORT_API_BEARER_TOKEN', secret: OTHER }] }],
    });
    await until('the pod', () => sandbox.world.state.pods.find(({ stuck }) => stuck === 'unschedulable'));
    const { searched } = await look({ holding: [inSecret()] });
    expect(searched?.unasked).toEqual([expect.stringMatching(/^app in legacy-\S+ could not be asked$/)]);
    expect(searched?.starting).toEqual([expect.stringMatching(/^app in late-\S+$/)]);
  });

  test('names what does not run and has such a token from elsewhere than a pair’s Secret; another pair’s reader is none', async () => {
    deploy(
      'CronJob',
      { name: 'task', tokens: [{ variable: 'COPIED_BEARER_TOKEN', secret: 'by-hand' }] },
      { replicas: 0 },
    );
    deploy(
      'Deployment',
      { name: 'idle', tokens: [{ variable: 'SUPPORT_API_BEARER_TOKEN', secret: OTHER }] },
      { replicas: 0 },
    );
    const { searched } = await look({ holding: [inSecret()] });
    expect(searched?.unasked).toEqual(['task of CronJob/legacy (COPIED_BEARER_TOKEN) does not run']);
  });

  test('takes the word of a person for a variable whose name tells nothing', async () => {
    sandbox.world.state.secrets['by-hand'] = sandbox.world.state.secrets[SECRET]!;
    deploy('Deployment', { tokens: [{ variable: 'UPSTREAM', secret: 'by-hand' }] });
    expect(ofLegacy(await look({ holding: [inSecret()] }))).toEqual([]);
    const told = { workload: 'Deployment/legacy', container: 'app', variable: 'UPSTREAM' } as const;
    const seen = await look({ also: [told] });
    expect(podsOf(seen, 'Deployment/legacy')).toMatchObject([{ digests: { sha256: inSecret().sha256 } }]);
  });

  test('tells of a variable that somebody named only whether it holds one of the tokens: it may be any secret', async () => {
    sandbox.world.state.secrets['by-hand'] = 'a short password';
    deploy('Deployment', { tokens: [{ variable: 'DATABASE_PASSWORD', secret: 'by-hand' }] });
    const told = { workload: 'Deployment/legacy', container: 'app', variable: 'DATABASE_PASSWORD' } as const;
    const [container] = podsOf(await look({ also: [told], holding: [inSecret()] }), 'Deployment/legacy');
    expect(container).toMatchObject({ state: 'running', environment: 'integration' });
    expect(container?.digests).toBeUndefined();
  });

  test('names containers that take all of a Secret as variables, for nobody knows what to ask them for', async () => {
    deploy('Deployment', { tokens: [], whole: { secret: 'by-hand', prefix: '' } });
    const { searched } = await look({ holding: [inSecret()] });
    expect(searched?.unasked).toEqual(['app of Deployment/legacy has all of the Secret by-hand as variables']);
  });

  test('for copies alone asks who has a token from no pair’s Secret, and says nothing where there is none', async () => {
    copied();
    expect((await look({ holding: [inSecret()], asking: 'copies' })).searched).toBeUndefined();
    sandbox.world.state.secrets['by-hand'] = sandbox.world.state.secrets[SECRET]!;
    deploy('StatefulSet', { tokens: [{ variable: 'COPIED_BEARER_TOKEN', secret: 'by-hand' }] }, { name: 'copy' });
    const seen = await look({ holding: [inSecret()], asking: 'copies' });
    expect(seen.searched).toMatchObject({ asked: 1, copies: true, unasked: [] });
    expect(seen.consumers).toContainEqual({
      workload: 'StatefulSet/copy',
      container: 'app',
      variable: 'COPIED_BEARER_TOKEN',
    });
    expect(ofLegacy(seen)).toEqual([]);
  });
});
