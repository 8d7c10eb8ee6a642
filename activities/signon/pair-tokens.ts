import type { Pair } from '../../domain/rotation/index.ts';
import { redact } from '../../domain/text/index.ts';
import type { ListedToken } from '../../domain/tokens/index.ts';
import { failure } from '../failure.ts';
import { readApiUser, readManageTokens, readNewTokenPage } from './pages.ts';
import type { Pages } from './session.ts';

export const managePath = (pair: Pair): string => `/api_users/${pair.apiUser.id}/manage_tokens`;

/** The page on which a token is issued to an API user. */
export async function newTokenPage(
  pages: Pages,
  { id }: { id: number },
): Promise<ReturnType<typeof readNewTokenPage>> {
  return readNewTokenPage((await pages.open(`/api_users/${id}/authorisations/new`)).body);
}

/** The pair's tokens as Signon lists them. @throws PairChanged (not retried) */
export async function listPair(pages: Pages, pair: Pair): Promise<ListedToken[]> {
  return tokensOf(pair, (await pages.open(managePath(pair))).body);
}

/** Those of a page that lists them. @throws PairChanged (not retried) */
export function tokensOf(pair: Pair, html: string): ListedToken[] {
  const { apiUser, cards } = readManageTokens(html);
  if (apiUser !== pair.apiUser.name) throw changedPair(pair, `“${apiUser}”`);
  return cards
    .filter(({ application }) => application === pair.application.name)
    .map(({ application: _application, ...token }) => token);
}

/**
 * Lists the pair's tokens; throws where an empty list proves nothing: the tokens of an application
 * that was retired or renamed live on unlisted.
 * @throws PairChanged, CannotTell (not retried)
 */
export async function listPairOnOffer(pages: Pages, pair: Pair): Promise<ListedToken[]> {
  const tokens = await listPair(pages, pair);
  if (tokens.length === 0) await refuseUnlessOnOffer(pages, pair, 'no token of the pair is listed');
  return tokens;
}

/**
 * Throws where the application is not on offer: unlisted tokens of it may live.
 * @throws CannotTell (not retried)
 */
export async function refuseUnlessOnOffer(
  pages: Pages,
  { apiUser, application }: Pair,
  seen: string,
): Promise<void> {
  const { applications } = await newTokenPage(pages, apiUser);
  if (applications.some(({ id, name }) => id === application.id && name === application.name))
    return;
  throw failure('CannotTell', `${seen}, and ${application.name} is no longer on offer`);
}

/** Environments are copied over each other at night: an id may mean somebody else by now. */
export async function refuseUnlessSamePair(pages: Pages, pair: Pair): Promise<void> {
  const { name, email } = readApiUser(
    (await pages.open(`/api_users/${pair.apiUser.id}/edit`)).body,
  );
  if (email !== pair.apiUser.email || name !== pair.apiUser.name)
    throw changedPair(pair, `“${name}” (${email})`);
}

function changedPair({ apiUser: { id, name, email } }: Pair, seen: string): Error {
  const now = redact(seen, name.split(' '));
  return failure(
    'PairChanged',
    `Signon’s API user ${id} was “${name}” (${email}) and is now ${now}`,
  );
}
