import { allHandlersFinished, condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import ms from 'ms';

/** Refused sign-ins that may reach Signon in an hour; six lock the account and end its live sessions. */
const ALLOWED = 3;
const PER = ms('1 hour');
/** A sign-in that was not heard of for this long is taken as refused: its worker died. */
const DECIDED_WITHIN = ms('2 minutes');

export interface SignInGrant {
  granted: boolean;
  /** Whether all that count were refused; where not, some are still under way. */
  spent: boolean;
  /** ISO: when the next sign-in may be tried; only where not granted. */
  until?: string;
}

/** Asks to send a password to Signon once; waits a little while others are under way. The id makes a repeated question harmless. */
export const reserveSignIn = defineUpdate<SignInGrant, [string]>('reserve');
/** Says what a reserved sign-in came to: one that was not refused no longer counts. */
export const settleSignIn = defineSignal<[id: string, refused: boolean]>('settle');

/**
 * Counts sign-ins for all workers of an environment and their restarts, Temporal being what they share.
 * A sign-in counts from before it is sent until it is known not to have been refused, at most for an hour; a worker that dies in between leaves it counted.
 * Ends when nothing counts any more.
 */
export async function signInLedger(): Promise<void> {
  const counted = new Map<string, { at: number; refused: boolean }>();
  let asked = false;
  const prune = (): void => {
    for (const [id, { at }] of counted) if (Date.now() - at >= PER) counted.delete(id);
  };
  const spent = (): boolean =>
    counted.size >= ALLOWED &&
    [...counted.values()].every(({ at, refused }) => refused || Date.now() - at >= DECIDED_WITHIN);

  setHandler(reserveSignIn, async (id) => {
    asked = true;
    prune();
    await condition(() => counted.has(id) || counted.size < ALLOWED || spent(), '20 seconds');
    if (!counted.has(id) && counted.size >= ALLOWED) {
      const oldest = Math.min(...[...counted.values()].map(({ at }) => at));
      return { granted: false, spent: spent(), until: new Date(oldest + PER).toISOString() };
    }
    counted.set(id, counted.get(id) ?? { at: Date.now(), refused: false });
    return { granted: true, spent: false };
  });
  setHandler(settleSignIn, (id, refused) => {
    const known = counted.get(id);
    if (known && refused) known.refused = true;
    else counted.delete(id);
  });
  await condition(() => asked);
  for (;;) {
    await condition(allHandlersFinished);
    if (counted.size === 0) return;
    const next = Math.min(...[...counted.values()].map(({ at }) => at)) + PER - Date.now();
    await condition(() => counted.size === 0, Math.max(1, next));
    prune();
  }
}
