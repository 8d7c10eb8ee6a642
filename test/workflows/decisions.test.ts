import { expect, test } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import type { Answer } from '../../domain/decisions.ts';
import { gate } from '../support/gate.ts';
import type { Rotation } from '../support/rotations.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating } = useTimeSkipping();
const GRACE = 'grace@example.org';

const update = ({ handle }: Rotation, name: string, input: unknown): Promise<Answer> =>
  handle.executeUpdate<Answer, [unknown]>(name, { args: [input], updateId: randomUUID() });

/** Sends a decision either way, and reads its answer where people see it. */
const ways = {
  signal: async (rotation: Rotation, name: string, input: unknown): Promise<string> => {
    await rotation.handle.signal<[unknown]>(name, input);
    return rotation.answered(/./);
  },
  update: async (rotation: Rotation, name: string, input: unknown): Promise<string> => {
    const { answer } = await update(rotation, name, input);
    expect(await rotation.answered(/./)).toBe(answer);
    return answer;
  },
};

const SCENES: Record<
  string,
  (rotation: Rotation, send: (name: string, input: unknown) => Promise<string>) => Promise<void>
> = {
  'an approval revokes': async (rotation, send) => {
    const { code } = await rotation.awaitingApproval();
    expect(await send('approve', { by: GRACE, evidence: code })).toBe(`approved by ${GRACE}`);
    expect(await rotation.report()).toMatchObject({ outcome: 'rotated', approvals: [{ by: GRACE, revoke: [101] }] });
  },
  'an approval with another code is refused and revokes nothing': async (rotation, send) => {
    await rotation.awaitingApproval();
    expect(await send('approve', { by: GRACE, evidence: '00000000' })).toMatch(
      /not accepted: the evidence has changed/,
    );
    expect(rotation.systems.revoked).toEqual([]);
  },
  'a rejection ends': async (rotation, send) => {
    await rotation.awaitingApproval();
    expect(await send('reject', { by: GRACE, reason: 'not now' })).toBe(`rejected by ${GRACE}`);
    expect(await rotation.report()).toMatchObject({ outcome: 'rejected', revoked: [] });
  },
  'a retry of what is not blocked is refused': async (rotation, send) => {
    await rotation.awaitingApproval();
    expect(await send('retry', { by: GRACE })).toBe('retry not accepted: nothing is blocked');
  },
  'an abort ends tidily': async (rotation, send) => {
    await rotation.awaitingApproval();
    expect(await send('abort', { by: GRACE, reason: 'wrong pair' })).toBe(`stopping: asked by ${GRACE}`);
    expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [] });
  },
  'a classification that nothing waits for is refused': async (rotation, send) => {
    await rotation.awaitingApproval();
    expect(await send('classify', { by: GRACE, as: 'disused' })).toMatch(/nothing waits for a classification/);
  },
};

for (const [what, scene] of Object.entries(SCENES))
  for (const way of ['signal', 'update'] as const)
    test(`${what}, sent as ${way}`, () =>
      rotating((rotation) => scene(rotation, (name, input) => ways[way](rotation, name, input))));

test.each([
  ['approve', { by: GRACE }, /evidence: expected a text/],
  ['reject', 'no', /expected one JSON object/],
  ['retry', { by: '' }, /by: expected a text/],
  ['abort', { by: GRACE, reason: 'x', force: true }, /force: unknown field/],
  ['classify', { by: GRACE, as: 'mine' }, /as: expected one of external, disused, internal/],
])('a misshapen %s sent as update is refused before it is recorded', (name, input, why) =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    const refused: unknown = await update(rotation, name, input).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(String((refused as WorkflowUpdateFailedError).cause)).toMatch(why);
    const { events = [] } = await rotation.handle.fetchHistory();
    expect(events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toBe(false);
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
    const approved = update(rotation, 'approve', { by: 'ada@example.org', evidence: code });
    await verdict.reached;
    await rotation.send('reject', { by: GRACE, reason: 'not now' });
    verdict.open();
    expect(await approved).toEqual({ accepted: false, answer: expect.stringContaining('rejected meanwhile') });
    expect(await rotation.report()).toMatchObject({ outcome: 'rejected', revoked: [] });
  });
});

test('a cancel while an approval by update is judged ends tidily, and the approver gets an answer', () => {
  const verdict = gate();
  return rotating(async (rotation) => {
    const { code } = await rotation.awaitingApproval();
    rotation.systems.onCall = (name) => (name === 'judge' ? verdict.stop() : undefined);
    const approved = update(rotation, 'approve', { by: GRACE, evidence: code });
    await verdict.reached;
    await rotation.handle.cancel();
    expect(await approved).toMatchObject({ accepted: false });
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
