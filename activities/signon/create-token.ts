import { ApplicationFailure } from '@temporalio/activity';
import type { Pair } from '../../domain/rotation/index.ts';
import type { Recipient } from '../../domain/settings/index.ts';
import { newestOf, type ListedToken } from '../../domain/tokens/index.ts';
import { failure, failedWith, nothingSentYet } from '../failure.ts';
import { sealFor } from '../handover/seal.ts';
import { fingerprintOf } from '../../config/secret.ts';
import type { CreatedToken } from './interface.ts';
import { readShownToken } from './pages.ts';
import {
  listPairOnOffer,
  managePath,
  newTokenPage,
  refuseUnlessSamePair,
  tokensOf,
} from './pair-tokens.ts';
import type { Pages } from './session.ts';

/**
 * A rotation may have waited for days: a key that the settings no longer name is not encrypted to.
 */
export function refuseUnknownRecipient(
  { pair, recipient }: { pair: Pair; recipient?: Recipient },
  recipients: readonly Recipient[],
): void {
  if (!recipient) return;
  const { name, key } = recipient;
  const known = recipients.some(
    (one) =>
      one.apiUser === pair.apiUser.email &&
      one.apiUser === recipient.apiUser &&
      one.name === name &&
      one.key === key,
  );
  if (!known)
    throw failure(
      'UnknownRecipient',
      `the settings do not name “${name}” with this key for ${pair.apiUser.email} any more`,
    );
}

/**
 * Look, act once, look again: with the session to itself from the form to the page that shows the
 * token.
 */
export async function createOnce(
  pages: Pages,
  { pair, before, recipient }: { pair: Pair; before: number[]; recipient?: Recipient },
): Promise<CreatedToken> {
  const fresh = (tokens: ListedToken[]): ListedToken[] =>
    tokens.filter(({ authorisationId }) => !before.includes(authorisationId));
  const csrf = await nothingSentYet(async () => {
    const listed = await listPairOnOffer(pages, pair);
    const found = newestOf(fresh(listed));
    if (found)
      return { adopted: { token: found, origin: 'maybe another’s' as const, tokens: listed } };
    if (!listed.some(({ authorisationId }) => before.includes(authorisationId)))
      throw failure(
        'AccessEnded',
        `Signon lists none of the pair’s ${before.length} tokens any more: a pair without access gets no new token`,
      );
    await refuseUnlessSamePair(pages, pair);
    const page = await newTokenPage(pages, pair.apiUser);
    if (
      !page.applications.some(
        ({ id, name }) => id === pair.application.id && name === pair.application.name,
      )
    )
      throw failure('UnknownApplication', `Signon no longer offers ${pair.application.name}`);
    return page.csrf;
  });
  if ('adopted' in csrf) return csrf.adopted;

  let sent = false;
  try {
    const path = `/api_users/${pair.apiUser.id}/authorisations`;
    await pages.submit(path, `${path}/new`, csrf, {
      'authorisation[application_id]': String(pair.application.id),
    });
    sent = true;
    const page = await pages.open(managePath(pair));
    const shown = readShownToken(page.body);
    const tokens = tokensOf(pair, page.body);
    const digest = shown && fingerprintOf(shown);
    const made = fresh(tokens).find(({ masked }) => masked === digest?.masked);
    if (shown && digest && made) {
      const token = { ...made, sha256: digest.sha256 };
      const armoured = recipient && (await sealFor(recipient.key, shown));
      return { token, origin: 'issued', tokens, armoured };
    }
  } catch (error) {
    // A throttled request had no effect.
    if (!sent && failedWith(error, 'Throttled')) throw error;
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
