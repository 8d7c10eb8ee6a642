import type { Client } from '@temporalio/client';
import type { SeenHolding } from '../../domain/cluster/index.ts';
import { STATUS, WORKFLOW } from '../../domain/names/index.ts';
import { isObject, listOf, matching, object, textUpTo } from '../../domain/shape/index.ts';

/** More than a rotation remembers: three containers for each of a pair's tokens. */
const LONGEST_LIST = 1000;
const SEEN = listOf(
  object<SeenHolding>({ token: matching(/^\S{8}…\S{8}$/), by: textUpTo(600) }),
  'what containers were seen to hold',
  LONGEST_LIST,
);

/**
 * What the last closed run of a rotation saw containers hold: from its report; of one that left none, since it was terminated or timed out,
 * from what it answers now. Believed only of a `rotateToken` on the same task queue. Nothing where there is none, or it says nothing.
 */
export async function heldInEarlierRun(
  client: Client,
  { workflowId, taskQueue }: { workflowId: string; taskQueue: string },
): Promise<SeenHolding[]> {
  const query = `WorkflowId = '${workflowId.replaceAll("'", "''")}' AND WorkflowType = '${WORKFLOW.rotation}' AND ExecutionStatus != 'Running' AND ExecutionStatus != 'ContinuedAsNew'`;
  for await (const { runId, taskQueue: queue, status } of client.workflow.list({ query, pageSize: 1 })) {
    if (queue !== taskQueue) return [];
    const handle = client.workflow.getHandle(workflowId, runId);
    const said: unknown = status.name === 'COMPLETED' ? await handle.result() : await handle.query(STATUS);
    const held = isObject(said) ? said.held : undefined;
    return SEEN.is(held) ? held.map(({ token, by }) => ({ token, by })) : [];
  }
  return [];
}
