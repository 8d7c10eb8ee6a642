import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  introduceInventory,
  type Inventory,
  type InventoryRequest,
} from '../domain/inventory/index.ts';
import { taskQueueOf } from '../domain/request/index.ts';
import { WORKFLOW, inventoryId } from '../domain/names/index.ts';

/** An inventory's workflow as its starters see it. */
export type TakeInventory = (request: InventoryRequest) => Promise<Inventory>;

/**
 * Has an inventory taken; one that is being taken already serves too.
 * @throws as Temporal's client does
 */
export function startInventory(
  client: Client,
  request: InventoryRequest,
): Promise<WorkflowHandle<TakeInventory>> {
  const { environment } = request;
  return client.workflow.start<TakeInventory>(WORKFLOW.inventory, {
    workflowId: inventoryId(environment),
    taskQueue: taskQueueOf(environment),
    args: [request],
    workflowIdConflictPolicy: 'USE_EXISTING',
    ...introduceInventory(request),
  });
}
