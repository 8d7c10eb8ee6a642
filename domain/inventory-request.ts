import { parseSweepRequest, type SweepRequest } from './sweep-request.ts';

/** What a person asks for: the input of `takeInventory`. */
export type InventoryRequest = Pick<SweepRequest, 'environment' | 'requestedBy'>;

/** Reads a request strictly: each problem names the field and what was expected. */
export function parseInventoryRequest(
  input: unknown,
): { ok: true; request: InventoryRequest } | { ok: false; problems: string[] } {
  const parsed = parseSweepRequest(input);
  if (!parsed.ok) return parsed;
  const { environment, requestedBy, ...others } = parsed.request;
  const problems = Object.keys(others).map((key) => `${key}: unknown field, expected environment, requestedBy`);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, request: { environment, requestedBy } };
}

/** The workflow id of an environment's inventory: who asks while one is taken gets that one. */
export function inventoryId(environment: string): string {
  return `inventory/${environment}`;
}
