import type { SignInOutcome } from '../../domain/sign-in/index.ts';

/** At most 3 refused sign-ins an hour reach Signon from all workers and restarts together. */
export interface SignInBudget {
  /**
   * Permits sending a password to Signon once; counts against the hour until Signon is known not to
   * have refused it.
   * @returns what says what the sign-in came to
   * @throws SignInBudgetSpent (not retried), naming when the next may be tried; Unreachable
   * (retried) while too many are under way
   */
  reserve: () => Promise<(outcome: SignInOutcome['outcome']) => Promise<void>>;
}
