import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createSignInBudget } from '../../activities/temporal/sign-in-budget.ts';
import { createLedgerActivities, signInProof } from '../../activities/temporal/sign-in-proof.ts';
import { Secret } from '../../config/secret.ts';
import { SIGNAL, signInLedgerId, WORKFLOW } from '../../domain/names/index.ts';
import { taskQueueOf } from '../../domain/request/index.ts';
import { BUNDLE } from '../support/bundle.ts';
import { gate } from '../support/gate.ts';
import { setUpRuntime } from '../support/runtime.ts';
import { namespaceOfItsOwn } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { withWorkers } from '../support/with-workers.ts';

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
function withLedger<T>(act: () => Promise<T>, activities = proving): Promise<T> {
  const taskQueue = taskQueueOf('integration');
  return withWorkers({ connection: native, namespace, taskQueue, activities }, act);
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
  await withLedger(async () => {
    for (let place = 1; place <= 3; place++)
      expect(await budget().reserve()).toBeInstanceOf(Function);
  });
});

test('an outcome and a question that reach the ledger together are replayed as they were', async () => {
  const settle = await withLedger(() => budget().reserve());
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
  await withLedger(() => asked, questionAfterOutcome);
  const history = await client.workflow.getHandle(LEDGER).fetchHistory();
  await expect(
    Worker.runReplayHistory({ workflowBundle: BUNDLE }, history, LEDGER),
  ).resolves.toBeUndefined();
});

test('a ledger whose first task did nothing takes outcomes before questions, as a replay does', async () => {
  const ledger = await client.workflow.start(WORKFLOW.signIns, {
    workflowId: LEDGER,
    taskQueue: taskQueueOf('integration'),
  });
  const pending = async () => (await ledger.describe()).raw.pendingWorkflowTask ?? undefined;
  await withLedger(() => until('the first task', async () => !(await pending())));
  const asked = Promise.all([budget().reserve(), budget().reserve()]);
  await until('a question', pending);
  for (const id of ['of-a-worker-that-ended', 'of-another']) {
    const withdrawn = { id, outcome: 'withdrawn' } as const;
    const proof = signInProof(SECRET, 'integration', withdrawn);
    await ledger.signal(SIGNAL.signInSettled, { ...withdrawn, proof });
  }
  const taken: string[] = [];
  const inOrder: typeof proving = {
    provesWorker(said) {
      taken.push('outcome' in said ? said.outcome : 'question');
      return proving.provesWorker(said);
    },
  };
  await withLedger(() => asked, inOrder);
  expect(taken).toEqual(['withdrawn', 'withdrawn', 'question', 'question']);
  await expect(
    Worker.runReplayHistory({ workflowBundle: BUNDLE }, await ledger.fetchHistory(), LEDGER),
  ).resolves.toBeUndefined();
});
