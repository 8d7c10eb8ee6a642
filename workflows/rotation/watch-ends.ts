import { CancellationScope, condition } from '@temporalio/workflow';
import ms from 'ms';
import { describeOthers, holds, type Readers, running } from '../../domain/cluster/index.ts';
import {
  describeToken,
  isLive,
  isToken,
  startOfDay,
  type ListedToken,
} from '../../domain/tokens/index.ts';
import { activities } from '../shared/index.ts';
import type { Runbook } from './runbook.ts';

/**
 * While containers hold a token that is about to end, or has ended, people are told again and
 * again.
 */
const TOLD_EVERY = ms('1 day');

/**
 * For as long as a rotation runs: when the last day of one of its old tokens begins, looks whether
 * containers still hold it, and each day from then on until none does or the token was revoked.
 * That is an incident: people are told, and the rotation goes on with its step. Reads only.
 */
export function watchEnds(book: Runbook): void {
  const lookAt = new Map<number, number>();
  const due = ({ authorisationId, expires }: ListedToken): number =>
    lookAt.get(authorisationId) ?? startOfDay(expires);
  const next = (): ListedToken | undefined =>
    book.record
      .oldTokens()
      .filter((token) => due(token) < Infinity)
      .toSorted((a, b) => due(a) - due(b))[0];
  void CancellationScope.nonCancellable(async () => {
    for (;;) {
      await condition(() => book.readers !== undefined && next() !== undefined);
      const token = next()!;
      const left = due(token) - Date.now();
      const summary = `Until ${lookAt.has(token.authorisationId) ? 'another look for holders' : 'the last day'} of ${token.masked}`;
      if (
        left > 0 &&
        (await condition(() => next()?.authorisationId !== token.authorisationId, left, {
          summary,
        }))
      )
        continue;
      const isHeld = await tellOfHolders(book, book.readers!, token);
      lookAt.set(token.authorisationId, isHeld ? Date.now() + TOLD_EVERY : Infinity);
    }
  });
}

/** Tells people who holds the token. False where nobody does. */
async function tellOfHolders(
  book: Runbook,
  readers: Readers,
  token: ListedToken,
): Promise<boolean> {
  const seen = await activities.lookAtConsumers(readers).catch(() => undefined);
  if (!book.record.oldTokens().some(isToken(token))) return false; // revoked meanwhile
  const ends = isLive(token, Date.now()) ? 'ends' : 'ended';
  const who = `${describeToken(token)}, which ${ends} on ${token.expires}`;
  const holders = seen && running(seen).filter((container) => holds(container, token));
  if (holders?.length === 0) return false;
  const text = holders
    ? `containers still hold ${who}: ${describeOthers(holders, [token])}`
    : `the worker cannot check whether containers still hold ${who}`;
  book.remark(`Incident: ${text}`);
  await book.notices.tell({
    kind: 'incident',
    cause: 'an old token ends',
    text,
    todo: 'Fix what blocks the rotation and send retry, or restart the workloads that hold the old token. Do it before the token expires: then they lose access.',
  });
  return true;
}
