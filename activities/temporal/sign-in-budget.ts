import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import type { Environment } from '../../domain/request.ts';
import { taskQueueOf } from '../../domain/request.ts';
import { failure } from '../failure.ts';
import type { SignInBudget } from '../signon/sign-in-budget.ts';

/** Counts sign-ins in the workflow `sign-in-ledger/<environment>`, which all workers of the environment share. */
export function createSignInBudget(client: Client, environment: Environment): SignInBudget {
  const workflowId = `sign-in-ledger/${environment}`;
  return {
    async reserve() {
      const id = randomUUID();
      const startWorkflowOperation = new WithStartWorkflowOperation('signInLedger', {
        workflowId,
        taskQueue: taskQueueOf(environment),
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: 'Counts sign-ins to Signon: at most 3 refused an hour',
      });
      const answer = await client.workflow
        .executeUpdateWithStart<() => Promise<void>, { granted: boolean; until?: string }, [string]>('reserve', {
          args: [id],
          updateId: id,
          startWorkflowOperation,
        })
        .catch(() => {
          throw failure('Unreachable', 'Temporal did not count a sign-in, so none was sent');
        });
      if (!answer.granted)
        throw failure(
          'SignInBudgetSpent',
          `3 sign-ins were refused or are undecided within the hour; the next may be tried at ${answer.until}`,
        );
      return { release: () => client.workflow.getHandle(workflowId).signal('release', id) };
    },
  };
}
