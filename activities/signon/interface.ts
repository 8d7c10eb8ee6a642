import type ms from 'ms';
import type { Pair } from '../../domain/rotation/index.ts';
import type { Recipient } from '../../domain/settings/index.ts';
import type { SignonPair } from '../../domain/sweep/index.ts';
import type { ListedToken } from '../../domain/tokens/index.ts';

export interface CreatedToken {
  /** The token made or found; `sha256` is known where its value was shown to this activity. */
  token: ListedToken;
  origin: 'issued' | 'maybe another’s';
  /** The pair's tokens as listed right after. */
  tokens: ListedToken[];
  /**
   * The token encrypted to the recipient's key, where one was named and the token's value was shown
   * to this activity.
   */
  armoured?: string;
}

export interface RevokeOrder {
  pair: Pair;
  token: ListedToken;
  /** ISO, by the worker's clock: the look that the revoke rests on is too old from then on. */
  notAfter: string;
}

/** A token that is gone, and the pair's tokens as Signon lists them after. */
export interface Revoked {
  how: 'revoked' | 'already-revoked';
  tokens: ListedToken[];
  /** ISO: no later than Signon listed them. */
  listedAt: string;
}

/**
 * What a rotation asks of Signon. Every method throws `SignInRefused`, `SignInBudgetSpent`,
 * `NotPermitted` and `ContractChanged` (not retried) and `Unreachable` (retried).
 */
export interface SignonActivities {
  /**
   * Finds the API user by e-mail and the application by its parameterized name. Reads only.
   * @throws UnknownApiUser, UnknownApplication, AmbiguousApplication, SecretNameShared (not
   * retried)
   */
  findPair: (wanted: { apiUser: string; application: string }) => Promise<Pair>;
  /**
   * Which of these Secrets the sync writes for an API user and an application of today. Reads only.
   */
  secretsOfPairs: (secrets: string[]) => Promise<string[]>;
  /**
   * The tokens of all API users, or of one, one page after the other with a pause between two.
   * Reads only; a retry goes on where the last attempt was.
   * @throws UnknownApiUser (not retried); WaitInterrupted (retried) when the worker shuts down
   */
  listPairs: (order: { pause: ms.StringValue; apiUser?: string }) => Promise<SignonPair[]>;
  /**
   * The pair's tokens as Signon lists them, expired ones included. Reads only.
   * @throws PairChanged, CannotTell (not retried)
   */
  listTokens: (pair: Pair) => Promise<ListedToken[]>;
  /**
   * Issues one token, and encrypts it to the recipient's key where one is given, unless one that
   * was not there before has appeared. A retry looks first, so a lost answer makes no second token.
   * @throws UnknownRecipient (not retried) where the settings no longer name the recipient with
   * that key; AccessEnded (not retried) where none of the tokens from before is left;
   * CreateAnswerLost (retried no sooner than Signon's request limit)
   */
  createToken: (order: {
    pair: Pair;
    before: number[];
    recipient?: Recipient;
  }) => Promise<CreatedToken>;
  /**
   * Revokes one authorisation. A retry is safe: one no longer listed counts as revoked, provided
   * its application is still on offer.
   * @throws CannotTell, NotTheApprovedToken, LookTooOld (not retried), RevokeNotSeen (retried)
   */
  revokeToken: (order: RevokeOrder) => Promise<Revoked>;
}
