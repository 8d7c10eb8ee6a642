import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { distinctConsumers, type Workload } from '../../domain/cluster/index.ts';
import { STATUS, WORKFLOW } from '../../domain/names/index.ts';
import type { Remembered } from '../../domain/rotation/index.ts';
import { failure } from '../failure.ts';
import { eventsOf } from './history.ts';
import {
  FLAG,
  isObject,
  type Kind,
  listOf,
  matching,
  object,
  optional,
  textUpTo,
} from '../../domain/shape/index.ts';

/** More than a rotation remembers: three containers for each of a pair's tokens. */
const LONGEST_LIST = 1000;
const NAME = textUpTo(600);
const CONSUMERS = listOf(
  object({
    workload: matching(/^\w+\/\S{1,253}$/) as Kind<Workload>,
    container: NAME,
    variable: NAME,
  }),
  undefined,
  LONGEST_LIST,
);
const REMEMBERED: Kind<Remembered> = object({
  givenUp: listOf(object({ token: matching(/^\S{8}…\S{8}$/), by: NAME }), undefined, LONGEST_LIST),
  also: CONSUMERS,
  passing: optional(CONSUMERS),
  isPart: optional(FLAG),
});
/** Outcomes after which no other token than the new one was live. */
const ENDED_WELL: readonly unknown[] = ['rotated', 'handed-over', 'old-token-expired'];
/** Runs in a row that were stopped before they knew anything. */
const RUNS_AT_MOST = 10;
const NOTHING: Remembered = { givenUp: [], also: [] };

/**
 * What the last closed run of a rotation remembered that came to know something: from its report, or
 * by a query where it left none (terminated, timed out); and those before it, where it could not read
 * them. Trusts only a `rotateToken` on the same task queue. Empty where nothing can be read.
 */
export async function rememberedByEarlierRun(client: Client): Promise<Remembered> {
  const { taskQueue, workflowExecution } = activityInfo();
  const { workflowId } = workflowExecution!;
  const query = `WorkflowId = '${workflowId.replaceAll("'", "''")}' AND WorkflowType = '${WORKFLOW.rotation}' AND ExecutionStatus != 'ContinuedAsNew'`;
  let runs = 0;
  let known = NOTHING;
  let isOver = false;
  for await (const { runId, taskQueue: queue, status } of client.workflow.list({
    query,
    pageSize: RUNS_AT_MOST,
  })) {
    if (runId === workflowExecution!.runId) continue;
    if (queue !== taskQueue || ++runs > RUNS_AT_MOST) return known;
    // An id has one open run, this one: the list lags behind, and may lack what that one came to.
    if (status.name === 'RUNNING')
      throw failure('Unreachable', 'Temporal lists the last rotation of this pair as still open');
    if (status.name === 'FAILED') continue; // for a bad request: it knew nothing
    const handle = client.workflow.getHandle(workflowId, runId);
    if (status.name !== 'COMPLETED' && !(await wasTaken(client, workflowId, runId))) continue;
    const said: unknown =
      status.name === 'COMPLETED' ? await handle.result() : await handle.query(STATUS);
    const { remembered, outcome } = isObject(said) ? said : {};
    if (remembered === undefined) continue; // it was stopped before it knew
    if (!REMEMBERED.is(remembered)) return known;
    // Where it ended well, what those held is no longer live.
    isOver ||= ENDED_WELL.includes(outcome);
    const { givenUp, also, passing = [] } = remembered;
    known = {
      givenUp: [...known.givenUp, ...givenUp.map(({ token, by }) => ({ token, by }))],
      also: distinctConsumers([...known.also, ...also]),
      passing: distinctConsumers([...(known.passing ?? []), ...(isOver ? [] : passing)]),
    };
    if (!remembered.isPart) return known;
  }
  return known;
}

/** Whether a worker ever took a run; else it knew nothing, and answers no query. */
async function wasTaken(client: Client, workflowId: string, runId: string): Promise<boolean> {
  for await (const event of eventsOf(client, workflowId, runId))
    if (event.workflowTaskCompletedEventAttributes) return true;
  return false;
}
