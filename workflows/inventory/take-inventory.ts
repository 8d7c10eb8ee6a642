import { ApplicationFailure, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import {
  drawInventory,
  drawNoInventory,
  type Inventory,
  inventoryOf,
  parseInventoryRequest,
} from '../../domain/inventory/index.ts';
import { todoFor } from '../../domain/rotation/index.ts';
import { activities, failureOf, requestOrFail } from '../shared/index.ts';

/**
 * Reads every pair of Signon and everything that reads its Secrets. Reads only: where retries are
 * spent it fails, and is asked for again.
 * @throws InvalidRequest naming each wrong field; else the failure that stood in the way
 */
export async function takeInventory(input: unknown): Promise<Inventory> {
  const request = requestOrFail(parseInventoryRequest(input));
  try {
    const settings = await activities.beginRotation(request);
    const [pairs, readings] = await Promise.all([
      activities.listPairs({ pause: settings.sweep.pause }),
      activities.listReadings(),
    ]);
    const { environment } = request;
    const inventory = inventoryOf(pairs, readings, { environment, settings, now: Date.now() });
    setCurrentDetails(drawInventory(inventory));
    return inventory;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { failure: type, message } = failureOf(error);
    setCurrentDetails(drawNoInventory(request, { type, message, todo: todoFor(type) }));
    throw ApplicationFailure.nonRetryable(message, type);
  }
}
