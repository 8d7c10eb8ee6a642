import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import {
  keyOf,
  type Progress,
  type SearchAttribute,
  type Stage,
} from '../domain/rotation/index.ts';
import type { Answer, DecisionName, Decisions } from '../domain/evidence/index.ts';
import { type Environment, pairOfId, taskQueueOf } from '../domain/request/index.ts';
import type { SweepDecisions } from '../domain/sweep/index.ts';
import { STATUS, WORKFLOW } from '../domain/names/index.ts';
import { DAY, type Day } from '../domain/tokens/index.ts';

/** What a rotation answers to `status`. */
export type Status = Progress & { code?: string };

/** A rotation as Temporal lists it, without asking it. */
export interface ListedRotation {
  workflowId: string;
  runId: string;
  apiUser: string;
  application: string;
  stage: Stage;
  /** How the server calls the end of one that left no report, e.g. `terminated`. */
  end?: string;
  /** The last day of the first token that an approval is to revoke, as it was last asked for. */
  firstEnd?: Day;
  open: boolean;
  startedAt: Date;
}

/** What people send to rotations and to sweeps. */
export type Sendable = Decisions & Omit<SweepDecisions, DecisionName>;

/** A query or an update is answered by a worker; how long to wait for that, in ms. */
const ANSWER_WITHIN_MS = 20_000;

/** Lists an environment's rotations: open ones, oldest first; closed ones too where asked for. */
export async function listRotations(
  client: Client,
  environment: Environment,
  { stages, closed = false }: { stages?: readonly Stage[]; closed?: boolean } = {},
): Promise<ListedRotation[]> {
  const query = [
    rotationsOf(environment),
    ...(closed ? [] : [`ExecutionStatus = 'Running'`]),
    ...(stages ? [`RotationStage IN (${stages.map((stage) => `'${stage}'`).join(', ')})`] : []),
  ].join(' AND ');
  const found: ListedRotation[] = [];
  for await (const execution of client.workflow.list({ query })) found.push(listed(execution));
  return found.toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
}

/**
 * The condition for an environment's rotations. One that the UI started has no attributes before a
 * worker has seen it, and is found by its task queue.
 */
export function rotationsOf(environment: Environment): string {
  return `WorkflowType = '${WORKFLOW.rotation}' AND (RotationEnvironment = '${environment}' OR TaskQueue = '${taskQueueOf(environment)}')`;
}

function listed(execution: WorkflowExecutionInfo): ListedRotation {
  const { workflowId, runId } = execution;
  const { name } = execution.status;
  const named = pairOfId(workflowId);
  return {
    workflowId,
    runId,
    apiUser: attributeOf(execution, 'RotationApiUser') || named.apiUser,
    application: attributeOf(execution, 'RotationApplication') || named.application,
    stage: (attributeOf(execution, 'RotationStage') || 'preparing') as Stage,
    end: ['RUNNING', 'COMPLETED'].includes(name) ? undefined : name.toLowerCase(),
    firstEnd: DAY.is(execution.memo?.firstEnd) ? execution.memo.firstEnd : undefined,
    open: name === 'RUNNING',
    startedAt: execution.startTime,
  };
}

/** A search attribute of a rotation; empty where it has none. */
export function attributeOf(
  { typedSearchAttributes }: Pick<WorkflowExecutionInfo, 'typedSearchAttributes'>,
  name: SearchAttribute,
): string {
  return typedSearchAttributes.get(keyOf(name)) ?? '';
}

/** What Temporal knows of a workflow's last run; undefined where it knows none. */
export async function lastRunOf(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/**
 * Where a rotation, or a sweep, stands, as it says itself; undefined where no worker answers in 20
 * s.
 * @throws WorkflowNotFoundError
 */
export async function askStatus<T = Status>(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<T | undefined> {
  try {
    return await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId, runId).query<T>(STATUS),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw error;
    return undefined;
  }
}

/**
 * Sends a decision and waits for its answer.
 * @param to `firstRunId`: no later rotation under the same id takes it
 * @throws WorkflowNotFoundError; Error where no worker answers in 20 s
 */
export async function decide<Name extends keyof Sendable>(
  client: Client,
  { workflowId, firstRunId }: { workflowId: string; firstRunId?: string },
  name: Name,
  decision: Sendable[Name],
): Promise<Answer> {
  try {
    return await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow
        .getHandle(workflowId, undefined, { firstExecutionRunId: firstRunId })
        .executeUpdate<Answer, [unknown]>(name, { args: [decision], updateId: randomUUID() }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      return { accepted: false, answer: error.cause?.message ?? error.message };
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
    throw new Error(
      `${workflowId} did not answer within ${ANSWER_WITHIN_MS / 1000} s. The ${name} may count all the same: look at its page`,
      { cause: error },
    );
  }
}
