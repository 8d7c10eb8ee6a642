import { expect, test } from '../support/jest.ts';
import { WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';
import { withWorkers } from '../support/with-workers.ts';

const { server } = useTimeSkipping();
type Grant = { granted: boolean; spent: boolean; until?: string };

const PROOF = 'a'.repeat(64);
const FORGED = 'b'.repeat(64);

interface Ledger {
  handle: WorkflowHandle;
  reserve: (id: string, change?: object) => Promise<Grant>;
  settle: (id: string, refused: boolean, change?: object) => Promise<void>;
  ended: () => Promise<boolean>;
}

/** A ledger of its own, with the two things that workers do to it. */
async function withLedger(
  act: (ledger: Ledger) => Promise<void>,
  args: unknown[] = [],
): Promise<void> {
  const { client, nativeConnection: connection } = server();
  const [workflowId, taskQueue] = [randomUUID(), randomUUID()];
  const provesWorker = ({ proof }: { proof: string }): Promise<boolean> =>
    Promise.resolve(proof === PROOF);
  const handle = client.workflow.getHandle(workflowId);
  await withWorkers(
    {
      connection,
      taskQueue,
      activities: { provesWorker },
    },
    () =>
      act({
        handle,
        reserve: (id, change = {}) =>
          client.workflow.executeUpdateWithStart<
            (carried?: unknown) => Promise<void>,
            Grant,
            [unknown]
          >('reserve', {
            args: [{ id, at: 0, proof: PROOF, ...change }],
            startWorkflowOperation: new WithStartWorkflowOperation('signInLedger', {
              workflowId,
              taskQueue,
              args: args as [unknown],
              workflowIdConflictPolicy: 'USE_EXISTING',
            }),
          }),
        settle: (id, refused, change = {}) =>
          handle.signal('settle', {
            id,
            outcome: refused ? 'refused' : 'no-effect',
            proof: PROOF,
            ...change,
          }),
        ended: async () => (await handle.describe()).status.name === 'COMPLETED',
      }),
  );
}

test('three refusals within an hour spend it, for whoever asks; an hour later there is room again', () =>
  withLedger(async ({ reserve, settle }) => {
    for (const id of ['a', 'b', 'c']) {
      expect(await reserve(id)).toMatchObject({ granted: true });
      await settle(id, true);
    }
    const denied = await reserve('d');
    expect(denied).toMatchObject({ granted: false, spent: true });
    expect(Date.parse(denied.until ?? '') - (await server().currentTimeMs())).toBeGreaterThan(
      3_500_000,
    );
    await server().sleep('61 minutes');
    expect(await reserve('e')).toMatchObject({ granted: true });
  }));

test('sign-ins that were not refused do not count, however many', () =>
  withLedger(async ({ reserve, settle, ended }) => {
    for (let i = 0; i < 6; i++) {
      expect(await reserve(`worker-${i}`)).toMatchObject({ granted: true });
      await settle(`worker-${i}`, false);
    }
    await server().sleep('16 minutes');
    await until('the end of the ledger', async () => (await ended()) || undefined);
  }));

test('a fourth waits while three are under way, and is let in when one of them was accepted', () =>
  withLedger(async ({ reserve, settle }) => {
    for (const id of ['a', 'b', 'c']) await reserve(id);
    const fourth = reserve('d');
    await settle('b', false);
    expect(await fourth).toMatchObject({ granted: true });
  }));

test('three that were never heard of again count as refused: their workers died', () =>
  withLedger(async ({ reserve }) => {
    for (const id of ['a', 'b', 'c']) await reserve(id);
    await server().sleep('3 minutes');
    expect(await reserve('d')).toMatchObject({ granted: false, spent: true });
  }));

test('a question that is asked twice takes one place', () =>
  withLedger(async ({ reserve }) => {
    for (const id of ['a', 'a', 'b', 'a', 'c'])
      expect(await reserve(id)).toMatchObject({ granted: true });
  }));

test('what nobody proves counts for nothing: three forged questions and refusals leave all room for a worker', () =>
  withLedger(async ({ reserve, settle }) => {
    expect(await reserve('a')).toMatchObject({ granted: true });
    for (const id of ['x', 'y', 'z']) {
      expect(await reserve(id, { proof: FORGED })).toEqual({
        granted: false,
        spent: false,
        unproven: true,
      });
      await settle(id, true, { proof: FORGED });
    }
    for (const id of ['b', 'c']) expect(await reserve(id)).toMatchObject({ granted: true });
  }));

test('a forged outcome neither frees a place nor spends one', () =>
  withLedger(async ({ reserve, settle }) => {
    for (const id of ['a', 'b', 'c']) {
      await reserve(id);
      await settle(id, true);
      await settle(id, false, { proof: FORGED });
    }
    expect(await reserve('d')).toMatchObject({ granted: false, spent: true });
  }));

test('a copy of a question that was settled takes no place', () =>
  withLedger(async ({ reserve, settle }) => {
    for (const id of ['a', 'b', 'c']) {
      await reserve(id);
      await settle(id, false);
      expect(await reserve(id)).toMatchObject({ granted: false, unproven: true });
    }
    for (const id of ['d', 'e', 'f']) expect(await reserve(id)).toMatchObject({ granted: true });
  }));

test('a question that was given up takes no place, whether the ledger saw it before or after', () =>
  withLedger(async ({ reserve, settle }) => {
    const outcome = { outcome: 'withdrawn' };
    expect(await reserve('a')).toMatchObject({ granted: true });
    for (const id of ['b', 'c', 'd']) {
      await settle(id, false, outcome);
      expect(await reserve(id)).toMatchObject({ granted: false, unproven: true });
    }
    for (const id of ['e', 'f']) expect(await reserve(id)).toMatchObject({ granted: true });
    for (const id of ['a', 'e', 'f']) await settle(id, false, outcome);
    for (const id of ['g', 'h', 'i']) expect(await reserve(id)).toMatchObject({ granted: true });
  }));

test('nobody but a worker gives a question up', () =>
  withLedger(async ({ reserve, settle }) => {
    await reserve('a');
    for (const id of ['b', 'c']) {
      await settle(id, false, { outcome: 'withdrawn', proof: FORGED });
      expect(await reserve(id)).toMatchObject({ granted: true });
    }
    for (const id of ['a', 'b', 'c']) await settle(id, true);
    expect(await reserve('d')).toMatchObject({ granted: false, spent: true });
    for (const id of ['a', 'b', 'c']) await settle(id, false, { outcome: 'withdrawn' });
    expect(await reserve('e')).toMatchObject({ granted: false, spent: true });
  }));

test('misshapen messages are refused or dropped, and stop nobody', () =>
  withLedger(async ({ reserve, handle }) => {
    await reserve('a');
    for (const odd of [
      { id: 'x'.repeat(65) },
      { id: 7 },
      { at: 'soon' },
      { proof: null },
      { proof: 'x'.repeat(1000) },
    ])
      await expect(reserve('odd', odd)).rejects.toThrow(/Update/);
    for (const odd of [
      undefined,
      null,
      'a',
      { id: 'a' },
      { id: 'a', outcome: 'yes', proof: PROOF },
    ])
      await handle.signal('settle', odd);
    await handle.signal('nonsense', 7);
    expect(await reserve('b')).toMatchObject({ granted: true });
  }));

test('what somebody starts it with is not believed', () => {
  const spent = ['x', 'y', 'z'].map((id) => ({ id, at: Date.now(), refused: true }));
  return withLedger(
    async ({ reserve }) => expect(await reserve('a')).toMatchObject({ granted: true }),
    [{ counted: spent, answered: [], inARow: 5 }],
  );
});

test('four refusals in a row, hours apart, stop sign-ins until a person says forget: the next may lock the account', () =>
  withLedger(async ({ reserve, settle, handle }) => {
    for (const id of ['a', 'b', 'c', 'd']) {
      expect(await reserve(id)).toMatchObject({ granted: true });
      await settle(id, true);
      await server().sleep('61 minutes');
    }
    await server().sleep('3 days');
    expect(await reserve('f')).toEqual({ granted: false, spent: true });
    const { currentDetails } = await handle.query<{ currentDetails?: string }>(
      '__temporal_workflow_metadata',
    );
    expect(currentDetails).toMatch(/refused in a row:\*\* 4[^]*send the signal `forget`/);
    await handle.signal('forget');
    expect(await reserve('g')).toMatchObject({ granted: true });
  }));

test('one accepted sign-in ends a row of refusals', () =>
  withLedger(async ({ reserve, settle }) => {
    for (const [at, refused] of [true, true, true, false, true, true, true].entries()) {
      expect(await reserve(`s${at}`)).toMatchObject({ granted: true });
      await settle(`s${at}`, refused, { outcome: refused ? 'refused' : 'accepted' });
      await server().sleep('61 minutes');
    }
    expect(await reserve('last')).toMatchObject({ granted: true });
  }));

test.each([
  ['without an answer, which Signon may have counted', false],
  ['never heard of', undefined],
])('a sign-in %s ends no row of refusals', (_what, outcome) =>
  withLedger(async ({ reserve, settle }) => {
    const ids = ['a', 'b', 'c', 'none', 'd'];
    for (const id of ids) {
      expect(await reserve(id)).toMatchObject({ granted: true });
      if (id !== 'none') await settle(id, true);
      else if (outcome !== undefined) await settle(id, outcome);
      else break;
      await server().sleep('61 minutes');
    }
    await server().sleep('61 minutes');
    expect(await reserve('last')).toMatchObject({ granted: false, spent: true });
  }),
);
