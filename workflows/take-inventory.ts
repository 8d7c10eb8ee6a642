import { ApplicationFailure, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { drawInventory, drawNoInventory } from '../domain/inventory-details.ts';
import { parseInventoryRequest, type InventoryRequest } from '../domain/inventory-request.ts';
import { inventoryOf, type Inventory } from '../domain/inventory.ts';
import { todoFor } from '../domain/failures.ts';
import { beginRotation, listPairs, listReadings } from './activities.ts';
import { failureOf } from './failure-of.ts';
import { invalidRequest } from './invalid-request.ts';

/**
 * Reads every pair of Signon and everything that reads its Secrets. Reads only: where retries are spent it fails, and is asked for again.
 * @throws InvalidRequest naming each wrong field; else the failure that stood in the way
 */
export async function takeInventory(input: unknown): Promise<Inventory> {
  const request = requestOrFail(input);
  try {
    const settings = await beginRotation(request);
    const [pairs, readings] = await Promise.all([listPairs({ pause: settings.sweep.pause }), listReadings()]);
    const { environment } = request;
    const inventory = inventoryOf(pairs, readings, { environment, settings, now: Date.now() });
    setCurrentDetails(drawInventory(inventory));
    return inventory;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type, message } = failureOf(error);
    setCurrentDetails(drawNoInventory(request, { type, message, todo: todoFor(type) }));
    throw ApplicationFailure.nonRetryable(message, type);
  }
}

/** Parses the input, or fails the workflow naming each field that is wrong. */
function requestOrFail(input: unknown): InventoryRequest {
  const parsed = parseInventoryRequest(input);
  if (parsed.ok) return parsed.request;
  throw invalidRequest(parsed.problems);
}
