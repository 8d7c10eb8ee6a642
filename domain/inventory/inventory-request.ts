import { parseSweepRequest, type SweepRequest } from '../sweep/index.ts';

/** What a person asks for: the input of `takeInventory`. */
export type InventoryRequest = Pick<SweepRequest, 'environment' | 'requestedBy'>;

/** Reads a request strictly: each problem names the field and what was expected. */
export function parseInventoryRequest(
  input: unknown,
): { ok: true; request: InventoryRequest } | { ok: false; problems: string[] } {
  const parsed = parseSweepRequest(input);
  if (!parsed.ok) return parsed;
  const { environment, requestedBy, ...others } = parsed.request;
  const problems = Object.keys(others).map(
    (key) => `${key}: unknown field, expected environment, requestedBy`,
  );
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, request: { environment, requestedBy } };
}
