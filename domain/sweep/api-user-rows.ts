import { parameterize, tokenSecretName } from '../text/index.ts';
import { specialCaseOf } from '../rotation/index.ts';
import type { Settings } from '../settings/index.ts';
import type { Day } from '../tokens/index.ts';
import type { ApiUserRequest } from './api-user-request.ts';
import { rowFor, type SignonPair, type SweepFacts, type SweepRow } from './sweep.ts';

/** Says of a rotation that was open before a leak that it may adopt the leaked token: it is not forced. */
export const OPEN_BEFORE_LEAK =
  'its open rotation may adopt a token from before the leak: abort it, and run leak again';

/**
 * What a leak of an API user's tokens asks for: each pair with a live token, whenever it ends.
 * Pairs that nobody reads come first, since a person is asked who holds them; then those with most
 * consumers, since their proof is soonest complete.
 */
export function rowsOfApiUser(
  pairs: readonly SignonPair[],
  { apiUser, applications }: Pick<ApiUserRequest, 'apiUser' | 'applications'>,
  facts: SweepFacts & {
    /** Secrets that the namespace's containers read, once for each container. */
    readings: readonly string[];
  },
): SweepRow[] {
  const known = pairs.map(({ application }) => parameterize(application));
  const wanted = pairs.filter((_, at) => !applications || applications.includes(known[at]!));
  const unknown = (applications ?? []).filter((application) => !known.includes(application));
  const consumersOf = (pair: SignonPair): number => {
    const secret = tokenSecretName(pair.apiUser.name, pair.application);
    return facts.readings.filter((read) => read === secret).length;
  };
  const rank = (pair: SignonPair): number => consumersOf(pair) || Infinity;
  return [
    ...wanted
      .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) > rank(a) ? 1 : -1))
      .map((pair) =>
        rowFor(pair, facts, (ends) => forcedIntent(pair, ends, facts.settings, consumersOf(pair))),
      )
      .map((row) => (row.state === 'open before' ? { ...row, what: OPEN_BEFORE_LEAK } : row)),
    ...unknown.map((application): SweepRow => ({
      apiUser,
      application,
      state: 'left alone',
      what: 'Signon lists no token for it: check its name',
    })),
  ];
}

function forcedIntent(
  { apiUser }: SignonPair,
  ends: Day | undefined,
  settings: Settings,
  consumers: number,
): Pick<SweepRow, 'state' | 'what'> {
  const special = specialCaseOf({ apiUser }, settings);
  if (special) return { state: 'left alone', what: `${special.outcome}: ${special.why}` };
  if (ends === undefined) return { state: 'left alone', what: 'it has no live token' };
  return {
    state: 'to come',
    what:
      consumers === 0
        ? 'ask a person: who holds the token? No workload reads its Secret'
        : 'issue a token, roll it out, then ask to revoke every older one',
  };
}
