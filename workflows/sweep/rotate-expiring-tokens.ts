import { parseSweepRequest, type SweepReport } from '../../domain/sweep/index.ts';
import { requestOrFail } from '../shared/index.ts';
import { rotateInWaves } from './waves.ts';

/**
 * Rotates every token of an environment that ends inside the window. Its workflow id,
 * `sweep/<environment>`, is its lock; under any other id it hands over. A plan touches nothing, and
 * runs under any id.
 * @throws InvalidRequest naming each wrong field
 */
export async function rotateExpiringTokens(
  input: unknown,
  delegation?: unknown,
  carried?: unknown,
): Promise<SweepReport> {
  return rotateInWaves(requestOrFail(parseSweepRequest(input)), delegation, carried);
}
