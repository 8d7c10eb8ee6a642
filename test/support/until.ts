import { setTimeout as after } from 'node:timers/promises';

const EVERY_MS = 20;
const LIMIT_MS = 20_000;

/** Looks again and again until there is a value. Fails after 20 s, saying what was waited for. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited 20 s for ${what}`);
    await after(EVERY_MS);
  }
}
