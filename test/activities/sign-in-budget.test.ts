import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createSignInBudget } from '../../activities/temporal/sign-in-budget.ts';
import { createLedgerActivities } from '../../activities/temporal/sign-in-proof.ts';
import { Secret } from '../../config/secret.ts';
import { signInLedgerId } from '../../domain/names/index.ts';
import { taskQueueOf } from '../../domain/request/index.ts';
import { BUNDLE } from '../support/bundle.ts';
import { gate } from '../support/gate.ts';
import { setUpRuntime } from '../support/runtime.ts';
import { namespaceOfItsOwn } from '../support/temporal.ts';
import { until } from '../support/until.ts';

const SECRET = new Secret('JBSWY3DPEHPK3PXP');
const LEDGER = signInLedgerId('integration');
const proving = createLedgerActivities(SECRET, 'integration');

let namespace: string;
let client: Client;
let native: NativeConnection;
beforeEach(async () => {
  setUpRuntime();
  const own = await namespaceOfItsOwn();
  namespace = own.namespace;
  const { address } = own.temporal;
  native = await NativeConnection.connect({ address });
  client = new Client({ connection: await Connection.connect({ address }), namespace });
});
afterEach(() => Promise.all([native.close(), client.connection.close()]));

const budget = (draining?: AbortSignal): ReturnType<typeof createSignInBudget> =>
  createSignInBudget(client, 'integration', SECRET, draining);

/** Runs the ledger while something is done. */
async function withWorker<T>(act: () => Promise<T>, activities = proving): Promise<T> {
  const taskQueue = taskQueueOf('integration');
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowBundle: BUNDLE,
    activities,
  });
  return worker.runUntil(act);
}

/** That a question waits for a worker. */
const isAsked = (): Promise<unknown> =>
  until('the ledger', () =>
    client.workflow
      .getHandle(LEDGER)
      .describe()
      .catch(() => undefined),
  );

test('a worker that shuts down gives its question up at once, and it takes no place', async () => {
  const draining = new AbortController();
  const ofTheOldWorker = budget(draining.signal);
  const asked = ofTheOldWorker.reserve();
  await isAsked(); // the one worker that could answer shuts down
  draining.abort();
  await expect(asked).rejects.toMatchObject({ type: 'WaitInterrupted' });
  await expect(ofTheOldWorker.reserve()).rejects.toMatchObject({ type: 'WaitInterrupted' });
  await withWorker(async () => {
    for (let place = 1; place <= 3; place++)
      expect(await budget().reserve()).toBeInstanceOf(Function);
  });
});

test('an outcome and a question that reach the ledger together are replayed as they were', async () => {
  const settle = await withWorker(() => budget().reserve());
  await settle('no-effect');
  const asked = budget().reserve();
  const outcome = gate();
  const questionAfterOutcome: typeof proving = {
    async provesWorker(said) {
      if ('outcome' in said) outcome.open();
      else await outcome.stop();
      return proving.provesWorker(said);
    },
  };
  await withWorker(() => asked, questionAfterOutcome);
  const history = await client.workflow.getHandle(LEDGER).fetchHistory();
  await expect(
    Worker.runReplayHistory({ workflowBundle: BUNDLE }, history, LEDGER),
  ).resolves.toBeUndefined();
});
