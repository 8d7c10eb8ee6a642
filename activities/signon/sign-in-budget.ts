/** Leave to send a password to Signon once; counts against the hour until released. */
export interface Reservation {
  /** Says that this sign-in was not refused. */
  release(): Promise<void>;
}

/** At most 3 refused sign-ins an hour reach Signon from all workers and restarts together. */
export interface SignInBudget {
  /** @throws SignInBudgetSpent (not retried), naming when the next may be tried */
  reserve(): Promise<Reservation>;
}
