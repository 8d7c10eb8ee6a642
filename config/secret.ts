import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { Fingerprint } from '../domain/tokens/index.ts';

/**
 * A value that never shows itself by accident: printing, serialising and inspecting it give
 * `[secret]`.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that must send it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** What may be said of a token. */
export function fingerprintOf(token: Secret): Fingerprint {
  const value = token.reveal();
  return {
    masked: `${value.slice(0, 8)}…${value.slice(-8)}`,
    maskedSha256: sha256(value.slice(0, 8) + value.slice(-8)),
    sha256: sha256(value),
  };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
