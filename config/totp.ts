import { createGuardrails, generateSync } from 'otplib';
import type { Secret } from './secret.ts';

/** Signon's older accounts have secrets of 10 bytes, fewer than the library takes by itself. */
const guardrails = createGuardrails({ MIN_SECRET_BYTES: 10 });

/**
 * The code of a moment: SHA-1, 6 digits, 30 s.
 * @param epoch seconds since 1970
 * @throws Error where the secret is not base32 of at least 10 bytes; the message holds no part of
 * it
 */
export function totpCode(secret: Secret, epoch: number): string {
  try {
    return generateSync({
      secret: secret.reveal().toUpperCase().replace(/[\s=]/g, ''),
      epoch,
      guardrails,
    });
  } catch {
    throw new Error(
      'no code can be made from this secret: expected base32 of at least 16 characters',
    );
  }
}
