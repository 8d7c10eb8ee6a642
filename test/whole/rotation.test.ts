import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createTemporalActivities } from '../../activities/temporal/create-activities.ts';
import { readConfiguration } from '../../config/configuration.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.set({
    jobMs: 100,
    podStartMs: 50,
    readyMs: 50,
    terminationMs: 200,
    reloaderMs: 20,
    execs: 'processes',
  });
  await stage.worker();
});
afterEach(() => stage.strike());

const CREATE = { method: 'POST', path: /\/authorisations$/ } as const;

test('one token is issued, one revoked, and no call of a running pod is refused', async () => {
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated', origin: 'issued' });
  const { created, revoked, outages, trafficCalls } = stage.sandbox.world.happened;
  const [old, made] = stage.tokens();
  expect(created.map(({ id }) => id)).toEqual([made!.id]);
  expect(revoked.map(({ id }) => id)).toEqual([old!.id]);
  expect(outages).toEqual([]);
  expect(trafficCalls).toBeGreaterThan(0);
});

test('the lost answer of a create makes no second token', async () => {
  stage.sandbox.signon.faults.add({ ...CREATE, when: 'after', kind: 'cut' });
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated', origin: 'maybe another’s' });
  expect(stage.sandbox.world.happened.created).toHaveLength(1);
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('a create that takes effect after its answer was given up makes no second token', async () => {
  stage.sandbox.signon.faults.add({ ...CREATE, when: 'before', kind: 'late', ms: 1500 });
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated', origin: 'maybe another’s' });
  expect(stage.sandbox.world.happened.created).toHaveLength(1);
});

test('a create later than Signon’s limit makes two; both are listed, and the one nobody held is revoked only if named', async () => {
  stage.sandbox.signon.faults.add({ ...CREATE, when: 'before', kind: 'late', ms: 6000 });
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();
  await until('the late one', () => stage.sandbox.world.happened.created.length === 2 || undefined);
  await rotation.approve();
  const { waiting } = await rotation.awaitingApproval(2);
  const [old, first, late] = stage.tokens();
  expect(waiting).toMatchObject({
    evidence: {
      newToken: { authorisationId: late!.id },
      toRevoke: [{ authorisationId: old!.id }, { authorisationId: first!.id }],
    },
  });
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
  await rotation.approve(2, { revoke: [old!.id, first!.id] });
  expect(await rotation.report()).toMatchObject({
    outcome: 'rotated',
    newToken: { authorisationId: late!.id },
  });
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('while a container keeps the old token, a rotation’s page can say which one it waits for', async () => {
  stage.sandbox.options.reloaderMs = 3_600_000;
  const { handle } = await stage.rotation();
  const { runId } = await handle.describe();
  const environment = new MockActivityEnvironment({
    workflowExecution: { workflowId: handle.workflowId, runId },
  });
  const scope = readConfiguration(stage.env());
  const { readRetries } = createTemporalActivities(stage.client, scope);
  const [line] = await until('a wait', async () => {
    const lines: string[] = await environment.run(() => readRetries());
    return lines.length > 0 ? lines : undefined;
  });
  expect(line).toMatch(
    /^waits for the new token in app in short-url-manager-[\w-]+, .+, seen \d\d:\d\d:\d\d UTC$/,
  );
});

test('a session that ends in the middle is opened again', async () => {
  stage.sandbox.signon.faults.add({
    path: /manage_tokens$/,
    when: 'before',
    kind: 'status',
    status: 503,
  });
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();
  stage.sandbox.world.state.account.sessionEpoch++;
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  expect(stage.sandbox.world.happened.signIns).toBe(2);
});

test('a lost revoke answer revokes once', async () => {
  stage.sandbox.signon.faults.add({
    method: 'POST',
    path: /\/revoke$/,
    when: 'after',
    kind: 'cut',
  });
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated', revoked: [{}] });
  expect(stage.sandbox.world.happened.revoked).toHaveLength(1);
});

test('a lost create-job answer, and a name that is taken, bring the Secret up to date all the same', async () => {
  stage.sandbox.argo.faults.add({
    method: 'POST',
    path: /actions\/v2$/,
    when: 'after',
    kind: 'cut',
  });
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('an exec that reports Success for part of an answer is asked again', async () => {
  stage.sandbox.kubernetes.exec.faults.push('false-success', 'no-status', 'killed', 'node-down');
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
});

test('a sync Job that fails blocks with its log, redacted; retry makes another', async () => {
  const unknown = 'q7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8Zx8k2-_Q';
  stage.sandbox.world.sync.fails = 1;
  stage.sandbox.world.sync.extraLog.push(`wrote somebody’s ${unknown} away`);
  const rotation = await stage.rotation();
  const { message } = await rotation.blocked('SyncJobFailed');
  expect(message).toContain('wrote somebody’s [redacted] away');
  expect(message).not.toContain(unknown.slice(0, 20));
  await rotation.retry();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
});

test('a pod of the worker Deployment that Reloader overlooked keeps the old token alive, and is named', async () => {
  stage.sandbox.world.overlooked.add('short-url-manager-worker');
  const rotation = await stage.rotation();
  const { message } = await rotation.blocked('RolloutIncomplete');
  expect(message).toMatch(
    /^worker in short-url-manager-worker-\S+ holds \S{8}…\S{8} \(authorisation \d+\)$/,
  );
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
  stage.sandbox.cluster.roll('short-url-manager-worker');
  await rotation.retry();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('a retry with restart replaces exactly the pods that Reloader overlooked, where the role allows it', async () => {
  stage.sandbox.world.overlooked.add('short-url-manager-worker');
  const verbs = stage.sandbox.kubernetes.role.deployments!;
  verbs.push('patch');
  const rotation = await stage.rotation();
  await rotation.blocked('RolloutIncomplete');
  verbs.pop(); // somebody takes the right away meanwhile
  const podsOf = (name: string): string[] =>
    stage.sandbox.world.state.pods
      .filter(({ workload }) => workload === name)
      .map(({ name: pod }) => pod);
  const untouched = podsOf('short-url-manager');
  await rotation.retry({ restart: true });
  const { message } = await rotation.blocked('NotPermitted');
  expect(message).toBe('Kubernetes refused “patch deployment short-url-manager-worker” with 403');
  await rotation.retry();
  await rotation.blocked('RolloutIncomplete');
  verbs.push('patch');
  await rotation.retry({ restart: true });
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({
    outcome: 'rotated',
    syncJobs: [expect.any(String)],
  });
  expect(podsOf('short-url-manager')).toEqual(untouched);
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('a sync that writes nothing is done once more by itself when a new container shows it', async () => {
  stage.sandbox.world.sync.writesNothing = 1;
  const rotation = await stage.rotation();
  await until('the Job that writes nothing', () =>
    stage.sandbox.world.state.jobs.find(({ endedAt }) => endedAt),
  );
  stage.sandbox.world.state.clockOffsetMs += 2000; // container times are whole seconds
  stage.sandbox.cluster.roll('short-url-manager');
  await rotation.approve();
  const report = await rotation.report();
  expect(report.outcome).toBe('rotated');
  expect(report.syncJobs).toHaveLength(2);
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('a production cluster behind an integration worker blocks before anything is issued, naming both sides', async () => {
  for (const { containers } of stage.sandbox.world.state.pods)
    for (const { env } of containers) env.GOVUK_ENVIRONMENT = 'production';
  const rotation = await stage.rotation();
  const { message } = await rotation.blocked('WrongEnvironment');
  expect(message).toMatch(
    /^app in \S+ has GOVUK_ENVIRONMENT "production", but the request says "integration"/,
  );
  expect(stage.sandbox.world.happened.created).toEqual([]);
});

test('a server application that lets any token in is reported as no proof', async () => {
  stage.sandbox.world.open.add('publishing-api');
  const rotation = await stage.rotation();
  const { waiting } = await rotation.awaitingApproval();
  expect(JSON.stringify(waiting)).toContain(
    'but with a made-up one too (returned), so the call proves nothing',
  );
  await rotation.approve(1, { accept: ['no-pod-seen'] });
  await rotation.answered(/not proven: app of/);
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
});
