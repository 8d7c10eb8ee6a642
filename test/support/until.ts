import { setTimeout as after } from 'node:timers/promises';

const EVERY_MS = 50;
const LIMIT_MS = 60_000;

/**
 * Looks again and again until there is a value. Fails after a minute or `limitMs`, saying what was
 * waited for.
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  limitMs = LIMIT_MS,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs / 1000} s for ${what}`);
    await after(EVERY_MS);
  }
}
