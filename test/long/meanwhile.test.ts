import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { pairOf } from '../../sandbox/seed.ts';
import { makeToken } from '../../sandbox/world.ts';
import { REQUEST } from '../support/request.ts';
import { Stage, type StagedRotation } from '../support/stage.ts';

/** What happens to a pair while its rotation waits for a person. */
let stage: Stage;
let rotation: StagedRotation;
beforeEach(async () => {
  stage = await Stage.set();
  await stage.worker();
});
afterEach(() => stage.strike());

const revokedBy = (ids: number[]): number[] =>
  stage.sandbox.world.happened.revoked.map(({ id }) => id).filter((id) => !ids.includes(id));

/** A sync that the rotation knows nothing of, and what Reloader does about it. */
function syncedByHand(): void {
  stage.sandbox.world.syncSecrets();
  for (const name of ['short-url-manager', 'short-url-manager-worker'])
    stage.sandbox.cluster.roll(name);
}

async function waits(): Promise<void> {
  rotation = await stage.rotation();
  await rotation.awaitingApproval();
}

test('the application is retired: Signon hides the token alive, and it is never reported as revoked', async () => {
  await waits();
  const { server } = pairOf(stage.sandbox.world, REQUEST.apiUser, REQUEST.application);
  server.retired = true;
  stage.sandbox.world.changed();
  await rotation.approve();
  const { step } = await rotation.blockedByAny();
  expect(step).toBe('revoke');
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
  await rotation.handle.signal<[unknown]>('abort', { by: 'grace@example.org', reason: 'retired' });
  expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [] });
});

test('the API user is suspended, which ends all its tokens: the rotation revokes nothing more', async () => {
  await waits();
  const all = stage.tokens().map(({ id }) => id);
  const { user } = pairOf(stage.sandbox.world, REQUEST.apiUser, REQUEST.application);
  stage.sandbox.world.suspend(user.id);
  await rotation.approve();
  await rotation.blocked('NewTokenGone');
  expect(revokedBy(all)).toEqual([]);
});

test('the API user is renamed: it may be somebody else by now, so nothing is revoked', async () => {
  await waits();
  const { user } = pairOf(stage.sandbox.world, REQUEST.apiUser, REQUEST.application);
  user.name = 'Short URL Manager (old)';
  stage.sandbox.world.changed();
  await rotation.approve();
  const { message } = await rotation.blocked('PairChanged');
  expect(message).toContain(
    'was “Short URL Manager” (short-url-manager@alphagov.co.uk) and is now “Short URL Manager (old)”',
  );
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
});

test('an engineer revokes the old token first: no token but the new one is left, and nothing is revoked twice', async () => {
  await waits();
  const [old] = stage.tokens();
  stage.sandbox.world.revoke(old!.id);
  await rotation.approve();
  const report = await rotation.report();
  expect(report).toMatchObject({ outcome: 'old-token-expired', revoked: [] });
  expect(report.notes.join()).toContain('was revoked by somebody');
  expect(stage.sandbox.world.happened.revoked).toHaveLength(1);
});

test('an engineer issues another and syncs it: that one is proven, and it is asked anew', async () => {
  await waits();
  const { user, server } = pairOf(stage.sandbox.world, REQUEST.apiUser, REQUEST.application);
  const third = stage.sandbox.world.issue(user.id, server.id);
  syncedByHand();
  await rotation.approve();
  const { waiting } = await rotation.awaitingApproval(2);
  const [old, second] = stage.tokens();
  expect(waiting).toMatchObject({
    evidence: {
      newToken: { authorisationId: third.id },
      toRevoke: [{ authorisationId: old!.id }, { authorisationId: second!.id }],
    },
  });
  await rotation.approve(2, { revoke: [old!.id, second!.id] });
  expect(await rotation.report()).toMatchObject({
    outcome: 'rotated',
    newToken: { authorisationId: third.id },
  });
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('another environment is copied over: a token of another value under the new one’s id is proven afresh', async () => {
  await waits();
  const made = stage.tokens().at(-1)!;
  made.token = makeToken();
  await rotation.approve();
  const { waiting } = await rotation.awaitingApproval(2);
  const masked = `${made.token.slice(0, 8)}…${made.token.slice(-8)}`;
  expect(waiting).toMatchObject({ evidence: { newToken: { authorisationId: made.id, masked } } });
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
});

test('Signon’s nightly renewal made the new token: it is adopted and proven by its masked fingerprint', async () => {
  stage.sandbox.world.renewNightly();
  syncedByHand();
  rotation = await stage.rotation();
  await rotation.awaitingApproval();
  const [old, renewed] = stage.tokens();
  await rotation.approve(1, { revoke: [old!.id] });
  expect(await rotation.report()).toMatchObject({
    outcome: 'rotated',
    origin: 'adopted',
    newToken: { authorisationId: renewed!.id },
    revoked: [{ authorisationId: old!.id }],
  });
  expect(stage.tokens()).toHaveLength(2);
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});

test('a token that leaked is replaced with force although it is not near its end', async () => {
  const { user, server } = pairOf(stage.sandbox.world, REQUEST.apiUser, REQUEST.application);
  const leaked = stage.sandbox.world.issue(user.id, server.id);
  syncedByHand();
  rotation = await stage.rotation({ force: true, reason: 'it stood in a log' });
  const { waiting } = await rotation.awaitingApproval();
  if (waiting?.kind !== 'approval') throw new Error('nothing waits for approval');
  await rotation.approve(1, {
    revoke: waiting.evidence.toRevoke.map(({ authorisationId }) => authorisationId),
  });
  const report = await rotation.report();
  expect(report).toMatchObject({ outcome: 'rotated', origin: 'issued' });
  expect(report.newToken!.authorisationId).toBeGreaterThan(leaked.id);
  expect(report.revoked.map(({ authorisationId }) => authorisationId)).toContain(leaked.id);
  expect(stage.sandbox.world.happened.outages).toEqual([]);
});
