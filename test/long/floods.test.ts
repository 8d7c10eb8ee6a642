import { afterEach, expect, test } from '../support/jest.ts';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { makeToken, makeUid } from '../../sandbox/world.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
afterEach(() => stage.strike());

/** What the server takes in one piece is 2 MB. */
const NEARLY_TWO_MEGABYTES = 'x'.repeat(1_900_000);

const flood = async ({ handle }: StagedRotation, signals: number): Promise<void> => {
  for (let sent = 0; sent < signals; sent++)
    await handle.signal<[unknown]>('approve', {
      by: 'mallory@example.org',
      evidence: NEARLY_TWO_MEGABYTES,
    });
};

/**
 * Sends something again and again until the history is cut; what is sent after that would have the
 * next one cut as well.
 */
const untilCut = async (rotation: StagedRotation, send: () => Promise<void>): Promise<void> => {
  const { runId } = await rotation.handle.describe();
  for (let sent = 0; (await rotation.handle.describe()).runId === runId; sent++) {
    if (sent === 1000) throw new Error('a thousand were sent, and no history was cut');
    await send();
  }
};

/** Without a limit to when a history should be cut, so that the whole of a large one is read. */
const NEVER_CUT = { dynamicConfig: ['limit.historySize.suggestContinueAsNew=1000000000'] };

test('three signals of 1.9 MB take nothing from a rotation: the approval after them is judged, by a history of more than one answer’s size', async () => {
  stage = await Stage.set({}, {}, {}, NEVER_CUT);
  await stage.worker();
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();
  await flood(rotation, 3);
  await rotation.answered(/larger than 16 KB/);
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated', revoked: [{}] });
});

test('twenty-eight signals of 1.9 MB end no rotation: its history is cut, and a run after it goes on with what was proven', async () => {
  stage = await Stage.set();
  await stage.worker();
  const rotation = await stage.rotation();
  const before = await rotation.awaitingApproval();
  const { runId } = await rotation.handle.describe();
  for (let sent = 0; sent < 28; sent++) {
    await flood(rotation, 1);
    await until('it to be taken', () => rotation.status()); // one after the other
  }
  const after = await until('an approval asked for by another run', async () => {
    const { runId: now } = await rotation.handle.describe();
    const status = await rotation.status();
    return now !== runId && status?.waiting?.kind === 'approval' ? status : undefined;
  });
  if (before.waiting?.kind !== 'approval' || after.waiting?.kind !== 'approval')
    throw new Error('nothing is asked');
  expect(after.code).not.toBe(before.code);
  expect(after.waiting.evidence.round).toBeGreaterThan(before.waiting.evidence.round);
  const { toRevoke, shortfalls } = before.waiting.evidence;
  expect(after.waiting.evidence).toMatchObject({ toRevoke, shortfalls });
  await rotation.send('approve', { evidence: before.code! });
  await rotation.answered(/not the code of this evidence/);
  await rotation.approve(after.waiting.evidence.round);
  expect(await rotation.report()).toMatchObject({
    outcome: 'rotated',
    origin: 'issued',
    revoked: before.waiting.evidence.toRevoke.map(({ authorisationId }) => ({ authorisationId })),
    approvals: [{ by: 'grace@example.org' }],
  });
  // one new token, and no other
  expect(stage.tokens().filter(({ revokedAt }) => revokedAt === undefined)).toHaveLength(1);
});

test('a flood that is faster than any history can be cut ends the run by the server: nothing is revoked, and one started again goes on', async () => {
  stage = await Stage.set();
  await stage.worker();
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();
  await Promise.allSettled(Array.from({ length: 28 }, () => flood(rotation, 1)));
  await until(
    'its end',
    async () => (await rotation.handle.describe()).status.name === 'TERMINATED' || undefined,
  );
  expect(stage.tokens().map(({ revokedAt }) => revokedAt)).toEqual([undefined, undefined]);
  const again = await stage.rotation();
  const { waiting } = await again.awaitingApproval();
  const toRevoke = waiting?.kind === 'approval' ? waiting.evidence.toRevoke : [];
  await again.approve(1, { revoke: toRevoke.map(({ authorisationId }) => authorisationId) });
  expect(await again.report()).toMatchObject({
    outcome: 'rotated',
    origin: 'adopted',
    revoked: [{}],
  });
});

test('wrong approvals without end are each answered, and end no rotation', async () => {
  stage = await Stage.set(
    {},
    {},
    {},
    { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=300'] },
  );
  await stage.worker();
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();
  await untilCut(rotation, () => rotation.send('approve', { evidence: '00000000' }));
  const status = await until('another run to ask', async () => {
    const now = await rotation.status();
    return now?.waiting?.kind === 'approval' ? now : undefined;
  });
  await rotation.approve(status.waiting?.kind === 'approval' ? status.waiting.evidence.round : 0);
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated', approvals: [{}] });
});

test('a sync that was shown to bring nothing does not count in a run with a fresh history, though nothing runs any more that shows it', async () => {
  stage = await Stage.set(
    {},
    { rolloutLimit: '1 minute' },
    {},
    { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=400'] },
  );
  await stage.worker();
  const { world, cluster } = stage.sandbox;
  world.sync.writesNothing = 2;
  const rotation = await stage.rotation();
  await until('both syncs to be shown to bring nothing', async () => {
    if (world.state.jobs.some(({ status }) => status === 'Healthy'))
      cluster.roll('short-url-manager');
    await new Promise((later) => setTimeout(later, 2000));
    return (await rotation.status())?.waiting?.kind === 'blocked' || undefined;
  });
  await rotation.blocked('SecretNotUpdated');
  const before = world.happened.jobs.length;
  for (const workload of world.state.workloads) workload.replicas = 0;
  world.changed();
  await until('all pods to end', () => world.state.pods.length === 0 || undefined);
  await untilCut(rotation, () => rotation.send('approve', { evidence: '00000000' }));
  await until('an approval to be asked for', async () => {
    return (await rotation.status())?.waiting?.kind === 'approval' || undefined;
  });
  expect(world.happened.jobs.length).toBe(before + 1);
});

test('a blocked rotation whose history is cut blocks again, and goes on from its step', async () => {
  stage = await Stage.set(
    {},
    {},
    {},
    { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=400'] },
  );
  await stage.worker();
  const { world } = stage.sandbox;
  world.sync.fails = 100;
  const rotation = await stage.rotation();
  await rotation.blocked('SyncJobFailed');
  await untilCut(rotation, () => rotation.send('reject', { reason: 'nothing is asked' }));
  await rotation.blocked('SyncJobFailed');
  world.sync.fails = 0;
  await rotation.retry();
  const status = await until('an approval', async () => {
    const now = await rotation.status();
    return now?.waiting?.kind === 'approval' ? now : undefined;
  });
  await rotation.approve(status.waiting?.kind === 'approval' ? status.waiting.evidence.round : 0);
  expect(await rotation.report()).toMatchObject({
    outcome: 'rotated',
    origin: 'issued',
    revoked: [{}],
  });
  expect(world.happened.created).toHaveLength(1);
});

test('an incident whose history is cut stays one: the next run confirms first, by what was proven before the revoke', async () => {
  stage = await Stage.set(
    {},
    { soak: '5 seconds' },
    {},
    { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=400'] },
  );
  await stage.worker();
  const { world, cluster } = stage.sandbox;
  world.state.secrets['by-hand'] = stage.tokens()[0]!.token;
  const rotation = await stage.rotation();
  await rotation.approve();
  await until('the revoke', () => world.happened.revoked.length > 0);
  cluster.deploy({
    kind: 'StatefulSet',
    name: 'late',
    uid: makeUid(),
    replicas: 1,
    generation: 1,
    containers: [
      { name: 'app', tokens: [{ variable: 'UPSTREAM', secret: 'by-hand' }], ruby: true },
    ],
  });
  await rotation.blocked('ConfirmFailed');
  await untilCut(rotation, () => rotation.send('reject', { reason: 'nothing is asked' }));
  expect((await rotation.blocked('ConfirmFailed')).message).toMatch(/app in late-0 holds/);
  world.state.secrets['by-hand'] = stage.tokens()[1]!.token;
  cluster.roll('late');
  await rotation.retry();
  expect(await rotation.handle.result()).toMatchObject({
    outcome: 'rotated',
    revoked: [{}],
    approvals: [{}],
  });
});

test('a pod that was seen reading the Secret of a disused pair is known after its history is cut', async () => {
  const email = 'old-publisher@alphagov.co.uk';
  const key = await identityToRecipient(await generateIdentity());
  const holder = { name: 'HMRC', apiUser: email, key };
  stage = await Stage.set(
    {},
    { disusedWatch: '3 days', recipients: [holder] },
    {},
    { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=400'] },
  );
  await stage.worker();
  stage.addApiUser('Old publisher', email);
  const rotation = await stage.rotation({ apiUser: email });
  await rotation.awaitingClassification();
  await rotation.send('classify', { as: 'disused' });
  await rotation.awaitingApproval();
  const { cluster, world } = stage.sandbox;
  const { length: created } = world.happened.created;
  const secret = 'signon-token-old-publisher-publishing-api';
  world.state.secrets[secret] = makeToken();
  const pod = cluster.runWorkflow(secret, 3_600_000);
  const { message } = await rotation.blocked('ReadInCluster');
  cluster.kill(pod);
  await untilCut(rotation, () => rotation.send('reject', { reason: 'nothing is asked' }));
  expect(await rotation.blocked('ReadInCluster')).toMatchObject({ message });
  expect(world.happened.created).toHaveLength(created);
  expect(world.happened.revoked).toEqual([]);
});

test('a run that held the old token is known after the history is cut: that token is not called given up', async () => {
  stage = await Stage.set(
    {},
    {},
    {},
    { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=400'] },
  );
  await stage.worker();
  const rotation = await stage.rotation();
  await rotation.awaitingApproval();
  const { world, cluster } = stage.sandbox;
  const secret = 'signon-token-short-url-manager-publishing-api';
  world.state.secrets[secret] = stage.tokens()[0]!.token; // as if somebody wrote it back
  await until('somebody to look out for runs', () => stage.sandbox.kubernetes.watching > 0);
  cluster.runTask('short-url-manager-task-1', 3000); // longer than two looks lie apart
  const heldAnother = { code: 'no-pod-seen', what: expect.stringMatching(/held another token/) };
  const before = await rotation.awaitingApproval(2);
  expect(before.waiting).toMatchObject({ evidence: { shortfalls: [heldAnother] } });
  await untilCut(rotation, () => rotation.send('approve', { evidence: '00000000' }));
  const after = await rotation.awaitingApproval(3);
  expect(after.waiting).toMatchObject({
    evidence: { shortfalls: [heldAnother], toRevoke: [{ standing: 'holder-unknown' }] },
  });
});

test('a plan that was approved is not asked again after its history is cut, nor is a token handed over twice', async () => {
  const email = 'old-publisher@alphagov.co.uk';
  const key = await identityToRecipient(await generateIdentity());
  const holder = { name: 'HMRC', apiUser: email, key };
  stage = await Stage.set(
    {},
    { recipients: [holder] },
    {},
    { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=400'] },
  );
  await stage.worker();
  const old = stage.addApiUser('Old publisher', email);
  const answerLost = {
    method: 'POST',
    path: /authorisations$/,
    when: 'after',
    kind: 'cut',
  } as const;
  stage.sandbox.signon.faults.add(answerLost);
  const rotation = await stage.rotation({ apiUser: email, recipient: 'HMRC' });
  await rotation.approve(1);
  await rotation.blocked('CannotHandOver');
  await untilCut(rotation, () => rotation.send('reject', { reason: 'nothing is asked' }));
  await rotation.blocked('CannotHandOver');
  await rotation.retry({ accept: ['issue-another'] });
  const { waiting, handOver } = await rotation.awaitingApproval(2);
  expect(waiting).toMatchObject({ evidence: { asks: 'revoke' } });
  await untilCut(rotation, () => rotation.send('approve', { evidence: '00000000' }));
  const after = await rotation.awaitingApproval(3);
  expect(after).toMatchObject({ handOver, waiting: { evidence: { asks: 'revoke' } } });
  await rotation.approve(3);
  const [lost, made, ...more] = stage.sandbox.world.happened.created.filter(
    ({ id }) => id !== old.id,
  );
  expect(more).toEqual([]);
  expect(await rotation.report()).toMatchObject({
    outcome: 'handed-over',
    newToken: { authorisationId: made!.id },
    approvals: [{ asks: 'hand-over' }, { asks: 'revoke' }],
    revoked: [{ authorisationId: old.id }, { authorisationId: lost!.id }],
  });
});

test('what a cut history would hand on is not believed from whoever starts a rotation', async () => {
  stage = await Stage.set();
  await stage.worker();
  const { handle } = await stage.rotation();
  await handle.terminate('to be started by somebody else');
  const [old] = stage.tokens();
  const forged = {
    report: { revoked: [], notes: [], alive: [] },
    steps: [],
    starter: { identity: 'nobody' },
    rounds: 7,
    revokesBegun: [],
    accepted: ['unlisted-token'],
    situation: { readers: { holding: [] }, tokens: [], newToken: { authorisationId: old!.id } },
  };
  const { workflowId } = handle;
  const { input } = (await handle.fetchHistory()).events![0]!
    .workflowExecutionStartedEventAttributes!;
  const request = JSON.parse(Buffer.from(input!.payloads![0]!.data!).toString()) as object;
  await stage.client.workflow.start('rotateToken', {
    workflowId,
    taskQueue: 'signon-rotation-integration',
    args: [request, undefined, forged],
  });
  const rotation = await stage.rotation();
  const status = await rotation.awaitingApproval(1); // round 1: nothing was carried
  expect(status.steps.find(({ name }) => name === 'issue')).toMatchObject({ state: 'done' });
});
