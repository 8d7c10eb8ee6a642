import { createHmac, timingSafeEqual } from 'node:crypto';
import ms from 'ms';
import type { Environment } from '../../domain/request/index.ts';
import type { SignInOutcome, SignInQuestion } from '../../domain/sign-in/index.ts';
import type { Secret } from '../../config/secret.ts';
import type { LedgerActivities } from './interface.ts';
import { signInLedgerId } from '../../domain/names/index.ts';

/**
 * A question that is older, or of a later time, is not believed: workers' clocks differ by less.
 */
const FRESH_FOR_MS = ms('5 minutes');

type Said = Omit<SignInQuestion, 'proof'> | Omit<SignInOutcome, 'proof'>;

/**
 * What only a worker of the environment can add to a message: the TOTP secret is random, so the
 * proof, which stands in histories, gives no way to guess it; of the password it would.
 */
export function signInProof(totpSecret: Secret, environment: Environment, said: Said): string {
  const key = totpSecret.reveal().toUpperCase().replace(/[\s=]/g, '');
  const what =
    'outcome' in said ? ['settle', said.id, said.outcome] : ['reserve', said.id, said.at];
  return createHmac('sha256', key)
    .update(JSON.stringify([signInLedgerId(environment), ...what]))
    .digest('hex');
}

export function createLedgerActivities(
  totpSecret: Secret,
  environment: Environment,
): LedgerActivities {
  return {
    provesWorker({ proof, ...said }) {
      const isFresh = 'outcome' in said || Math.abs(Date.now() - said.at) <= FRESH_FOR_MS;
      const expected = Buffer.from(signInProof(totpSecret, environment, said));
      const given = Buffer.from(proof);
      return Promise.resolve(
        isFresh && given.length === expected.length && timingSafeEqual(given, expected),
      );
    },
  };
}
