import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import type { Outcome } from '../../domain/rotation/plan.ts';
import { rotationId, taskQueueOf } from '../../domain/request/request.ts';
import { makeUid } from '../../sandbox/world.ts';
import { REQUEST } from '../support/request.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

/**
 * Every outcome but `rotated` and `handed-over`, which have files of their own, once on the real
 * server.
 */
let stage: Stage;
const RENEWAL = { every: '3 seconds', at: '0 ms', takes: '1500 ms' };
const BY = 'grace@example.org';

beforeAll(async () => {
  stage = await Stage.set({}, { renewal: RENEWAL });
  await stage.worker();
});
afterAll(() => stage.strike());

const of = (name: string): string =>
  `${name.toLowerCase().replaceAll(/[^a-z]+/g, '-')}@alphagov.co.uk`;
const rotationOf = (name: string): Promise<StagedRotation> => stage.rotation({ apiUser: of(name) });
const isAlive = (id: number): boolean =>
  stage.sandbox.world.state.authorisations.some(
    (token) => token.id === id && token.revokedAt === undefined,
  );

/** An API user whose token one Deployment reads. */
async function inCluster(name: string, days?: number): Promise<number> {
  const { id } = stage.addApiUser(name, of(name), days);
  const workload = of(name).split('@')[0]!;
  const secret = `signon-token-${workload}-publishing-api`;
  stage.sandbox.world.syncSecrets();
  stage.sandbox.cluster.deploy({
    kind: 'Deployment',
    name: workload,
    uid: makeUid(),
    replicas: 1,
    generation: 1,
    containers: [
      { name: 'app', tokens: [{ variable: 'PUBLISHING_API_BEARER_TOKEN', secret }], ruby: true },
    ],
  });
  await until(
    'its pod',
    () => stage.sandbox.world.state.pods.find((pod) => pod.workload === workload)?.running,
  );
  return id;
}

test.each([
  ['Trade Tariff Admin', 'referred'],
  ['Trade Tariff Backend', 'referred'],
  ['Signon API Client (permission and suspension updater)', 'ignored'],
] as const)('%s is %s, and its token is left alone', async (name, outcome: Outcome) => {
  const { id } = stage.addApiUser(name, of(name));
  expect(await (await rotationOf(name)).report()).toMatchObject({
    outcome,
    revoked: [],
    alive: [],
  });
  expect(isAlive(id)).toBe(true);
});

test('staging is ignored on any queue, and nothing outside is called', async () => {
  const request = { ...REQUEST, environment: 'staging' };
  const before = { ...stage.sandbox.world.happened.requests };
  const taskQueue = taskQueueOf('integration');
  const handle = await stage.client.workflow.start('rotateToken', {
    workflowId: 'staging',
    taskQueue,
    args: [request],
  });
  expect(await handle.result()).toMatchObject({
    outcome: 'ignored',
    why: expect.stringMatching(/overwritten/),
  });
  expect(stage.sandbox.world.happened.requests).toEqual(before);
});

test('a pair whose only token lives long has nothing to do', async () => {
  await inCluster('Long lived', 400);
  expect(await (await rotationOf('Long lived')).report()).toMatchObject({
    outcome: 'nothing-to-do',
  });
});

test('a pair that Signon lists no token for gets none', async () => {
  const { id } = stage.addApiUser('Without access', of('Without access'));
  stage.sandbox.world.revoke(id);
  const report = await (await rotationOf('Without access')).report();
  expect(report).toMatchObject({
    outcome: 'nothing-to-do',
    why: expect.stringMatching(/none is issued/),
  });
});

test('an old token that has ended leaves nothing to revoke', async () => {
  const id = await inCluster('Too late', -2);
  const report = await (await rotationOf('Too late')).report();
  expect(report).toMatchObject({ outcome: 'old-token-expired', revoked: [], origin: 'issued' });
  expect(isAlive(id)).toBe(true);
  // its calls were refused before the rotation began
  stage.sandbox.world.happened.outages.length = 0;
});

test('a rotation started under any other id hands over, and names the one that runs', async () => {
  await inCluster('Delegating');
  const request = { ...REQUEST, apiUser: of('Delegating') };
  const taskQueue = taskQueueOf('integration');
  const handle = await stage.client.workflow.start('rotateToken', {
    workflowId: 'at-random',
    taskQueue,
    args: [request],
  });
  expect(await handle.result()).toMatchObject({
    outcome: 'delegated',
    why: expect.stringContaining(rotationId(request)),
  });
  await stage.client.workflow.getHandle(rotationId(request)).cancel();
});

test('a rejection keeps both tokens', async () => {
  const id = await inCluster('Rejected');
  const rotation = await rotationOf('Rejected');
  await rotation.awaitingApproval();
  await rotation.send('reject', { reason: 'not on a Friday' });
  expect(await rotation.report()).toMatchObject({
    outcome: 'rejected',
    revoked: [],
    alive: [{}, {}],
  });
  expect(isAlive(id)).toBe(true);
});

test.each(['aborted', 'rejected', 'lost'] as const)(
  'a rotation that follows one that was %s knows what that one saw given up',
  async (how) => {
    const name = `Seen and ${how}`;
    const old = await inCluster(name);
    const first = await rotationOf(name);
    await first.awaitingApproval();
    if (how === 'lost') await first.handle.terminate();
    else await first.send(how === 'aborted' ? 'abort' : 'reject', { reason: 'not on a Friday' });
    const { workflowId } = first.handle;
    await until('its end to be listed', async () => {
      const query = `WorkflowId = '${workflowId}' AND ExecutionStatus != 'Running'`;
      return (await stage.client.workflow.count(query)).count === 1 || undefined;
    });
    const second = await rotationOf(name);
    const { waiting } = await second.awaitingApproval();
    expect(waiting).toMatchObject({
      evidence: { toRevoke: [{ authorisationId: old, standing: 'given-up' }] },
    });
    await second.approve(1, { revoke: undefined });
    expect(await second.report()).toMatchObject({
      outcome: 'rotated',
      revoked: [{ authorisationId: old }],
    });
  },
);

test('an abort and a cancel keep both tokens', async () => {
  for (const [name, stop] of [
    ['Aborted', (rotation: StagedRotation) => rotation.send('abort', { reason: 'enough' })],
    ['Cancelled', (rotation: StagedRotation) => rotation.handle.cancel()],
  ] as const) {
    const id = await inCluster(name);
    const rotation = await rotationOf(name);
    await rotation.awaitingApproval();
    await stop(rotation);
    expect(await rotation.report()).toMatchObject({
      outcome: 'aborted',
      revoked: [],
      alive: [{}, {}],
    });
    expect(isAlive(id)).toBe(true);
  }
});

test('a token that nobody reads is disused, as a person says; Signon’s renewal brings it back, and a second approval ends that', async () => {
  const { world } = stage.sandbox;
  const { id } = stage.addApiUser('Legacy', of('Legacy'), 5);
  world.syncSecrets(); // a Secret that no workload reads
  const rotation = await rotationOf('Legacy');
  const findings = await rotation.awaitingClassification();
  expect(findings).toMatchObject({
    internal: true,
    tokens: [{ authorisationId: id }],
    census: { unasked: [] },
  });
  expect(findings.census.asked).toBeGreaterThan(3);
  await rotation.send('classify', { as: 'disused' });
  await rotation.approve(1);
  await until('the revoke', () => !isAlive(id));
  world.renewNightly();
  const [renewed] = world.state.authorisations.slice(-1);
  await rotation.approve(2);
  expect(await rotation.report()).toMatchObject({
    outcome: 'revoked-disused',
    revoked: [{ authorisationId: id }, { authorisationId: renewed!.id }],
    alive: [],
  });
  const before = world.state.authorisations.length;
  world.renewNightly();
  // the later-expiring revoked token stops the renewal
  expect(world.state.authorisations).toHaveLength(before);
});

test('a container that was given the token by another way while a person is asked is named by them, believed by its value, and must take the new one over', async () => {
  const { world, cluster } = stage.sandbox;
  const { id, token } = stage.addApiUser('Copied', of('Copied'));
  const rotation = await rotationOf('Copied');
  await rotation.awaitingClassification(); // one that ran before would have been found
  world.state.secrets['by-hand'] = token;
  cluster.deploy({
    kind: 'StatefulSet',
    name: 'copied',
    uid: makeUid(),
    replicas: 1,
    generation: 1,
    containers: [
      { name: 'app', tokens: [{ variable: 'UPSTREAM', secret: 'by-hand' }], ruby: true },
    ],
  });
  const named = { as: 'internal', workload: 'StatefulSet/copied', container: 'app' };
  await rotation.send('classify', { ...named, variable: 'OTHER' });
  await rotation.answered(/no running app of StatefulSet\/copied holds one/);
  await rotation.send('classify', { ...named, variable: 'UPSTREAM' });
  expect((await rotation.blocked('RolloutIncomplete')).message).toMatch(/app in copied-0 holds/);
  expect(isAlive(id)).toBe(true);
  world.state.secrets['by-hand'] = world.state.secrets['signon-token-copied-publishing-api']!;
  cluster.roll('copied');
  await rotation.retry();
  await rotation.approve(1, { by: BY });
  expect(await rotation.report()).toMatchObject({
    outcome: 'rotated',
    revoked: [{ authorisationId: id }],
  });
});
