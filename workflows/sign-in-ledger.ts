import { allHandlersFinished, condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import ms from 'ms';

/** Refused sign-ins that may reach Signon in an hour; six lock the account and end its live sessions. */
const ALLOWED = 3;
const PER = ms('1 hour');

export interface SignInGrant {
  granted: boolean;
  /** ISO: when the next sign-in may be tried; only where not granted. */
  until?: string;
}

/** Asks to send a password to Signon once. The id makes a repeated question harmless. */
export const reserveSignIn = defineUpdate<SignInGrant, [string]>('reserve');
/** Says that a reserved sign-in was not refused: it no longer counts. */
export const releaseSignIn = defineSignal<[string]>('release');

/**
 * Counts sign-ins for all workers of an environment and their restarts, Temporal being what they share.
 * A sign-in counts from before it is sent until it is known not to have been refused, at most for an hour; a worker that dies in between leaves it counted.
 * Ends when nothing counts any more.
 */
export async function signInLedger(): Promise<void> {
  const counted = new Map<string, number>();
  let asked = false;
  const prune = (): void => {
    for (const [id, at] of counted) if (Date.now() - at >= PER) counted.delete(id);
  };
  setHandler(reserveSignIn, (id) => {
    asked = true;
    prune();
    if (counted.has(id)) return { granted: true };
    if (counted.size >= ALLOWED)
      return { granted: false, until: new Date(Math.min(...counted.values()) + PER).toISOString() };
    counted.set(id, Date.now());
    return { granted: true };
  });
  setHandler(releaseSignIn, (id) => {
    counted.delete(id);
  });
  await condition(() => asked);
  while (counted.size > 0) {
    const next = Math.min(...counted.values()) + PER - Date.now();
    await condition(() => counted.size === 0, Math.max(1, next));
    prune();
  }
  await condition(allHandlersFinished);
}
