import { afterEach, expect, test } from '../support/jest.ts';
import { Client } from '@temporalio/client';
import { decide } from '../../client/rotations.ts';
import { startRotation } from '../../client/start-workflows.ts';
import type { Answer } from '../../domain/evidence/decisions.ts';
import type { Environment } from '../../domain/request/index.ts';
import { REQUEST } from '../support/request.ts';
import { Stage, StagedRotation } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

/** A client whose user is signed in: the server records this identity. */
const signedInAs = (identity: string): Client =>
  new Client({ connection: stage.client.connection, namespace: stage.namespace, identity });

/** A rotation that waits, started by somebody under some name. */
async function waitingIn(
  environment: Environment,
  starter: { identity: string; requestedBy: string },
) {
  stage = await Stage.set({}, { soak: '300 ms' }, { environment });
  await stage.worker();
  const { requestedBy, identity } = starter;
  const { handle } = await startRotation(signedInAs(identity), {
    ...REQUEST,
    environment,
    requestedBy,
  });
  const rotation = new StagedRotation(handle, stage.sandbox);
  const { code = '' } = await rotation.awaitingApproval();
  const approve = (identityOfApprover: string, by: string): Promise<Answer> =>
    decide(signedInAs(identityOfApprover), { workflowId: handle.workflowId }, 'approve', {
      by,
      evidence: code,
      accept: ['no-pod-seen'],
    });
  return { rotation, approve };
}

test('production refuses the person who asked, by name, whatever case and blanks; another one may', async () => {
  const { rotation, approve } = await waitingIn('production', {
    identity: '4711@host',
    requestedBy: 'ada@example.org',
  });
  const refused = await approve('4712@host', ' ADA@example.org ');
  expect(refused).toMatchObject({ accepted: false });
  expect(refused.answer).toMatch(
    /production needs a second person: ada@example\.org both asked for and approved/,
  );
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
  expect(await approve('4712@host', 'grace@example.org')).toMatchObject({ accepted: true });
  const report = await rotation.report();
  expect(report).toMatchObject({
    outcome: 'rotated',
    approvals: [{ by: 'grace@example.org', sender: { identity: '4712@host' } }],
  });
});

test('production refuses two names that the server knows as one e-mail address', async () => {
  const { rotation, approve } = await waitingIn('production', {
    identity: 'ada@example.org',
    requestedBy: 'Ada',
  });
  const refused = await approve('Ada@Example.org', 'Grace');
  expect(refused).toMatchObject({
    accepted: false,
    answer: expect.stringMatching(/ada@example\.org both asked/),
  });
  expect(stage.sandbox.world.happened.revoked).toEqual([]);
  expect(await approve('grace@example.org', 'Grace')).toMatchObject({ accepted: true });
  expect((await rotation.report()).outcome).toBe('rotated');
});

test('integration lets one person do both', async () => {
  const { rotation, approve } = await waitingIn('integration', {
    identity: 'ada@example.org',
    requestedBy: 'Ada',
  });
  expect(await approve('ada@example.org', 'Ada')).toMatchObject({ accepted: true });
  expect((await rotation.report()).outcome).toBe('rotated');
});
