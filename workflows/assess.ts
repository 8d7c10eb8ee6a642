import { ApplicationFailure } from '@temporalio/workflow';
import type { SyncCronJob } from '../activities/argo/interface.ts';
import { specialCaseOf, type Assessment, type Plan } from '../domain/plan.ts';
import { running } from '../domain/cluster.ts';
import { disagreements, unseenConsumers } from '../domain/possession.ts';
import type { RotationRequest } from '../domain/request.ts';
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
  const [tokens, look, [cronJob, uid]] = await Promise.all([
    listTokens(pair),
    lookAtConsumers(pair.secret),
    findSyncCronJob().then(async (found) => [found, await cronJobUid(found.name)] as const),
  ]);
  book.pair = pair;
  book.report.alive = tokens.filter((token) => isLive(token, Date.now()));
  if (uid !== cronJob.uid)
    throw block(
      'WrongEnvironment',
      `CronJob ${cronJob.name} has uid ${cronJob.uid} in Argo CD and ${uid ?? 'is not there'} in Kubernetes`,
    );
  if (tokens.length > 0 && pair.apiUser.suspended)
    throw block('ApiUserSuspended', `${pair.apiUser.email} is suspended in Signon: the sync skips it`);
  refuseUnprovable(look, pair);
  if (tokens.length > 0 && look.consumers.length === 0)
    throw block('NoConsumers', `no container reads the Secret ${pair.secret}`);
  const { environment, unlisted } = disagreements(look, tokens, request.environment);
  if (environment.length > 0) throw block('WrongEnvironment', environment.join('; '));
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

function block(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}
