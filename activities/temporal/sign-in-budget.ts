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

/** Whoever signs in has the session to itself. The ledger itself takes up to 20 s to answer. */
const ANSWERS_WITHIN_MS = 40_000;

/** Counts sign-ins in the workflow `sign-in-ledger/<environment>`, which all workers of the environment share. */
export function createSignInBudget(client: Client, environment: Environment): SignInBudget {
  const workflowId = `sign-in-ledger/${environment}`;
  const within = <T>(ask: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + ANSWERS_WITHIN_MS, ask);
  /** A question whose answer was lost may have been granted: it is asked again under its own id, which counts once. */
  let unanswered: string | undefined;
  return {
    async reserve() {
      const id = unanswered ?? randomUUID();
      unanswered = id;
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
      unanswered = undefined;
      if (!answer.granted && answer.spent)
        throw failure(
          'SignInBudgetSpent',
          `3 sign-ins were refused, or never answered, within the hour; the next may be tried at ${answer.until}`,
        );
      if (!answer.granted) throw failure('Unreachable', '3 sign-ins to Signon are under way; this one waits its turn');
      return {
        // One that cannot be said stays counted, at most for an hour: the sign-in itself came to what it came to.
        settle: (outcome) =>
          within(() => client.workflow.getHandle(workflowId).signal('settle', id, outcome === 'refused')).catch(
            () => undefined,
          ),
      };
    },
  };
}
