import { redact } from '../../domain/text/index.ts';
import { isToken, type ListedToken } from '../../domain/tokens/index.ts';
import type { Secret } from '../../config/secret.ts';
import { failure, nothingSentYet } from '../failure.ts';
import type { Revoked, RevokeOrder } from './interface.ts';
import { readRevokePage, readSuccess } from './pages.ts';
import {
  listPair,
  managePath,
  refuseUnlessOnOffer,
  refuseUnlessSamePair,
  tokensOf,
} from './pair-tokens.ts';
import type { Pages } from './session.ts';

/** Revokes one token, if the page with the button still names it, and sees that it is gone. */
export async function revokeOnce(pages: Pages, order: RevokeOrder): Promise<Revoked> {
  const { pair, token } = order;
  const begunAt = new Date().toISOString();
  const found = await nothingSentYet(() => findButton(pages, order));
  if ('tokens' in found) return { how: 'already-revoked', tokens: found.tokens, listedAt: begunAt };
  await pages.submit(found.action, `${pathOf(order)}/edit`, found.csrf, {});
  const listedAt = new Date().toISOString();
  const after = await pages.open(managePath(pair));
  const left = tokensOf(pair, after.body);
  if (left.some(isToken(token)))
    throw failure(
      'RevokeNotSeen',
      `Signon said “${redact(readSuccess(after.body))}” but still lists authorisation ${token.authorisationId}`,
    );
  return { how: 'revoked', tokens: left, listedAt };
}

function pathOf({ pair, token }: RevokeOrder): string {
  return `/api_users/${pair.apiUser.id}/authorisations/${token.authorisationId}`;
}

/** Finds the button that revokes the token; the pair's tokens where it is revoked already. */
async function findButton(
  pages: Pages,
  order: RevokeOrder,
): Promise<{ action: string; csrf: Secret } | { tokens: ListedToken[] }> {
  const { pair, token, notAfter } = order;
  const tokens = await listPair(pages, pair);
  const before = tokens.find(isToken(token));
  if (!before) {
    // The application is on offer, so somebody revoked the token.
    await refuseUnlessOnOffer(pages, pair, `authorisation ${token.authorisationId} is not listed`);
    return { tokens };
  }
  refuseUnlessSame(before, token);

  await refuseUnlessSamePair(pages, pair);
  const path = pathOf(order);
  const page = readRevokePage((await pages.open(`${path}/edit`)).body);
  refuseUnlessSame(page, token);
  const heading = `Revoke token giving ${pair.apiUser.name} access to ${pair.application.name}`;
  if (
    page.heading !== heading ||
    page.application !== pair.application.name ||
    page.action !== `${path}/revoke`
  )
    throw failure(
      'NotTheApprovedToken',
      `authorisation ${token.authorisationId}: expected “${heading}”, Signon shows “${redact(page.heading, heading.split(' '))}”`,
    );
  if (Date.now() > Date.parse(notAfter))
    throw failure(
      'LookTooOld',
      `the look at tokens and containers counted until ${notAfter}, so no revoke was sent`,
    );
  return page;
}

function refuseUnlessSame(
  seen: Pick<ListedToken, 'masked' | 'expires'>,
  approved: ListedToken,
): void {
  if (seen.masked !== approved.masked || seen.expires !== approved.expires)
    throw failure(
      'NotTheApprovedToken',
      `authorisation ${approved.authorisationId} was approved as ${approved.masked} until ${approved.expires}; Signon shows ${seen.masked} until ${seen.expires}`,
    );
}
