/**
 * Permission to send a password to Signon once; counts against the hour until Signon is known not
 * to have refused it.
 */
interface Reservation {
  /** Says what the sign-in came to; `no-effect` where Signon did not judge it. */
  settle: (outcome: 'accepted' | 'refused' | 'no-effect') => Promise<void>;
}

/** At most 3 refused sign-ins an hour reach Signon from all workers and restarts together. */
export interface SignInBudget {
  /**
   * @throws SignInBudgetSpent (not retried), naming when the next may be tried; Unreachable
   * (retried) while too many are under way
   */
  reserve: () => Promise<Reservation>;
}
