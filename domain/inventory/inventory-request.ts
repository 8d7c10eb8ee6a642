import { ENVIRONMENTS, REQUESTER } from '../request/index.ts';
import { oneOf, type Parsed, parseAs } from '../shape/index.ts';
import type { SweepRequest } from '../sweep/index.ts';

/** What a person asks for: the input of `takeInventory`. */
export type InventoryRequest = Pick<SweepRequest, 'environment' | 'requestedBy'>;

/** Reads a request strictly: each problem names the field and what was expected. */
export function parseInventoryRequest(input: unknown): Parsed<InventoryRequest> {
  return parseAs(input, { environment: oneOf(ENVIRONMENTS), requestedBy: REQUESTER });
}
