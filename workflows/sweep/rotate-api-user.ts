import { parseApiUserRequest, type SweepReport } from '../../domain/sweep/index.ts';
import { requestOrFail } from '../shared/index.ts';
import { rotateInWaves } from './waves.ts';

/**
 * Answers a leak: rotates the tokens of one API user by force, all at once. They stay alive until
 * their revokes are approved, one evidence for each pair. Its workflow id, `leak/<environment>/<api
 * user>`, is its lock; under any other id it hands over.
 * @throws InvalidRequest naming each wrong field
 */
export async function rotateApiUser(
  input: unknown,
  delegation?: unknown,
  carried?: unknown,
): Promise<SweepReport> {
  return rotateInWaves(requestOrFail(parseApiUserRequest(input)), delegation, carried);
}
