import { CancellationScope, condition } from '@temporalio/workflow';
import { running, type Readers } from '../domain/cluster.ts';
import { describeOthers, holds } from '../domain/possession.ts';
import { startOfDay, type ListedToken } from '../domain/tokens.ts';
import { lookAtConsumers } from './activities.ts';
import type { Runbook } from './runbook.ts';

/**
 * For as long as a rotation runs: when the last day of one of its old tokens begins, looks whether containers still hold it.
 * That is an incident: people are told, and the rotation goes on with its step. Reads only.
 */
export function watchEnds(book: Runbook): void {
  const looked = new Set<number>();
  const next = (): ListedToken | undefined =>
    book.oldTokens().find(({ authorisationId }) => !looked.has(authorisationId));
  void CancellationScope.nonCancellable(async () => {
    for (;;) {
      await condition(() => next() !== undefined);
      const token = next()!;
      const left = startOfDay(token.expires) - Date.now();
      const summary = `Until the last day of ${token.masked}`;
      if (left > 0 && (await condition(() => next()?.authorisationId !== token.authorisationId, left, { summary })))
        continue;
      looked.add(token.authorisationId);
      if (book.readers) await lookForHolders(book, book.readers, token);
    }
  });
}

async function lookForHolders(book: Runbook, readers: Readers, token: ListedToken): Promise<void> {
  const seen = await lookAtConsumers(readers).catch(() => undefined);
  const who = `${token.masked} (authorisation ${token.authorisationId}), which ends on ${token.expires}`;
  const holders = seen && running(seen).filter((container) => holds(container, token));
  if (holders?.length === 0) return;
  const text = holders
    ? `containers still hold ${who}: ${describeOthers(holders, [token])}`
    : `whether containers still hold ${who}, cannot be seen`;
  book.remark(`Incident: ${text}`);
  await book.notices.tell({
    kind: 'incident',
    cause: 'an old token ends',
    text,
    todo: 'Get the workloads named here to hold the new token before that day is over: mend what blocks the rotation and send retry, or restart them.',
  });
}
