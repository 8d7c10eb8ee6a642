import { workflowInfo } from '@temporalio/workflow';
import { parseDelegation } from '../../domain/evidence/index.ts';
import { whyLeftAlone } from '../../domain/request/index.ts';
import { lockOf, type SweepReport, type SweepRequest } from '../../domain/sweep/index.ts';
import { sweep } from './sweep.ts';

/**
 * Rotates what a request asks for, in waves: a wave's rotations ask for one sync together, and the
 * next begins when each of them waits for a person or has ended. The rotations are children that
 * outlive it, and tell it where they stand.
 * @param delegation set by a run that handed over; believed only where the server records that run
 * as the parent
 * @param carried from a run that continued as new; else ignored
 */
export function rotateInWaves(
  request: SweepRequest,
  delegation: unknown,
  carried: unknown,
): Promise<SweepReport> {
  return sweep(request, parseDelegation(delegation), carried, async (run) => {
    const leftAlone = whyLeftAlone(request.environment);
    if (leftAlone) return run.close('ignored', leftAlone);
    const isCanonical = workflowInfo().workflowId === lockOf(request);
    if (!isCanonical && !request.plan) return run.close('delegated', await run.delegate());

    const nothing = await run.begin();
    if (nothing !== undefined) return run.close('nothing-to-do', nothing);
    if (request.plan) return run.close('planned', 'nothing was touched');
    await run.untilOver(run.atWork()); // what a history that was cut waited for
    for (let wave = run.nextWave(); wave.length > 0; wave = run.nextWave()) {
      await run.untilNotPaused();
      await run.start(wave);
      await run.untilOver(wave);
    }
    return run.close('swept', run.outcomeWhy);
  });
}
