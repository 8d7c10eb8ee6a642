import { closest, distance } from 'fastest-levenshtein';
import { parameterize, tokenSecretName } from '../../domain/text/index.ts';
import type { Pair } from '../../domain/rotation/index.ts';
import { failure } from '../failure.ts';
import { readApiUsers, readManageTokens, readNewTokenPage, type ApiUserRow } from './pages.ts';
import type { Pages, SignonSession } from './session.ts';

/** An API user, and how the names of its Secrets begin. */
export interface ListedApiUser extends ApiUserRow {
  secrets: string;
}

/** All API users. Shared by whoever asks at the time, so no one activity's cancellation ends it. */
export function listApiUsers(session: SignonSession): Promise<ListedApiUser[]> {
  return session.alone(
    async (pages) =>
      readApiUsers((await pages.open('/api_users')).body).map((row) => ({
        ...row,
        secrets: tokenSecretName(row.name, ''),
      })),
    { cancellationSignal: new AbortController().signal },
  );
}

/**
 * The pair that an e-mail and a parameterized name stand for.
 * @param rows all API users
 * @throws UnknownApiUser, UnknownApplication, AmbiguousApplication, SecretNameShared (not retried)
 */
export async function findPair(
  pages: Pages,
  rows: ListedApiUser[],
  { apiUser, application }: { apiUser: string; application: string },
): Promise<Pair> {
  const found = knownUser(rows, apiUser);
  const { applications } = readNewTokenPage(
    (await pages.open(`/api_users/${found.id}/authorisations/new`)).body,
  );
  const matching = applications.filter(({ name }) => parameterize(name) === application);
  if (matching.length > 1)
    throw failure(
      'AmbiguousApplication',
      `${matching.map(({ name }) => `“${name}”`).join(' and ')} both match ${application}`,
    );
  const [chosen] = matching;
  if (!chosen)
    throw failure(
      'UnknownApplication',
      `Signon offers ${applications.length} applications, none is ${application}${didYouMean(
        application,
        applications.map(({ name }) => parameterize(name)),
      )}`,
    );
  const secret = tokenSecretName(found.name, chosen.name);
  await refuseSharedSecret(
    pages,
    secret,
    { apiUser: found, application: chosen },
    rows,
    applications,
  );
  const { id, name, email, suspended } = found;
  return { apiUser: { id, name, email, suspended }, application: chosen, secret };
}

/**
 * Those of the Secrets that the sync writes for one of the API users and an application on offer.
 */
export async function secretsOfPairs(
  pages: Pages,
  rows: readonly ListedApiUser[],
  secrets: readonly string[],
): Promise<string[]> {
  const [any] = rows;
  if (!any) return [];
  const { applications } = readNewTokenPage(
    (await pages.open(`/api_users/${any.id}/authorisations/new`)).body,
  );
  /** The sync writes a Secret for tokens that are listed, of API users that are not suspended. */
  const isWritten = async (secret: string): Promise<boolean> => {
    for (const row of rows) {
      if (row.suspended || !secret.startsWith(row.secrets)) continue;
      const named = applications.filter(({ name }) => tokenSecretName(row.name, name) === secret);
      if (named.length === 0) continue;
      const { body } = await pages.open(`/api_users/${row.id}/manage_tokens`);
      const { cards } = readManageTokens(body);
      if (cards.some(({ application }) => named.some(({ name }) => name === application)))
        return true;
    }
    return false;
  };
  const found: string[] = [];
  for (const secret of secrets) if (await isWritten(secret)) found.push(secret);
  return found;
}

/** Letters that a typo changes, adds or leaves out. */
const LARGEST_TYPO = 4;

/** The name that a mistyped one may stand for, as a question; empty where none is near. */
function didYouMean(given: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(given, known);
  return distance(given, nearest) <= LARGEST_TYPO ? `. Did you mean ${nearest}?` : '';
}

/** The API user with an e-mail. @throws UnknownApiUser (not retried) */
export function knownUser(rows: readonly ListedApiUser[], email: string): ListedApiUser {
  const found = userOf(rows, email);
  if (found) return found;
  const hint = didYouMean(
    email,
    rows.map((row) => row.email),
  );
  throw failure(
    'UnknownApiUser',
    `Signon lists ${rows.length} API users, none with the e-mail ${email}${hint}`,
  );
}

/** The API user with an e-mail; undefined where there is none. */
export function userOf(rows: readonly ListedApiUser[], email: string): ListedApiUser | undefined {
  return rows.find((row) => row.email === email.toLowerCase());
}

/**
 * Names are parameterized as one string, so two pairs may be written to one Secret, the later over
 * the earlier.
 */
async function refuseSharedSecret(
  pages: Pages,
  secret: string,
  pair: { apiUser: ApiUserRow; application: { name: string } },
  apiUsers: ListedApiUser[],
  applications: { name: string }[],
): Promise<void> {
  const mayShare = apiUsers.filter(({ secrets }) => secret.startsWith(secrets));
  const namesakes = mayShare.flatMap((apiUser) =>
    applications
      .filter(({ name }) => tokenSecretName(apiUser.name, name) === secret)
      .filter(({ name }) => apiUser.id !== pair.apiUser.id || name !== pair.application.name)
      .map((application) => ({ apiUser, application })),
  );
  for (const { apiUser, application } of namesakes) {
    const { cards } = readManageTokens(
      (await pages.open(`/api_users/${apiUser.id}/manage_tokens`)).body,
    );
    if (!cards.some((card) => card.application === application.name)) continue;
    const named = (who: ApiUserRow, what: { name: string }): string =>
      `“${who.name}” (${who.email}) for “${what.name}”`;
    throw failure(
      'SecretNameShared',
      `the tokens of ${named(pair.apiUser, pair.application)} and of ${named(apiUser, application)} are written to one Secret, ${secret}`,
    );
  }
}
