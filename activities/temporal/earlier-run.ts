import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { type Consumer, distinctConsumers, type SeenHolding } from '../../domain/cluster/index.ts';
import { STATUS, WORKFLOW } from '../../domain/names/index.ts';
import type { Remembered } from '../../domain/rotation/index.ts';
import { isObject, listOf, matching, object, textUpTo } from '../../domain/shape/index.ts';

/** More than a rotation remembers: three containers for each of a pair's tokens. */
const LONGEST_LIST = 1000;
const NAME = textUpTo(600);
const REMEMBERED = object<Remembered>({
  givenUp: listOf(
    object<SeenHolding>({ token: matching(/^\S{8}…\S{8}$/), by: NAME }),
    undefined,
    LONGEST_LIST,
  ),
  also: listOf(
    object<Consumer>({
      workload: matching(/^\w+\/\S{1,253}$/) as never,
      container: NAME,
      variable: NAME,
    }),
    undefined,
    LONGEST_LIST,
  ),
});
const NOTHING: Remembered = { givenUp: [], also: [] };

/**
 * What the last closed run of a rotation remembered: from its report, or by a query where it left
 * none (terminated, timed out). Trusts only a `rotateToken` on the same task queue. Empty where
 * nothing can be read.
 */
export async function rememberedByEarlierRun(client: Client): Promise<Remembered> {
  const { taskQueue, workflowExecution } = activityInfo();
  const { workflowId } = workflowExecution!;
  const query = `WorkflowId = '${workflowId.replaceAll("'", "''")}' AND WorkflowType = '${WORKFLOW.rotation}' AND ExecutionStatus != 'Running' AND ExecutionStatus != 'ContinuedAsNew'`;
  for await (const { runId, taskQueue: queue, status } of client.workflow.list({
    query,
    pageSize: 1,
  })) {
    if (queue !== taskQueue) return NOTHING;
    const handle = client.workflow.getHandle(workflowId, runId);
    const said: unknown =
      status.name === 'COMPLETED' ? await handle.result() : await handle.query(STATUS);
    const remembered = isObject(said) ? said.remembered : undefined;
    if (!REMEMBERED.is(remembered)) return NOTHING;
    return {
      givenUp: remembered.givenUp.map(({ token, by }) => ({ token, by })),
      also: distinctConsumers(remembered.also),
    };
  }
  return NOTHING;
}
