import { generateSync } from 'otplib';
import type { World } from '../world.ts';

export const IDLE_MS = 30 * 60_000;
const FAILURES_TO_LOCK = 6;
const WRONG_CODES_TO_LOCK = 10;
const LOCK_MS = 3_600_000;

/**
 * Devise's answer to e-mail and password. Six failures lock for an hour and end live sessions; a
 * locked account refuses the right password too.
 */
export function checkPassword(
  world: World,
  email: string | undefined,
  password: string | undefined,
): boolean {
  const { account } = world.state;
  const locked = account.lockedUntil > world.now();
  if (!locked && email?.toLowerCase() === account.email && password === account.password) {
    account.failures = 0;
    return true;
  }
  world.happened.refusedSignIns.push({ at: world.now(), what: 'password' });
  if (email?.toLowerCase() === account.email && !locked && ++account.failures >= FAILURES_TO_LOCK) {
    account.lockedUntil = world.now() + LOCK_MS;
    account.failures = 0;
    account.sessionEpoch++;
  }
  world.changed();
  return false;
}

/**
 * The current code and the previous one are right, never the next; the tenth wrong one in a row
 * locks for an hour.
 * @param signIn which accepted password it follows
 */
export function judgeCode(
  world: World,
  code: string,
  signIn?: number,
): 'right' | 'wrong' | 'locked' {
  const { account } = world.state;
  const now = Math.floor(world.now() / 1000);
  if (account.lockedUntil > world.now()) return 'locked';
  if (
    [now, now - 30].some((epoch) => generateSync({ secret: account.totpSecret, epoch }) === code)
  ) {
    account.wrongCodes = 0;
    return 'right';
  }
  world.happened.refusedSignIns.push({ at: world.now(), what: 'code', signIn });
  world.changed();
  if (++account.wrongCodes < WRONG_CODES_TO_LOCK) return 'wrong';
  account.wrongCodes = 0;
  account.lockedUntil = world.now() + LOCK_MS;
  account.sessionEpoch++;
  return 'locked';
}
