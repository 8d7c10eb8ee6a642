import { expect, test } from '../support/jest.ts';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import type { Answer } from '../../domain/evidence/decisions.ts';
import { gate } from '../support/gate.ts';
import type { Rotation } from '../support/rotations.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating } = useTimeSkipping();
const GRACE = 'grace@example.org';

const update = ({ handle }: Rotation, name: string, input: unknown): Promise<Answer> =>
  handle.executeUpdate<Answer, [unknown]>(name, { args: [input], updateId: randomUUID() });

/** Why an update failed. */
const failureOf = async (updated: Promise<Answer>): Promise<string> => {
  const failure: unknown = await updated.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(WorkflowUpdateFailedError);
  return String((failure as WorkflowUpdateFailedError).cause?.message);
};

/**
 * Sends a decision that is refused either way, and reads why: a signal is answered in the details,
 * an update fails.
 */
const refused = {
  signal: async (rotation: Rotation, name: string, input: unknown): Promise<string> => {
    await rotation.handle.signal<[unknown]>(name, input);
    return rotation.answered(/./);
  },
  update: async (rotation: Rotation, name: string, input: unknown): Promise<string> => {
    const why = await failureOf(update(rotation, name, input));
    expect(await rotation.answered(/./)).toBe(why);
    return why;
  },
};

/**
 * Sends a decision that is accepted either way. Its answer is gone from the details once the
 * rotation has ended.
 */
const accepted = {
  signal: (rotation: Rotation, name: string, input: unknown): Promise<string | undefined> =>
    rotation.handle.signal<[unknown]>(name, input).then(() => undefined),
  update: async (rotation: Rotation, name: string, input: unknown): Promise<string | undefined> => {
    const { accepted: isAccepted, answer } = await update(rotation, name, input);
    expect(isAccepted).toBe(true);
    return answer;
  },
};

type Way = keyof typeof refused;

const SCENES: Record<string, (rotation: Rotation, way: Way) => Promise<void>> = {
  'an approval revokes': async (rotation, way) => {
    const { code } = await rotation.awaitingApproval();
    const answer = await accepted[way](rotation, 'approve', { by: GRACE, evidence: code });
    expect([undefined, `approved by ${GRACE}`]).toContain(answer);
    const approval = { by: GRACE, evidence: code, revoke: [101] };
    const report = await rotation.report();
    expect(report).toMatchObject({ outcome: 'rotated', approvals: [approval] });
    expect((await rotation.status()).lastAnswer).toBeUndefined();
  },
  'an approval with another code is refused and revokes nothing': async (rotation, way) => {
    await rotation.awaitingApproval();
    expect(await refused[way](rotation, 'approve', { by: GRACE, evidence: '00000000' })).toMatch(
      /not accepted: that is not the code of this evidence/,
    );
    expect(rotation.systems.revoked).toEqual([]);
  },
  'a rejection ends': async (rotation, way) => {
    await rotation.awaitingApproval();
    const answer = await accepted[way](rotation, 'reject', { by: GRACE, reason: 'not now' });
    expect([undefined, `rejected by ${GRACE}`]).toContain(answer);
    expect(await rotation.report()).toMatchObject({ outcome: 'rejected', revoked: [] });
  },
  'a retry of what is not blocked is refused': async (rotation, way) => {
    await rotation.approve();
    await rotation.noted('confirm', /checking again in/);
    expect(await refused[way](rotation, 'retry', { by: GRACE })).toBe(
      'retry not accepted: nothing is blocked',
    );
  },
  'an abort ends tidily': async (rotation, way) => {
    await rotation.awaitingApproval();
    const answer = await accepted[way](rotation, 'abort', { by: GRACE, reason: 'wrong pair' });
    expect([undefined, `stopping: asked by ${GRACE}`]).toContain(answer);
    expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [] });
  },
  'a classification that nothing waits for is refused': async (rotation, way) => {
    await rotation.awaitingApproval();
    expect(await refused[way](rotation, 'classify', { by: GRACE, as: 'disused' })).toMatch(
      /nothing waits for a classification/,
    );
  },
};

for (const [what, scene] of Object.entries(SCENES))
  for (const way of ['signal', 'update'] as const)
    test(`${what}, sent as ${way}`, () => rotating((rotation) => scene(rotation, way)));

test.each([
  ['approve', { by: GRACE }, /evidence: expected a text/],
  ['reject', 'no', /expected one JSON object/],
  ['retry', { by: '' }, /by: expected your name/],
  ['abort', { by: GRACE, reason: 'x', force: true }, /force: unknown field/],
  ['classify', { by: GRACE, as: 'mine' }, /as: expected one of external, disused, internal/],
])('a misshapen %s sent as update is refused before it is recorded', (name, input, why) =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    expect(await failureOf(update(rotation, name, input))).toMatch(why);
    const { events = [] } = await rotation.handle.fetchHistory();
    expect(events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toBe(
      false,
    );
  }),
);

test('a signal whose name nobody knows is answered with those that there are', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.handle.signal<[unknown]>('aprove', { by: GRACE });
    expect(await rotation.answered(/aprove/)).toBe(
      'no signal is named aprove; there are approve, reject, retry, abort, classify',
    );
  }));

test('whoever approves by update while it is rejected gets an answer, not silence', () => {
  const verdict = gate();
  return rotating(async (rotation) => {
    const { code } = await rotation.awaitingApproval();
    rotation.systems.onCall = (name) => (name === 'judge' ? verdict.stop() : undefined);
    const answered = failureOf(
      update(rotation, 'approve', { by: 'ada@example.org', evidence: code }),
    );
    await verdict.reached;
    await rotation.send('reject', { by: GRACE, reason: 'not now' });
    verdict.open();
    expect(await answered).toContain('rejected meanwhile');
    expect(await rotation.report()).toMatchObject({ outcome: 'rejected', revoked: [] });
  });
});

test('a cancel while an approval by update is judged ends tidily, and the approver gets an answer', () => {
  const verdict = gate();
  return rotating(async (rotation) => {
    const { code } = await rotation.awaitingApproval();
    rotation.systems.onCall = (name) => (name === 'judge' ? verdict.stop() : undefined);
    const answered = failureOf(update(rotation, 'approve', { by: GRACE, evidence: code }));
    await verdict.reached;
    await rotation.handle.cancel();
    expect(await answered).toMatch(/not accepted/);
    expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [] });
    verdict.open();
  });
});

test('every decision has a description for the UI, as signal and as update', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    type Named = { name?: string; description?: string }[];
    const { definition } = await rotation.handle.query<{
      definition: { signalDefinitions: Named; updateDefinitions: Named };
    }>('__temporal_workflow_metadata');
    for (const named of [definition.signalDefinitions, definition.updateDefinitions])
      for (const decision of ['approve', 'reject', 'retry', 'abort', 'classify'])
        expect(named.find(({ name }) => name === decision)?.description).toMatch(/\{"by"/);
  }));
