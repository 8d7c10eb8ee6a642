import { expect, test } from '@jest/globals';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { BUNDLE } from '../support/bundle.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';

const { server } = useTimeSkipping();
type Grant = { granted: boolean; spent: boolean; until?: string };

/** A ledger of its own, with the two things that workers do to it. */
async function withLedger(
  act: (ledger: {
    reserve: (id: string) => Promise<Grant>;
    settle: (id: string, refused: boolean) => Promise<void>;
    ended: () => Promise<boolean>;
  }) => Promise<void>,
): Promise<void> {
  const { client, nativeConnection: connection } = server();
  const [workflowId, taskQueue] = [randomUUID(), randomUUID()];
  const worker = await Worker.create({ connection, taskQueue, workflowBundle: BUNDLE });
  await worker.runUntil(() =>
    act({
      reserve: (id) =>
        client.workflow.executeUpdateWithStart<() => Promise<void>, Grant, [string]>('reserve', {
          args: [id],
          startWorkflowOperation: new WithStartWorkflowOperation('signInLedger', {
            workflowId,
            taskQueue,
            workflowIdConflictPolicy: 'USE_EXISTING',
          }),
        }),
      settle: (id, refused) => client.workflow.getHandle(workflowId).signal('settle', id, refused),
      ended: async () => (await client.workflow.getHandle(workflowId).describe()).status.name === 'COMPLETED',
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
    expect(Date.parse(denied.until ?? '') - (await server().currentTimeMs())).toBeGreaterThan(3_500_000);
    await server().sleep('61 minutes');
    expect(await reserve('e')).toMatchObject({ granted: true });
  }));

test('sign-ins that were not refused do not count, however many', () =>
  withLedger(async ({ reserve, settle, ended }) => {
    for (let i = 0; i < 6; i++) {
      expect(await reserve(`worker-${i}`)).toMatchObject({ granted: true });
      await settle(`worker-${i}`, false);
    }
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
    for (const id of ['a', 'a', 'b', 'a', 'c']) expect(await reserve(id)).toMatchObject({ granted: true });
  }));
