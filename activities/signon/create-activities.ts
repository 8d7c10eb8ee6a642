import { nothingSentYet } from '../failure.ts';
import type { Recipient } from '../../domain/settings/index.ts';
import { SharedRead } from '../shared-read.ts';
import { createOnce, refuseUnknownRecipient } from './create-token.ts';
import { findPair, knownUser, listApiUsers, secretsOfPairs, userOf } from './find-pair.ts';
import type { SignonActivities } from './interface.ts';
import { listPairs } from './list-pairs.ts';
import { listPairOnOffer } from './pair-tokens.ts';
import { revokeOnce } from './revoke-token.ts';
import type { SignonSession } from './session.ts';

/** How long a list of API users may be reused; a create or revoke checks the id's owner again. */
const API_USERS_HOLD_FOR_MS = 60_000;

/**
 * Signon's pages as activities. One session per worker is shared by all of them.
 * @param draining aborted when the worker begins to shut down
 */
export function createSignonActivities(
  session: SignonSession,
  recipients: readonly Recipient[] = [],
  draining: AbortSignal = new AbortController().signal,
): SignonActivities {
  const apiUsers = new SharedRead(() => listApiUsers(session));
  return {
    findPair: async (wanted) => {
      let rows = await apiUsers.get(performance.now() - API_USERS_HOLD_FOR_MS);
      if (!userOf(rows, wanted.apiUser)) rows = await apiUsers.get();
      return session.alone((pages) => findPair(pages, rows, wanted));
    },

    secretsOfPairs: async (secrets) => {
      const rows = await apiUsers.get(performance.now() - API_USERS_HOLD_FOR_MS);
      return session.alone((pages) => secretsOfPairs(pages, rows, secrets));
    },

    listPairs: async ({ pause, apiUser }) => {
      const rows = await apiUsers.get();
      return listPairs(
        session,
        apiUser === undefined ? rows : [knownUser(rows, apiUser)],
        pause,
        draining,
      );
    },

    listTokens: (pair) => session.alone((pages) => listPairOnOffer(pages, pair)),

    createToken: async (order) => {
      await nothingSentYet(() => refuseUnknownRecipient(order, recipients));
      return session.alone((pages) => createOnce(pages, order));
    },

    revokeToken: (order) => session.alone((pages) => revokeOnce(pages, order)),
  };
}
