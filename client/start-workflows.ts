import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type Workflow,
  type WorkflowHandle,
  type WorkflowStartOptions,
} from '@temporalio/client';
import {
  introduceInventory,
  type Inventory,
  type InventoryRequest,
} from '../domain/inventory/index.ts';
import { inventoryId, WORKFLOW } from '../domain/names/index.ts';
import { rotationId, taskQueueOf, type RotationRequest } from '../domain/request/index.ts';
import { attributesOf, introduce, pairsOf, type RotationReport } from '../domain/rotation/index.ts';
import {
  type ApiUserRequest,
  introduceSweep,
  isOfApiUser,
  lockOf,
  type SweepReport,
  type SweepRequest,
} from '../domain/sweep/index.ts';

/** The workflows as their starters see them. */
export type RotateToken = (request: RotationRequest) => Promise<RotationReport>;
export type RotateExpiringTokens = (request: SweepRequest) => Promise<SweepReport>;
export type TakeInventory = (request: InventoryRequest) => Promise<Inventory>;

/** A workflow that was started, or that was open already. */
export interface Started<Type extends Workflow> {
  handle: WorkflowHandle<Type>;
  /**
   * False where it was open already: nothing was started, and the request given is not the one that
   * runs.
   */
  fresh: boolean;
}

/**
 * Starts a rotation under its canonical id, which is the pair's lock.
 * @param memo `startsAt` of the alert that asks for it
 * @throws as Temporal's client does; a bad request fails the workflow, not this call
 */
export function startRotation(
  client: Client,
  request: RotationRequest,
  memo?: { startsAt: string },
): Promise<Started<RotateToken>> {
  const about = introduce(request);
  return startOrFind<RotateToken>(client, WORKFLOW.rotation, {
    workflowId: rotationId(request),
    taskQueue: taskQueueOf(request.environment),
    args: [request],
    typedSearchAttributes: pairsOf(attributesOf(request)),
    ...about,
    memo: { ...about.memo, ...memo },
  });
}

/** Starts a sweep, or the rotations of an API user's tokens, under the id that is its lock. */
export function startSweep(
  client: Client,
  request: SweepRequest | ApiUserRequest,
): Promise<Started<RotateExpiringTokens>> {
  const type = isOfApiUser(request) ? WORKFLOW.apiUser : WORKFLOW.sweep;
  return startOrFind<RotateExpiringTokens>(client, type, {
    workflowId: lockOf(request),
    taskQueue: taskQueueOf(request.environment),
    args: [request],
    ...introduceSweep(request),
  });
}

/** Has an inventory taken; one that is being taken already serves too. */
export function startInventory(
  client: Client,
  request: InventoryRequest,
): Promise<Started<TakeInventory>> {
  const { environment } = request;
  return startOrFind<TakeInventory>(client, WORKFLOW.inventory, {
    workflowId: inventoryId(environment),
    taskQueue: taskQueueOf(environment),
    args: [request],
    ...introduceInventory(request),
  });
}

/** Starts a workflow under an id, which is its lock; one that is open already is used as it is. */
async function startOrFind<Type extends Workflow>(
  client: Client,
  type: string,
  options: WorkflowStartOptions<Type>,
): Promise<Started<Type>> {
  try {
    const locked = { ...options, workflowIdConflictPolicy: 'FAIL' as const };
    return { handle: await client.workflow.start<Type>(type, locked), fresh: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { handle: client.workflow.getHandle<Type>(options.workflowId), fresh: false };
  }
}
