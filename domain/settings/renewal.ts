import ms from 'ms';
import type { Renewal } from './settings.ts';
import { newestOf, startOfDay, type ListedToken } from '../tokens/index.ts';

/**
 * When the next nightly renewal and the sync after it are over for certain, in milliseconds since
 * the epoch.
 */
export function nextRenewalOver(now: number, { every, at, takes }: Renewal): number {
  const begins = Math.floor((now - ms(at)) / ms(every)) * ms(every) + ms(at);
  return begins + ms(every) + ms(takes);
}

/**
 * When Signon's renewal may bring access back, should all these tokens be revoked; undefined where
 * it leaves the API user alone.
 */
export function renewalDue(
  { email }: { email: string },
  tokens: readonly ListedToken[],
  renewal: Renewal,
): number | undefined {
  const newest = newestOf(tokens);
  return newest && isRenewed(email, renewal)
    ? startOfDay(newest.expires) - ms(renewal.before)
    : undefined;
}

/**
 * What Signon's renewal may do to a pair whose tokens are revoked: it looks at revoked ones too.
 * Undefined where it leaves the API user alone.
 * @param tokens all that are known of the pair, revoked ones included
 */
export function renewalWarning(
  apiUser: { email: string },
  tokens: readonly ListedToken[],
  renewal: Renewal,
  now: number,
): string | undefined {
  const due = renewalDue(apiUser, tokens, renewal);
  if (due === undefined) return undefined;
  const rule = `Signon renews this API user’s tokens that have under ${renewal.before} left, revoked ones too`;
  return due < nextRenewalOver(now, renewal)
    ? `${rule}. Access may be back after the next night. This rotation then looks again, and asks you to revoke what came back. After that, Signon stops renewing`
    : `${rule}. Access may come back about ${new Date(due).toISOString().slice(0, 10)}, unless a later-expiring token was made and revoked`;
}

/** Whether Signon renews this API user's tokens by itself. */
export function isRenewed(email: string, { domains }: Pick<Renewal, 'domains'>): boolean {
  return domains.includes(email.split('@').at(-1) ?? '');
}
