import ms from 'ms';
import type { Revoked } from '../../../activities/signon/interface.ts';
import {
  observe,
  readersAfter,
  type Round,
  type StepName,
} from '../../../domain/rotation/index.ts';
import { describeToken, isToken } from '../../../domain/tokens/index.ts';
import { activities, blocks } from '../../shared/index.ts';
import { refuseUnprovable } from './assess.ts';
import { lookAtHolders } from './look-at-holders.ts';
import type { Runbook } from '../runbook.ts';

/**
 * A revoke must follow its look within this time, or look again; a younger listing counts as fresh.
 */
export const LOOK_HOLDS_FOR = ms('2 minutes');

/**
 * Lists tokens, unless they just were, and looks at every consumer afresh; which token is new is
 * determined anew.
 */
export async function lookAgain(
  book: Runbook,
  round: Omit<Round, 'look'>,
  listed?: Revoked,
): Promise<Round> {
  const { pair, newToken } = round;
  const isFresh = listed && Date.now() - Date.parse(listed.listedAt) <= LOOK_HOLDS_FOR;
  const [tokens, { look: first, readers }] = await Promise.all([
    isFresh ? listed.tokens : activities.listTokens(pair),
    lookAtHolders(round.readers),
  ]);
  const isNew = tokens.some(
    ({ masked }) => !readers.holding.some((known) => known.masked === masked),
  );
  // The first look asked no container for a new token.
  const look = isNew
    ? await activities.lookAtConsumers(readersAfter(readers, tokens, first))
    : first;
  refuseUnprovable(look, pair);
  book.record.observed(tokens);
  const seen = observe({ ...round, readers }, { tokens, look }, Date.now());
  if (!seen)
    throw blocks(
      'NewTokenGone',
      `${describeToken(newToken)} is no longer listed, and no other token can take its place`,
    );
  const isSame = isToken(newToken)(seen.newToken);
  if (!isSame) book.remark(`${describeToken(seen.newToken)} has become the new token`);
  book.sightings.noticed(seen);
  book.record.issued(seen.newToken, isSame ? book.report.origin : 'adopted');
  return seen;
}

/** Looks again as a step of its own, where what a round has shown is old. */
export function lookedAgain(
  book: Runbook,
  round: Round,
  step: StepName = 'roll out',
): Promise<Round> {
  return book.step(step, () => lookAgain(book, round));
}
