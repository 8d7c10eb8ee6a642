import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  workflowInfo,
} from '@temporalio/workflow';
import { parseDelegation } from '../../domain/evidence/index.ts';
import { whyLeftAlone } from '../../domain/request/index.ts';
import { lockOf, type SweepReport, type SweepRequest } from '../../domain/sweep/index.ts';
import { HistoryIsLong } from '../shared/index.ts';
import { Sweep } from './sweep.ts';

/**
 * Rotates what a request asks for, in waves, to a tidy end, whoever ends it; a cancel is taken as
 * `abort`. The rotations are children that outlive it, and tell it where they stand.
 * @param given the delegation, set by a run that handed over; believed only where the server records that run
 * as the parent
 * @param carried from a run that continued as new; else ignored
 */
export async function rotateInWaves(
  request: SweepRequest,
  given: unknown,
  carried: unknown,
): Promise<SweepReport> {
  const delegation = parseDelegation(given);
  const run = new Sweep(request, delegation, carried);
  CancellationScope.current().cancelRequested.catch(() => run.end('the workflow was cancelled'));
  return CancellationScope.nonCancellable(async () => {
    const report = await waves(run, request).catch((error: unknown) => {
      if (error instanceof HistoryIsLong) return undefined;
      return run.closeEnded(error);
    });
    await condition(allHandlersFinished); // whoever sent a decision as an update gets its answer
    // The children go on, and tell this id.
    return (
      report ??
      run.closeIfDue() ??
      continueAsNew<typeof rotateInWaves>(request, delegation, run.carry())
    );
  });
}

/**
 * A wave's rotations ask for one sync together, and the next begins when each of them waits for a
 * person or has ended.
 */
async function waves(run: Sweep, request: SweepRequest): Promise<SweepReport> {
  const leftAlone = whyLeftAlone(request.environment);
  if (leftAlone) return run.close('ignored', leftAlone);
  const isCanonical = workflowInfo().workflowId === lockOf(request);
  if (!isCanonical && !request.plan) return run.close('delegated', await run.delegate());

  const nothing = await run.begin();
  if (nothing !== undefined) return run.close('nothing-to-do', nothing);
  if (request.plan) return run.close('planned', 'nothing was touched');
  await run.untilOver(run.atWork()); // what the run before this one waited for
  for (let wave = run.nextWave(); wave.length > 0; wave = run.nextWave()) {
    await run.untilNotPaused();
    await run.start(wave);
    await run.untilOver(wave);
  }
  return run.close('swept', run.outcomeWhy);
}
