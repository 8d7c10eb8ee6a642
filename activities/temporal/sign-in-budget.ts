import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import type { Environment } from '../../domain/request.ts';
import { taskQueueOf } from '../../domain/request.ts';
import { failure } from '../failure.ts';
import type { SignInBudget } from '../signon/sign-in-budget.ts';

/** What the ledger answers. */
interface Grant {
  granted: boolean;
  spent: boolean;
  until?: string;
}

/** Whoever signs in has the session to itself: nobody else can use it meanwhile. */
const ANSWERS_WITHIN_MS = 20_000;

/** Counts sign-ins in the workflow `sign-in-ledger/<environment>`, which all workers of the environment share. */
export function createSignInBudget(client: Client, environment: Environment): SignInBudget {
  const workflowId = `sign-in-ledger/${environment}`;
  const within = <T>(ask: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + ANSWERS_WITHIN_MS, ask);
  return {
    async reserve() {
      const id = randomUUID();
      const startWorkflowOperation = new WithStartWorkflowOperation('signInLedger', {
        workflowId,
        taskQueue: taskQueueOf(environment),
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: 'Counts sign-ins to Signon: at most 3 refused an hour',
      });
      const answer = await within(() =>
        client.workflow.executeUpdateWithStart<() => Promise<void>, Grant, [string]>('reserve', {
          args: [id],
          updateId: id,
          startWorkflowOperation,
        }),
      ).catch(() => {
        throw failure('Unreachable', 'Temporal did not count a sign-in, so none was sent');
      });
      if (!answer.granted && answer.spent)
        throw failure(
          'SignInBudgetSpent',
          `3 sign-ins were refused, or never answered, within the hour; the next may be tried at ${answer.until}`,
        );
      if (!answer.granted) throw failure('Unreachable', '3 sign-ins to Signon are under way; this one waits its turn');
      return {
        settle: (outcome) =>
          within(() => client.workflow.getHandle(workflowId).signal('settle', id, outcome === 'refused')),
      };
    },
  };
}
