import { afterEach, expect, test } from '../support/jest.ts';
import { makeUid } from '../../sandbox/world.ts';
import type { Evidence } from '../../domain/evidence/index.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

const VARIABLE = 'PUBLISHING_API_BEARER_TOKEN';
const SECRET = 'signon-token-short-url-manager-publishing-api';
const OLDER = 'signon-token-url-shortener-publishing-api';

let stage: Stage;
afterEach(() => stage.strike());

async function evidenceOf(rotation: StagedRotation, round = 1): Promise<Evidence> {
  const { waiting } = await rotation.awaitingApproval(round);
  if (waiting?.kind !== 'approval') throw new Error('nothing waits for approval');
  return waiting.evidence;
}

/** A Deployment that cannot be asked what it holds, and that Reloader overlooks. */
function deployRouter(secret = SECRET): void {
  const { world, cluster } = stage.sandbox;
  const tokens = [{ variable: VARIABLE, secret }];
  const containers = [{ name: 'app', ruby: false, bare: true, tokens }];
  const router = { kind: 'Deployment' as const, name: 'router', replicas: 1, generation: 1 };
  cluster.deploy({ ...router, uid: makeUid(), containers });
  world.overlooked.add('router');
}

test('a pod of an Argo Workflow that held the old token and ended is no sign that the next one will not: it is accepted by name', async () => {
  stage = await Stage.set({}, { rolloutLimit: '1 minute' });
  const { world, cluster } = stage.sandbox;
  world.state.secrets[OLDER] = stage.tokens()[0]!.token;
  const pod = cluster.runWorkflow(OLDER, 3_600_000);
  await stage.worker();
  const rotation = await stage.rotation();
  await until('the new token', () => world.happened.created.length > 0 || undefined);
  cluster.kill(pod);
  const { shortfalls } = await evidenceOf(rotation);
  const said = expect.stringMatching(/^main of Workflow\/deploy-\w+: no pod is running$/);
  expect(shortfalls).toContainEqual({ code: 'no-pod-seen', what: said });
  await rotation.approve(1, { accept: undefined });
  await rotation.answered(/not accepted: not proven: .*main of Workflow/);
  expect(world.happened.revoked).toEqual([]);
});

test('a container that cannot be asked and started before the sync Job was made is waited for: it has the old value', async () => {
  const syncGathering = {
    quietFor: '8 seconds',
    atMost: '8 seconds',
    askAgainAfter: '30 seconds',
  };
  stage = await Stage.set({}, { rolloutLimit: '3 seconds', syncGathering });
  const { world, cluster } = stage.sandbox;
  deployRouter();
  await stage.worker();
  const rotation = await stage.rotation();
  const made = await until('the new token', () =>
    world.happened.created.length > 0 ? Date.now() : undefined,
  );
  // Kubernetes says in whole seconds when a container started.
  await until('a later second', () => Date.now() > made + 1000 || undefined);
  cluster.roll('router');
  const { message } = await rotation.blocked('RolloutIncomplete');
  expect(message).toContain('app in router-');
  cluster.roll('router');
  await rotation.retry();
  const { shortfalls } = await evidenceOf(rotation);
  expect(shortfalls.map(({ code }) => code)).toContain('not-asked');
});

test('a container that cannot be asked and started while the sync Job ran is waited for: the Secret may not have been written yet', async () => {
  stage = await Stage.set({ jobMs: 6000 }, { rolloutLimit: '5 seconds' });
  const { world, cluster } = stage.sandbox;
  deployRouter();
  await stage.worker();
  const rotation = await stage.rotation();
  const began = await until('the Job', () =>
    world.state.jobs.some(({ status }) => status === 'Progressing') ? Date.now() : undefined,
  );
  // Kubernetes says in whole seconds when a container started.
  await until('a later second', () => Date.now() > began + 1500 || undefined);
  cluster.roll('router');
  const { message } = await rotation.blocked('RolloutIncomplete');
  expect(message).toContain('app in router-');
});

test('a sync Job that was deleted before its end was seen is no sign that the Secret has the token: a container that cannot be asked is waited for', async () => {
  stage = await Stage.set(
    { jobMs: 6000, podStartMs: 1300, terminationMs: 100 }, // Kubernetes' times are whole seconds
    { rolloutLimit: '6 seconds' },
  );
  const { world, cluster } = stage.sandbox;
  const apiUser = 'router-api@alphagov.co.uk';
  const secret = 'signon-token-router-api-publishing-api';
  world.state.secrets[secret] = stage.addApiUser('Router API', apiUser).token;
  deployRouter(secret);
  await stage.worker();
  const rotation = await stage.rotation({ apiUser });
  await until('its end to be waited for', async () => {
    const { events } = await stage.client.workflow
      .getHandle('sync-tokens/integration')
      .fetchHistory()
      .catch(() => ({ events: [] })); // nobody has asked yet
    const scheduled = events?.map((event) => event.activityTaskScheduledEventAttributes);
    return scheduled?.some((one) => one?.activityType?.name === 'awaitSyncJob') || undefined;
  });
  world.state.jobs = world.state.jobs.filter(({ status }) => status !== 'Progressing');
  await until('its end', async () => {
    const steps = (await rotation.status())?.steps;
    return steps?.some(({ note }) => /was deleted before its end was seen/.test(note)) || undefined;
  });
  cluster.roll('router');
  const { message } = await rotation.blocked('RolloutIncomplete');
  expect(message).toContain('app in router-');
  expect(world.happened.jobs.length).toBeGreaterThan(1);
  cluster.roll('router');
  await rotation.retry();
  const { shortfalls } = await evidenceOf(rotation);
  expect(shortfalls.map(({ code }) => code)).toContain('not-asked');
});

/** A rotation that saw a pod of an Argo Workflow with the old token, and was rejected for it. */
async function rejectedForWorkflow() {
  stage = await Stage.set({}, { rolloutLimit: '1 minute' });
  const { world, cluster } = stage.sandbox;
  world.state.secrets[OLDER] = stage.tokens()[0]!.token;
  const pod = cluster.runWorkflow(OLDER, 3_600_000);
  const worker = await stage.worker();
  const rotation = await stage.rotation();
  await until('the new token', () => world.happened.created.length > 0 || undefined);
  cluster.kill(pod);
  await evidenceOf(rotation);
  await rotation.send('reject', { reason: 'the Workflow would break' });
  await rotation.report();
  return { rotation, worker };
}

test('a pod of an Argo Workflow that held the old token is known to the next rotation, too', async () => {
  await rejectedForWorkflow();
  const { shortfalls } = await evidenceOf(await stage.rotation());
  expect(shortfalls).toContainEqual({
    code: 'no-pod-seen',
    what: expect.stringContaining('main of Workflow/deploy-'),
  });
});

test.each([
  ['failed for a bad request', { input: { environment: 'integration' }, isTaken: true }],
  ['was terminated before a worker took it', { input: {}, isTaken: false }],
])('it is known to the next one, too, where a run in between %s', async (_, { input, isTaken }) => {
  const { rotation, worker } = await rejectedForWorkflow();
  const { type, taskQueue, workflowId } = await rotation.handle.describe();
  if (!isTaken) await worker.stop();
  const run = await stage.client.workflow.start(type, { workflowId, taskQueue, args: [input] });
  if (isTaken) await expect(run.result()).rejects.toThrow();
  else {
    await run.terminate('nobody answers');
    await stage.worker();
  }
  const { shortfalls } = await evidenceOf(await stage.rotation());
  expect(shortfalls).toContainEqual({
    code: 'no-pod-seen',
    what: expect.stringContaining('main of Workflow/deploy-'),
  });
});

test('a Secret that is left over of a pair that is gone keeps no other pair from being disused, once its reader told what it holds', async () => {
  stage = await Stage.set({}, { disusedWatch: '1 day' });
  const { world, cluster } = stage.sandbox;
  const secret = 'signon-token-left-over-retired-app';
  world.state.secrets[secret] = 'Z'.repeat(43);
  const tokens = [{ variable: 'RETIRED_APP_BEARER_TOKEN', secret }];
  const containers = [{ name: 'app', ruby: true, tokens }];
  const bystander = { kind: 'Deployment' as const, name: 'bystander', replicas: 1, generation: 1 };
  cluster.deploy({ ...bystander, uid: makeUid(), containers });
  const email = 'nobody@alphagov.co.uk';
  stage.addApiUser('Nobody', email);
  const { length } = world.happened.created;
  await stage.worker();
  const rotation = await stage.rotation({ apiUser: email });
  await rotation.awaitingClassification();
  await rotation.send('classify', { as: 'disused' });
  await evidenceOf(rotation);
  await until('the watch to look past it', async () => {
    const { events = [] } = await rotation.handle.fetchHistory();
    const names = (events ?? []).map(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name,
    );
    // Signon was asked whose the Secrets are, of another pair and this one; then it watches on.
    const isAsked = names.filter((name) => name === 'secretsOfPairs').length >= 2;
    const watches = names.lastIndexOf('awaitReader') > names.lastIndexOf('secretsOfPairs');
    return (isAsked && watches) || undefined;
  });
  expect((await rotation.status())?.waiting?.kind).toBe('approval');
  expect(world.happened.created).toHaveLength(length);
});

test('a pod that reads the Secret under an older name for a moment shows that a pair is not disused', async () => {
  stage = await Stage.set({}, { disusedWatch: '1 day' });
  const { world, cluster } = stage.sandbox;
  const email = 'renamed@alphagov.co.uk';
  world.state.secrets['signon-token-before-it-was-renamed'] = stage.addApiUser(
    'Renamed',
    email,
  ).token;
  await stage.worker();
  const rotation = await stage.rotation({ apiUser: email });
  await rotation.awaitingClassification();
  await rotation.send('classify', { as: 'disused' });
  await evidenceOf(rotation);
  cluster.kill(cluster.runWorkflow('signon-token-before-it-was-renamed', 3_600_000));
  await until('it to be noticed', async () =>
    (await rotation.status())?.notes.some((note) =>
      /read the Secret signon-token-before-it-was-renamed in .*: the pair is in use/.test(note),
    ),
  );
  expect(world.happened.revoked).toEqual([]);
});
