import { workflowInfo } from '@temporalio/workflow';
import type { Delegation } from '../../activities/temporal/interface.ts';
import { whyLeftAlone } from '../../domain/request/index.ts';
import { parseSweepRequest, type SweepReport } from '../../domain/sweep/index.ts';
import { requestOrFail } from '../shared/index.ts';
import { sweep } from './sweep.ts';
import { sweepId } from '../../domain/names/index.ts';

/**
 * Rotates every token of an environment that ends inside the window, in waves: a wave's rotations ask for one sync together, and the next
 * begins when each of them waits for a person or has ended. The rotations are children that outlive it, and tell it where they stand.
 * Its workflow id, `sweep/<environment>`, is its lock; under any other id it hands over. A plan touches nothing, and runs under any id.
 * @param delegation set by a run that handed over; believed only where the server records that run as the parent
 * @param carried what a cut history hands on; believed only of one
 * @throws InvalidRequest naming each wrong field
 */
export async function rotateExpiringTokens(
  input: unknown,
  delegation?: Delegation,
  carried?: unknown,
): Promise<SweepReport> {
  const request = requestOrFail(parseSweepRequest(input));
  return sweep(request, delegation, carried, async (run) => {
    const leftAlone = whyLeftAlone(request.environment);
    if (leftAlone) return run.close('ignored', leftAlone);
    const isCanonical = workflowInfo().workflowId === sweepId(request.environment);
    if (!isCanonical && !request.plan) return run.close('delegated', await run.delegate());

    await run.begin();
    if (request.plan) return run.close('planned', 'nothing was touched');
    await run.untilOver(run.atWork()); // what a history that was cut waited for
    for (let wave = run.nextWave(); wave.length > 0; wave = run.nextWave()) {
      await run.untilNotPaused();
      await run.start(wave);
      await run.untilOver(wave);
    }
    return run.close('swept', 'every pair had its turn; what waits for a person goes on waiting');
  });
}
