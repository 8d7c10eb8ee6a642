import { generateSync } from 'otplib';
import type { World } from '../world.ts';

export const IDLE_MS = 30 * 60_000;
const FAILURES_TO_LOCK = 6;
const LOCK_MS = 3_600_000;

/** Devise's answer to e-mail and password. Six failures lock for an hour and end live sessions; a locked account refuses the right password too. */
export function checkPassword(world: World, email: string | undefined, password: string | undefined): boolean {
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

/** The current code and the previous one are right, never the next. */
export function codeIsRight(world: World, code: string): boolean {
  const now = Math.floor(world.now() / 1000);
  const right = [now, now - 30].some(
    (epoch) => generateSync({ secret: world.state.account.totpSecret, epoch }) === code,
  );
  if (!right) world.happened.refusedSignIns.push({ at: world.now(), what: 'code' });
  return right;
}
