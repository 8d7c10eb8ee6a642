import { ApplicationFailure } from '@temporalio/workflow';
import type { SyncCronJob } from '../activities/argo/interface.ts';
import { specialCaseOf, type Assessment, type Plan } from '../domain/plan.ts';
import { running, type ClusterLook } from '../domain/cluster.ts';
import { readInCluster, recipientOf } from '../domain/holders.ts';
import { disagreements, unseenConsumers } from '../domain/possession.ts';
import type { RotationRequest } from '../domain/request.ts';
import type { Recipient } from '../domain/settings.ts';
import { isLive } from '../domain/tokens.ts';
import { beginRotation, cronJobUid, findPair, findSyncCronJob, listTokens, lookAtConsumers } from './activities.ts';
import { refuseUnprovable } from './rollout.ts';
import type { Runbook } from './runbook.ts';

/** Gathers all that the plan needs, and blocks where the systems do not fit together. Reads only. */
export async function assess(
  book: Runbook,
  request: RotationRequest,
): Promise<Extract<Plan, { kind: 'stop' }> | (Assessment & { kind: 'assessed'; cronJob: SyncCronJob })> {
  const settings = await beginRotation(request);
  book.linkTo(settings);
  const pair = await findPair(request);
  const special = specialCaseOf(pair, settings);
  if (special) return special;
  if (request.recipient !== undefined && recipientOf(settings, pair)?.name !== request.recipient)
    throw block('UnknownRecipient', `the settings name no recipient “${request.recipient}” for ${pair.apiUser.email}`);
  const [tokens, look, [cronJob, uid]] = await Promise.all([
    listTokens(pair),
    lookAtConsumers({ secret: pair.secret, also: [] }),
    findSyncCronJob().then(async (found) => [found, await cronJobUid(found.name)] as const),
  ]);
  book.readers = { secret: pair.secret, also: [] };
  book.report.alive = tokens.filter((token) => isLive(token, Date.now()));
  if (uid !== cronJob.uid)
    throw block(
      'WrongEnvironment',
      `CronJob ${cronJob.name} has uid ${cronJob.uid} in Argo CD and ${uid ?? 'is not there'} in Kubernetes`,
    );
  if (tokens.length > 0 && pair.apiUser.suspended)
    throw block('ApiUserSuspended', `${pair.apiUser.email} is suspended in Signon: the sync skips it`);
  refuseUnprovable(look, pair);
  refuseReadInCluster(look, recipientOf(settings, pair));
  refuseOtherEnvironment(look, request);
  const { unlisted } = disagreements(look, tokens, request.environment);
  if (tokens.length > 0 && unlisted.length > 0 && !book.accepted.has('unlisted-token'))
    throw block('UnlistedToken', unlisted.join('; '));
  const pods = new Set(running(look).map(({ pod }) => pod)).size;
  const idle = unseenConsumers(look).length;
  book.note(
    'assess',
    `tokens listed: ${tokens.length}; consumers: ${look.consumers.length}${idle > 0 ? `, ${idle} of them not running` : ''}; pods: ${pods}`,
  );
  return { kind: 'assessed', settings, pair, cronJob, tokens, look };
}

/** Blocks where containers read what is to be handed over to somebody outside, and nothing says that both hold it. */
export function refuseReadInCluster(look: ClusterLook, recipient: Recipient | undefined): void {
  const why = readInCluster(recipient, look);
  if (why !== undefined) throw block('ReadInCluster', why);
}

/** Blocks where containers are of another environment than the request. */
export function refuseOtherEnvironment(look: ClusterLook, { environment }: RotationRequest): void {
  const { environment: others } = disagreements(look, [], environment);
  if (others.length > 0) throw block('WrongEnvironment', others.join('; '));
}

function block(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}
