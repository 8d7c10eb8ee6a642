import { parameterize } from '../text/index.ts';
import type { ApiUserRequest } from './api-user-request.ts';
import { readingsOf, rowOf, type SignonPair, type SweepFacts, type SweepRow } from './sweep.ts';

/**
 * What a leak of an API user's tokens asks for: each pair with a live token, whenever it ends.
 * Pairs that nobody reads come first, since a person is asked who holds them; then those with most
 * consumers, since their proof is soonest complete.
 */
export function rowsOfApiUser(
  pairs: readonly SignonPair[],
  { apiUser, applications }: Pick<ApiUserRequest, 'apiUser' | 'applications'>,
  facts: SweepFacts,
): SweepRow[] {
  const known = pairs.map(({ application }) => parameterize(application));
  const wanted = pairs.filter((_, at) => !applications || applications.includes(known[at]!));
  const unknown = (applications ?? []).filter((application) => !known.includes(application));
  const rank = (pair: SignonPair): number => readingsOf(pair, facts) || Infinity;
  return [
    ...wanted
      .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) > rank(a) ? 1 : -1))
      .map((pair) => rowOf(pair, { ...facts, leaked: true })),
    ...unknown.map((application): SweepRow => ({
      apiUser,
      application,
      state: 'left alone',
      what: 'Signon lists no token for it: check its name',
    })),
  ];
}
