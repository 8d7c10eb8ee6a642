import {
  FLAG,
  type Fields,
  listOf,
  matching,
  object,
  oneOf,
  pairOf,
  readAs,
  wholeNumber,
} from '../shape/index.ts';

/**
 * What a worker says to the sign-in ledger. The proof shows that a worker says it: it takes the
 * account's TOTP secret to make one.
 */
export interface SignInQuestion {
  id: string;
  /**
   * When it was asked, by the worker's clock, ms since the epoch: an old question is somebody's
   * copy.
   */
  at: number;
  /** HMAC-SHA256 (hex). */
  proof: string;
}

const OUTCOMES = ['accepted', 'refused', 'no-effect'] as const;

export interface SignInOutcome {
  id: string;
  /** `no-effect` where Signon did not judge it. */
  outcome: (typeof OUTCOMES)[number];
  proof: string;
}

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

/** A sign-in that counts. */
interface CountedSignIn {
  id: string;
  /** Ms since the epoch. */
  at: number;
  refused: boolean;
}

/** What the ledger's cut history hands on. */
export interface CarriedLedger {
  counted: CountedSignIn[];
  /** Questions that were answered, and when: one of them counts no second time. */
  answered: [id: string, at: number][];
  /** Refusals since the last sign-in that was accepted. */
  inARow: number;
}

const ID = matching(/^[\w-]{1,64}$/);
const PROOF = matching(/^[0-9a-f]{64}$/);
const AT = wholeNumber();
const QUESTION: Fields<SignInQuestion> = { id: ID, at: AT, proof: PROOF };
const OUTCOME: Fields<SignInOutcome> = { id: ID, outcome: oneOf(OUTCOMES), proof: PROOF };
const LEDGER: Fields<CarriedLedger> = {
  counted: listOf(object({ id: ID, at: AT, refused: FLAG })),
  answered: listOf(pairOf(ID, AT)),
  inARow: wholeNumber(0),
};

/** Reads what came as a question strictly. Undefined where it is none. */
export function parseQuestion(input: unknown): SignInQuestion | undefined {
  return readAs(input, QUESTION);
}

/** Reads what came as an outcome strictly. Undefined where it is none. */
export function parseOutcome(input: unknown): SignInOutcome | undefined {
  return readAs(input, OUTCOME);
}

/** Reads what a cut history handed on. Undefined where it is not of that shape. */
export function parseLedger(input: unknown): CarriedLedger | undefined {
  return readAs(input, LEDGER);
}
