import {
  FLAG,
  listOf,
  matching,
  object,
  oneOf,
  pairOf,
  type Read,
  reader,
  wholeNumber,
} from '../shape/index.ts';

const ID = matching(/^[\w-]{1,64}$/);
/** HMAC-SHA256 (hex). It takes the account's TOTP secret to make one, so a worker made it. */
const PROOF = matching(/^[0-9a-f]{64}$/);
/** Ms since the epoch. */
const AT = wholeNumber();

/**
 * What a worker asks the sign-in ledger.
 * `at` is when, by the worker's clock: an old question is somebody's copy.
 */
const QUESTION = { id: ID, at: AT, proof: PROOF };
export type SignInQuestion = Read<typeof QUESTION>;
export const parseQuestion = reader(QUESTION);

/**
 * What a sign-in came to: `no-effect` where Signon did not judge it, `withdrawn` where its question
 * was given up, be it before the ledger saw it.
 */
const OUTCOME = {
  id: ID,
  outcome: oneOf(['accepted', 'refused', 'no-effect', 'withdrawn']),
  proof: PROOF,
};
export type SignInOutcome = Read<typeof OUTCOME>;
export const parseOutcome = reader(OUTCOME);

/** What the ledger answers to a question. */
export interface SignInGrant {
  granted: boolean;
  /** Whether all that count were refused; where not, some are still under way. */
  spent: boolean;
  /**
   * ISO: when the next sign-in may be tried; absent where granted, and where a person must send
   * `forget` first.
   */
  until?: string;
  /** No worker of this environment asked, or the question is a copy. */
  unproven?: true;
}

/** Reads what the ledger passed to continue-as-new. */
export const parseLedger = reader({
  /** Sign-ins that count. */
  counted: listOf(object({ id: ID, at: AT, refused: FLAG })),
  /** Questions that were answered, and when: one of them counts no second time. */
  answered: listOf(pairOf(ID, AT)),
  /** Refusals since the last sign-in that was accepted. */
  inARow: wholeNumber(0),
});
