import ms from 'ms';
import type { SignonPair } from '../../domain/sweep/index.ts';
import { keepForNextAttempt, keptByLastAttempt } from '../heartbeat.ts';
import { givingWay, pause } from '../polling.ts';
import { readManageTokens, type ApiUserRow } from './pages.ts';
import type { SignonSession } from './session.ts';

/** What an attempt keeps for the next: API users up to this id are read. */
interface Kept {
  upTo: number;
  pairs: SignonPair[];
}

export function listPairs(
  session: SignonSession,
  apiUsers: readonly ApiUserRow[],
  between: ms.StringValue,
  draining: AbortSignal,
): Promise<SignonPair[]> {
  const { upTo, pairs } = (keptByLastAttempt() as Kept | undefined) ?? { upTo: 0, pairs: [] };
  const left = apiUsers.filter(({ id }) => id > upTo).toSorted((a, b) => a.id - b.id);
  return givingWay(draining, async (ends, giveWay) => {
    for (const { id, name, email, suspended } of left) {
      giveWay();
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
      await pause(ms(between), ends);
    }
    return pairs;
  });
}
