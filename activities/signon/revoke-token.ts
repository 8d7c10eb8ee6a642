import { redact } from '../../domain/text/index.ts';
import type { ListedToken } from '../../domain/tokens/index.ts';
import { failure } from '../failure.ts';
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
export async function revokeOnce(
  pages: Pages,
  { pair, token, notAfter }: RevokeOrder,
): Promise<Revoked> {
  const listed = (tokens: ListedToken[]): ListedToken | undefined =>
    tokens.find(({ authorisationId }) => authorisationId === token.authorisationId);
  const begunAt = new Date().toISOString();
  const tokens = await listPair(pages, pair);
  const before = listed(tokens);
  if (!before) {
    // The application is on offer, so somebody revoked the token.
    await refuseUnlessOnOffer(pages, pair, `authorisation ${token.authorisationId} is not listed`);
    return { how: 'already-revoked', tokens, listedAt: begunAt };
  }
  refuseUnlessSame(before, token);

  await refuseUnlessSamePair(pages, pair);
  const path = `/api_users/${pair.apiUser.id}/authorisations/${token.authorisationId}`;
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
      `the last look at tokens and containers is older than allowed since ${notAfter}`,
    );
  await pages.submit(page.action, `${path}/edit`, page.csrf, {});
  const listedAt = new Date().toISOString();
  const after = await pages.open(managePath(pair));
  const left = tokensOf(pair, after.body);
  if (listed(left))
    throw failure(
      'RevokeNotSeen',
      `Signon said “${redact(readSuccess(after.body))}” but still lists authorisation ${token.authorisationId}`,
    );
  return { how: 'revoked', tokens: left, listedAt };
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
