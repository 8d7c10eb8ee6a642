import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import ms from 'ms';
import { randomUUID } from 'node:crypto';
import { type Environment, taskQueueOf } from '../../domain/request/index.ts';
import type { SignInGrant, SignInOutcome, SignInQuestion } from '../../domain/sign-in/index.ts';
import { failure } from '../failure.ts';
import { shuttingDown } from '../polling.ts';
import type { Secret } from '../../config/secret.ts';
import type { SignInBudget } from '../signon/session.ts';
import { signInProof } from './sign-in-proof.ts';
import { SIGNAL, WORKFLOW, signInLedgerId } from '../../domain/names/index.ts';

/** Whoever signs in has the session to itself. The ledger itself takes up to 20 s to answer. */
const ANSWERS_WITHIN_MS = 40_000;
/** A question is asked again under its id while it is certain to be believed. */
const ASKED_AGAIN_FOR_MS = ms('3 minutes');

/**
 * Counts sign-ins in the workflow `sign-in-ledger/<environment>`, which all workers of the
 * environment share.
 * @param totpSecret shows the ledger that a worker asks
 * @param draining aborted when the worker shuts down: it may be the only one that could answer, so
 * a question is given up at once
 */
export function createSignInBudget(
  client: Client,
  environment: Environment,
  totpSecret: Secret,
  draining?: AbortSignal,
): SignInBudget {
  const workflowId = signInLedgerId(environment);
  const within = <T>(ask: () => Promise<T>): Promise<T> =>
    client.withDeadline(Date.now() + ANSWERS_WITHIN_MS, ask);
  const proven = <T extends Omit<SignInQuestion, 'proof'> | Omit<SignInOutcome, 'proof'>>(
    said: T,
  ): T & { proof: string } => ({ ...said, proof: signInProof(totpSecret, environment, said) });
  /**
   * A question whose answer was lost may have been granted: it is asked again under its own id,
   * which counts once.
   */
  let unanswered: SignInQuestion | undefined;
  /** If it cannot be sent, the sign-in stays counted for an hour at most. */
  const tell = (id: string, outcome: SignInOutcome['outcome']): Promise<void> =>
    within(() =>
      client.workflow.getHandle(workflowId).signal(SIGNAL.signInSettled, proven({ id, outcome })),
    ).catch(() => undefined);
  return {
    async reserve() {
      if (draining?.aborted) throw shuttingDown();
      const isFresh = unanswered !== undefined && Date.now() - unanswered.at < ASKED_AGAIN_FOR_MS;
      const question = isFresh ? unanswered! : proven({ id: randomUUID(), at: Date.now() });
      const { id } = question;
      unanswered = question;
      const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOW.signIns, {
        workflowId,
        taskQueue: taskQueueOf(environment),
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: 'Counts sign-ins to Signon: at most 3 refused an hour, and 4 in a row',
      });
      const givenUp = new AbortController(); // the SDK keeps every call that a signal was given to
      const giveUp = (): void => givenUp.abort();
      draining?.addEventListener('abort', giveUp);
      const answer = await within(() =>
        client.withAbortSignal(givenUp.signal, () =>
          client.workflow.executeUpdateWithStart<
            () => Promise<void>,
            SignInGrant,
            [SignInQuestion]
          >('reserve', { args: [question], updateId: id, startWorkflowOperation }),
        ),
      )
        .catch(async () => {
          if (givenUp.signal.aborted) {
            await tell(id, 'withdrawn');
            throw shuttingDown();
          }
          throw failure(
            'Unreachable',
            `the workflow ${workflowId} did not count a sign-in, so none was sent`,
          );
        })
        .finally(() => draining?.removeEventListener('abort', giveUp));
      unanswered = undefined;
      if (answer.unproven)
        throw failure(
          'SignInUnproven',
          `${workflowId} could not verify that a worker of ${environment} asked`,
        );
      if (!answer.granted && answer.spent)
        throw failure(
          'SignInBudgetSpent',
          answer.until === undefined
            ? `4 sign-ins in a row were refused, and more may lock the account; the next may be tried once ${workflowId} got the signal forget`
            : `3 sign-ins were refused, or never answered, within the hour; the next may be tried at ${answer.until}`,
        );
      if (!answer.granted)
        throw failure('Unreachable', '3 sign-ins to Signon are under way; this one waits its turn');
      return (outcome) => tell(id, outcome);
    },
  };
}
