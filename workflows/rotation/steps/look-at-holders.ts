import type { ClusterLook, Readers } from '../../../domain/cluster/index.ts';
import { activities } from '../../shared/index.ts';

/**
 * Looks at who reads and holds. Which Secrets of the sync belong to other pairs is asked of Signon
 * where a workload reads one that is not known: one that belongs to none may hold a copy of this
 * pair's token, under an older name of the API user.
 */
export async function lookAtHolders(
  readers: Readers,
): Promise<{ look: ClusterLook; readers: Readers }> {
  const look = await activities.lookAtConsumers(readers);
  const { otherSecrets } = look.census;
  const ofOtherPairs = otherSecrets.length > 0 ? await activities.secretsOfPairs(otherSecrets) : [];
  if (ofOtherPairs.length === 0) return { look, readers };
  const known = { ...readers, ofOtherPairs: [...readers.ofOtherPairs, ...ofOtherPairs] };
  return { look: await activities.lookAtConsumers(known), readers: known };
}
