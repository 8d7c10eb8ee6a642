import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
} from '@temporalio/workflow';
import type { Delegation } from '../../domain/evidence/index.ts';
import type { CarriedRotation, RotationReport } from '../../domain/rotation/index.ts';
import type { RotationRequest } from '../../domain/request/index.ts';
import { activities, HistoryIsLong } from '../shared/index.ts';
import type { Opening } from './approvals.ts';
import { Rejected, Stopped } from './ends.ts';
import { Runbook } from './runbook.ts';
import { watchEnds } from './watch-ends.ts';

/**
 * Opens the runbook for a request and runs its steps to a tidy end, whoever stops it. A cancel is
 * taken as `abort`. A run whose history has grown long continues as new.
 */
export async function runbook(
  opening: Opening,
  steps: (book: Runbook) => Promise<RotationReport>,
): Promise<RotationReport> {
  const { request, delegation, carried } = opening;
  const book = new Runbook(opening);
  watchEnds(book);
  CancellationScope.current().cancelRequested.catch(() => {
    void book.stops
      .take('cancel', 'a cancel request', 'the workflow was cancelled')
      .then(({ answer }) => book.checklist.answer(answer));
  });
  return CancellationScope.nonCancellable(async () => {
    const ended = await steps(book).catch((error: unknown) => {
      if (error instanceof Stopped) return book.closeStopped();
      if (error instanceof Rejected) return book.closeRejected(error.refusal);
      if (error instanceof HistoryIsLong) return undefined;
      throw error;
    });
    // Where it cannot be read now, the verdict on an approval reads it of the first run.
    const starter = ended
      ? undefined
      : (carried?.starter ?? (await activities.readStarter(delegation).catch(() => undefined)));
    await condition(allHandlersFinished); // whoever sent a decision as an update gets its answer
    if (!ended) await book.stops.judged; // a cancel is no handler
    const report = ended ?? (book.stops.stop ? book.closeStopped() : undefined);
    if (!report) await continueAsNew<Rotates>(request, delegation, book.carry(starter));
    const { outcome, why } = report!;
    if (outcome !== 'delegated')
      await book.notices.tell({ kind: 'ended', cause: outcome, text: why });
    await book.checklist.sweepTold;
    return report!;
  });
}

type Rotates = (
  request: RotationRequest,
  delegation: Delegation | undefined,
  carried: CarriedRotation,
) => Promise<RotationReport>;
