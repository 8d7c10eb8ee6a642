import { closest, distance } from 'fastest-levenshtein';
import { parameterize, tokenSecretName } from '../../domain/text/index.ts';
import type { Pair } from '../../domain/rotation/index.ts';
import { failure } from '../failure.ts';
import { readApiUsers, readManageTokens, type ApiUserRow } from './pages.ts';
import { newTokenPage } from './pair-tokens.ts';
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

export async function findPair(
  pages: Pages,
  rows: ListedApiUser[],
  { apiUser, application }: { apiUser: string; application: string },
): Promise<Pair> {
  const found = knownUser(rows, apiUser);
  const { applications } = await newTokenPage(pages, found);
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
  const others = await pairsOf(
    pages,
    secret,
    rows,
    applications,
    (who, what) => who.id !== found.id || what !== chosen.name,
  );
  if (others.length > 0)
    throw failure(
      'SecretNameShared',
      `the tokens of ${named(found, chosen)} and of ${others.map((one) => named(one.apiUser, one.application)).join(' and of ')} are written to one Secret, ${secret}`,
    );
  const { id, name, email, suspended } = found;
  return { apiUser: { id, name, email, suspended }, application: chosen, secret };
}

export async function secretsOfPairs(
  pages: Pages,
  rows: readonly ListedApiUser[],
  secrets: readonly string[],
): Promise<string[]> {
  const [any] = rows;
  if (!any) return [];
  const { applications } = await newTokenPage(pages, any);
  const found: string[] = [];
  for (const secret of secrets)
    if ((await pairsOf(pages, secret, rows, applications)).length > 0) found.push(secret);
  return found;
}

/**
 * The pairs with listed tokens that the sync writes to a Secret. Names are parameterized as one
 * string, so two pairs may share one, the later written over the earlier.
 */
async function pairsOf(
  pages: Pages,
  secret: string,
  rows: readonly ListedApiUser[],
  applications: readonly { name: string }[],
  counts: (apiUser: ApiUserRow, application: string) => boolean = () => true,
): Promise<{ apiUser: ListedApiUser; application: { name: string } }[]> {
  const written = [];
  for (const apiUser of rows) {
    if (apiUser.suspended || !secret.startsWith(apiUser.secrets)) continue;
    const namesakes = applications.filter(
      ({ name }) => tokenSecretName(apiUser.name, name) === secret && counts(apiUser, name),
    );
    if (namesakes.length === 0) continue;
    const { body } = await pages.open(`/api_users/${apiUser.id}/manage_tokens`);
    const { cards } = readManageTokens(body);
    for (const application of namesakes)
      if (cards.some((card) => card.application === application.name))
        written.push({ apiUser, application });
  }
  return written;
}

function named({ name, email }: ApiUserRow, application: { name: string }): string {
  return `“${name}” (${email}) for “${application.name}”`;
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

export function userOf(rows: readonly ListedApiUser[], email: string): ListedApiUser | undefined {
  return rows.find((row) => row.email === email.toLowerCase());
}
