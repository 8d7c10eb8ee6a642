import { Context } from '@temporalio/activity';
import ms from 'ms';
import { setTimeout as after } from 'node:timers/promises';
import type { SignonPair } from '../../domain/sweep/index.ts';
import { failure } from '../failure.ts';
import { keepForNextAttempt, keptByLastAttempt } from '../heartbeat.ts';
import { readManageTokens, type ApiUserRow } from './pages.ts';
import type { SignonSession } from './session.ts';

/** What an attempt keeps for the next: API users up to this id are read. */
interface Kept {
  upTo: number;
  pairs: SignonPair[];
}

/**
 * Reads the tokens of all API users, one page at a time with a pause between two; a retry goes on
 * where the last attempt was.
 * @throws WaitInterrupted (retried) when the worker shuts down
 */
export async function listPairs(
  session: SignonSession,
  apiUsers: readonly ApiUserRow[],
  pause: ms.StringValue,
  draining: AbortSignal,
): Promise<SignonPair[]> {
  const { cancellationSignal } = Context.current();
  const ends = AbortSignal.any([draining, cancellationSignal]);
  const { upTo, pairs } = (keptByLastAttempt() as Kept | undefined) ?? { upTo: 0, pairs: [] };
  const left = apiUsers.filter(({ id }) => id > upTo).toSorted((a, b) => a.id - b.id);
  for (const { id, name, email, suspended } of left) {
    cancellationSignal.throwIfAborted();
    if (draining.aborted)
      throw failure('WaitInterrupted', 'the worker is shutting down', '1 second');
    const { body } = await session.alone((pages) => pages.open(`/api_users/${id}/manage_tokens`));
    const byApplication = new Map<string, SignonPair['tokens']>();
    for (const { application, authorisationId, masked, expires } of readManageTokens(body).cards)
      byApplication.set(application, [
        ...(byApplication.get(application) ?? []),
        { authorisationId, masked, expires },
      ]);
    for (const [application, tokens] of byApplication)
      pairs.push({ apiUser: { name, email, suspended }, application, tokens });
    keepForNextAttempt({ upTo: id, pairs } satisfies Kept);
    await after(ms(pause), undefined, { signal: ends }).catch(() => undefined);
  }
  return pairs;
}
