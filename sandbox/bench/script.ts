import { MockActivityEnvironment } from '@temporalio/testing';
import type { ArgoActivities } from '../../activities/argo/interface.ts';
import type { KubernetesActivities } from '../../activities/kubernetes/interface.ts';
import type { SignonActivities } from '../../activities/signon/interface.ts';
import type { TemporalActivities } from '../../activities/temporal/interface.ts';
import type { Readers } from '../../domain/cluster/index.ts';
import type { RotationRequest } from '../../domain/request/index.ts';
import { newestOf } from '../../domain/tokens/index.ts';
import { createActivities } from '../../worker/activities.ts';
import { readConfiguration } from '../../config/configuration.ts';
import { REQUEST, type Ground } from './ground.ts';

type Activities = SignonActivities & ArgoActivities & KubernetesActivities & TemporalActivities;

/**
 * The same activities called one after the other, as a plain script would: no workflow, no history.
 * Times in ms.
 */
export function plainScript({
  env,
  client,
}: Ground): (request?: RotationRequest) => Promise<{ toApproval: number; toRevoked: number }> {
  const activities = createActivities(
    readConfiguration(env),
    env,
    client,
    new AbortController().signal,
  ) as Activities;
  const context = new MockActivityEnvironment();
  const inOne = hour();
  return (request = REQUEST) =>
    context.run(async () => {
      const began = performance.now();
      const settings = await activities.beginRotation(request);
      const pair = await activities.findPair(request);
      const cronJob = await activities.findSyncCronJob();
      const before = await activities.listTokens(pair);
      let readers: Readers = { secret: pair.secret, holding: before, also: [], ofOtherPairs: [] };
      await activities.lookAtConsumers(readers);
      await activities.cronJobUid(cronJob.name);
      const created = await activities.createToken({
        pair,
        before: before.map(({ authorisationId }) => authorisationId),
      });
      readers = { ...readers, holding: [...before, created.token] };
      const job = await activities.createSyncJob({
        cronJobUid: cronJob.uid,
        notBefore: new Date().toISOString(),
        deadline: inOne,
      });
      const { seenAt } = await activities.awaitSyncJob({ job, deadline: inOne });
      const sync = { job: job.name, seenAt };
      await activities.awaitRollout({ readers, token: created.token, sync, deadline: inOne });
      const call = settings.smokeCalls[request.application];
      const tokens = [created.token];
      await activities.smokeConsumers({ readers, tokens, application: request.application, call });
      const ready = performance.now();
      await activities.listTokens(pair);
      await activities.lookAtConsumers(readers);
      for (const token of before)
        if (token !== newestOf([created.token, token]))
          await activities.revokeToken({ pair, token, notAfter: inOne });
      return { toApproval: ready - began, toRevoked: performance.now() - ready };
    });
}

function hour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}
