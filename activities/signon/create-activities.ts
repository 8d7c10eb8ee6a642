import { activityInfo, ApplicationFailure } from '@temporalio/activity';
import { parameterize, tokenSecretName } from '../../domain/parameterize.ts';
import type { Pair } from '../../domain/plan.ts';
import { redact } from '../../domain/redact.ts';
import type { Recipient } from '../../domain/settings.ts';
import { newestOf, type ListedToken } from '../../domain/tokens.ts';
import { failure } from '../failure.ts';
import { SharedRead } from '../shared-read.ts';
import { sealFor } from '../handover/seal.ts';
import { fingerprintOf } from '../secret.ts';
import type { CreatedToken, Revoked, RevokeOrder, SignonActivities } from './interface.ts';
import { listPairs } from './list-pairs.ts';
import {
  readApiUser,
  readApiUsers,
  readLastSynced,
  readManageTokens,
  readNewTokenPage,
  readRevokePage,
  readShownToken,
  readSuccess,
  type ApiUserRow,
} from './pages.ts';
import type { Pages, SignonSession } from './session.ts';

const managePath = (pair: Pair): string => `/api_users/${pair.apiUser.id}/manage_tokens`;

/** Signon's pages as activities. One session per worker is shared by all of them. */
export function createSignonActivities(
  session: SignonSession,
  recipients: readonly Recipient[] = [],
): SignonActivities {
  const apiUsers = new SharedRead(() => listApiUsers(session));
  return {
    findPair: async ({ apiUser, application }) => {
      const wanted = (rows: ListedApiUser[]): ListedApiUser | undefined =>
        rows.find(({ email }) => email === apiUser.toLowerCase());
      let rows = await apiUsers.get(performance.now() - API_USERS_HOLD_FOR_MS);
      if (!wanted(rows)) rows = await apiUsers.get();
      return session.alone(async (pages) => {
        const found = wanted(rows);
        if (!found)
          throw failure('UnknownApiUser', `Signon lists ${rows.length} API users, none with the e-mail ${apiUser}`);
        const { applications } = readNewTokenPage((await pages.open(`/api_users/${found.id}/authorisations/new`)).body);
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
            `Signon offers ${applications.length} applications, none is ${application}`,
          );
        const secret = tokenSecretName(found.name, chosen.name);
        await refuseSharedSecret(pages, secret, { apiUser: found, application: chosen }, rows, applications);
        const { id, name, email, suspended } = found;
        return { apiUser: { id, name, email, suspended }, application: chosen, secret };
      });
    },

    readLastSync: (pair) =>
      session.alone(async (pages) =>
        readLastSynced((await pages.open(`/api_users/${pair.apiUser.id}/edit`)).body, pair.application.name),
      ),

    listPairs: async ({ pause }) => listPairs(session, await apiUsers.get(), pause),

    listTokens: (pair) => session.alone((pages) => listPair(pages, pair)),

    createToken: (order) => {
      refuseUnknownRecipient(order, recipients);
      return session.alone((pages) => createOnce(pages, order));
    },

    revokeToken: (order) => session.alone((pages) => revokeOnce(pages, order)),
  };
}

/** Whom an id belongs to is looked at again before a token is made or revoked. */
const API_USERS_HOLD_FOR_MS = 60_000;

/** An API user, and how the names of its Secrets begin. */
interface ListedApiUser extends ApiUserRow {
  secrets: string;
}

/** All API users. Shared by whoever asks at the time, so no one activity's cancellation ends it. */
function listApiUsers(session: SignonSession): Promise<ListedApiUser[]> {
  return session.alone(
    async (pages) =>
      readApiUsers((await pages.open('/api_users')).body).map((row) => ({
        ...row,
        secrets: tokenSecretName(row.name, ''),
      })),
    { cancellationSignal: new AbortController().signal },
  );
}

/** A rotation may have waited for days: a key that the settings no longer name is not encrypted to. */
function refuseUnknownRecipient(
  { pair, recipient }: { pair: Pair; recipient?: Recipient },
  recipients: readonly Recipient[],
): void {
  if (!recipient) return;
  const { name, key } = recipient;
  const known = recipients.some(
    (one) =>
      one.apiUser === pair.apiUser.email && one.apiUser === recipient.apiUser && one.name === name && one.key === key,
  );
  if (!known)
    throw failure(
      'UnknownRecipient',
      `the settings do not name “${name}” with this key for ${pair.apiUser.email} any more`,
    );
}

/** Names are parameterized as one string, so two pairs may be written to one Secret, the later over the earlier. */
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
    const { cards } = readManageTokens((await pages.open(`/api_users/${apiUser.id}/manage_tokens`)).body);
    if (!cards.some((card) => card.application === application.name)) continue;
    const named = (who: ApiUserRow, what: { name: string }): string =>
      `“${who.name}” (${who.email}) for “${what.name}”`;
    throw failure(
      'SecretNameShared',
      `the tokens of ${named(pair.apiUser, pair.application)} and of ${named(apiUser, application)} are written to one Secret, ${secret}`,
    );
  }
}

async function listPair(pages: Pages, pair: Pair): Promise<ListedToken[]> {
  return tokensOf(pair, (await pages.open(managePath(pair))).body);
}

function tokensOf(pair: Pair, html: string): ListedToken[] {
  const { apiUser, cards } = readManageTokens(html);
  if (apiUser !== pair.apiUser.name) throw changedPair(pair, `“${apiUser}”`);
  return cards
    .filter(({ application }) => application === pair.application.name)
    .map(({ application: _application, ...token }) => token);
}

/** Environments are copied over each other at night: an id may mean somebody else by now. */
async function refuseUnlessSamePair(pages: Pages, pair: Pair): Promise<void> {
  const { name, email } = readApiUser((await pages.open(`/api_users/${pair.apiUser.id}/edit`)).body);
  if (email !== pair.apiUser.email || name !== pair.apiUser.name) throw changedPair(pair, `“${name}” (${email})`);
}

function changedPair(pair: Pair, seen: string): Error {
  return failure(
    'PairChanged',
    `Signon’s API user ${pair.apiUser.id} was “${pair.apiUser.name}” (${pair.apiUser.email}) and is now ${seen}`,
  );
}

/** Look, act once, look again: with the session to itself from the form to the page that shows the token. */
async function createOnce(
  pages: Pages,
  { pair, before, recipient }: { pair: Pair; before: number[]; recipient?: Recipient },
): Promise<CreatedToken> {
  const fresh = (tokens: ListedToken[]): ListedToken[] =>
    tokens.filter(({ authorisationId }) => !before.includes(authorisationId));
  const csrf = await nothingSentYet(async () => {
    const listed = await listPair(pages, pair);
    const found = newestOf(fresh(listed));
    if (found) return { adopted: { token: found, origin: 'maybe another’s' as const, tokens: listed } };
    if (!listed.some(({ authorisationId }) => before.includes(authorisationId)))
      throw failure(
        'AccessEnded',
        `Signon lists none of the pair’s ${before.length} tokens any more: no access is granted that is not there`,
      );
    await refuseUnlessSamePair(pages, pair);
    const page = readNewTokenPage((await pages.open(`/api_users/${pair.apiUser.id}/authorisations/new`)).body);
    if (!page.applications.some(({ id, name }) => id === pair.application.id && name === pair.application.name))
      throw failure('UnknownApplication', `Signon no longer offers ${pair.application.name}`);
    return page.csrf;
  });
  if ('adopted' in csrf) return csrf.adopted;

  try {
    const path = `/api_users/${pair.apiUser.id}/authorisations`;
    await pages.submit(path, `${path}/new`, csrf, { 'authorisation[application_id]': String(pair.application.id) });
    const page = await pages.open(managePath(pair));
    const shown = readShownToken(page.body);
    const tokens = tokensOf(pair, page.body);
    const digest = shown && fingerprintOf(shown);
    const made = fresh(tokens).find(({ masked }) => masked === digest?.masked);
    if (shown && digest && made) {
      const token = { ...made, sha256: digest.sha256 };
      const armoured = recipient && (await sealFor(recipient.key, shown));
      return { token, origin: 'issued', tokens, ...(armoured && { armoured }) };
    }
  } catch (error) {
    throw failure(
      'CreateAnswerLost',
      `the answer to a create was lost (${error instanceof ApplicationFailure ? error.message : 'connection'}); its token is looked for after Signon’s request limit`,
    );
  }
  throw failure(
    'CreateAnswerLost',
    'Signon showed no new token after a create; looked for again after its request limit',
  );
}

/** Failures before the form was sent are retried soon: only a lost answer has to wait for Signon's request limit. */
async function nothingSentYet<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof ApplicationFailure && !error.nonRetryable && activityInfo().attempt === 1)
      throw ApplicationFailure.create({
        type: error.type ?? 'Unreachable',
        message: error.message,
        nextRetryDelay: '2 seconds',
      });
    throw error;
  }
}

async function revokeOnce(pages: Pages, { pair, token, notAfter }: RevokeOrder): Promise<Revoked> {
  const listed = (tokens: ListedToken[]): ListedToken | undefined =>
    tokens.find(({ authorisationId }) => authorisationId === token.authorisationId);
  const begunAt = new Date().toISOString();
  const tokens = await listPair(pages, pair);
  const before = listed(tokens);
  if (!before) {
    await refuseUnlessGone(pages, pair, token);
    return { how: 'already-revoked', tokens, listedAt: begunAt };
  }
  refuseUnlessSame(before, token);

  await refuseUnlessSamePair(pages, pair);
  const path = `/api_users/${pair.apiUser.id}/authorisations/${token.authorisationId}`;
  const page = readRevokePage((await pages.open(`${path}/edit`)).body);
  refuseUnlessSame(page, token);
  const heading = `Revoke token giving ${pair.apiUser.name} access to ${pair.application.name}`;
  if (page.heading !== heading || page.application !== pair.application.name || page.action !== `${path}/revoke`)
    throw failure(
      'NotTheApprovedToken',
      `authorisation ${token.authorisationId}: expected “${heading}”, Signon shows “${page.heading}”`,
    );
  if (Date.now() > Date.parse(notAfter))
    throw failure('LookTooOld', `the last look at tokens and containers is older than allowed since ${notAfter}`);
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

/** One no longer listed was revoked, unless its application was retired meanwhile: Signon hides such tokens alive. */
async function refuseUnlessGone(pages: Pages, pair: Pair, token: ListedToken): Promise<void> {
  const { applications } = readNewTokenPage(
    (await pages.open(`/api_users/${pair.apiUser.id}/authorisations/new`)).body,
  );
  if (applications.some(({ id, name }) => id === pair.application.id && name === pair.application.name)) return;
  throw failure(
    'CannotTell',
    `authorisation ${token.authorisationId} is not listed, and ${pair.application.name} is no longer on offer`,
  );
}

function refuseUnlessSame(seen: Pick<ListedToken, 'masked' | 'expires'>, approved: ListedToken): void {
  if (seen.masked !== approved.masked || seen.expires !== approved.expires)
    throw failure(
      'NotTheApprovedToken',
      `authorisation ${approved.authorisationId} was approved as ${approved.masked} until ${approved.expires}; Signon shows ${seen.masked} until ${seen.expires}`,
    );
}
