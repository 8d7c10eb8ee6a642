import { sameConsumer, type ClusterLook, type ConsumingContainer } from '../../domain/cluster.ts';
import type { Sighting, SmokeResult } from '../../domain/evidence.ts';
import { allReady, judgeRollout } from '../../domain/possession.ts';
import type { SmokeCall } from '../../domain/settings.ts';
import { failure } from '../failure.ts';
import { lookUntil, type Waits } from '../polling.ts';
import type { KubernetesClient } from './client.ts';
import type { KubernetesActivities } from './interface.ts';
import { findReaders, look, type Asked } from './look.ts';
import { findReadings } from './readings.ts';
import { smokeWithRuby } from './scripts.ts';

/** Runs of CronJobs are told by the watch; this carries the wait where that is cut. */
const SIGHTED_EVERY_MS = 30_000;
/** Waits for days: no look sooner than this after the last, whatever happens in the namespace. */
const SIGHTED_SOONEST_MS = 2000;
/** Once all hold the new token, a pod of each consumer is given this long to become ready: the smoke calls need one. */
const READY_WITHIN_MS = 60_000;

export function createKubernetesActivities(cluster: KubernetesClient, waits: Waits): KubernetesActivities {
  return {
    cronJobUid: (name) => cluster.cronJobUid(name),

    listReadings: () => findReadings(cluster),

    lookAtConsumers: (readers) => look(cluster, readers, new Map()),

    async awaitRollout({ readers, token, sync, deadline }) {
      const syncedAt = sync && ((await cluster.jobCompletedAt(sync.job)) ?? Date.parse(sync.seenAt));
      const asked: Asked = new Map();
      let last: ConsumingContainer[] = [];
      let held: { look: ClusterLook; since: number } | undefined;
      const seen = await lookUntil(
        async (since) => {
          const now = await look(cluster, readers, asked, since);
          const rollout = judgeRollout(now, token, syncedAt);
          held = rollout.kind === 'held' ? { look: now, since: held?.since ?? performance.now() } : undefined;
          if (held && (allReady(now) || performance.now() - held.since > READY_WITHIN_MS))
            return { kind: 'held' as const, look: now };
          if (rollout.kind === 'held') return undefined;
          if (rollout.kind === 'not-updated') return rollout;
          last = rollout.for;
          return undefined;
        },
        { ...waits, deadline, nudges: (nudge, signal) => cluster.watchPods(nudge, signal) },
      );
      return seen ?? (held ? { kind: 'held', look: held.look } : { kind: 'incomplete', containers: last });
    },

    async restartDeployments({ deployments, at }) {
      for (const deployment of deployments) await cluster.restartDeployment(deployment.replace('Deployment/', ''), at);
    },

    async awaitSighting({ readers, consumers, application, call }) {
      const asked: Asked = new Map();
      const seen = await lookUntil(
        async (since) => {
          const now = await look(cluster, readers, asked, since);
          const runs = now.containers.filter(
            (container) => container.digests && consumers.some((consumer) => sameConsumer(consumer, container)),
          );
          return runs.length > 0 ? runs : undefined;
        },
        {
          ...waits,
          everyMs: SIGHTED_EVERY_MS,
          soonestMs: SIGHTED_SOONEST_MS,
          nudges: (nudge, signal) => cluster.watchPods(nudge, signal),
        },
      );
      const at = new Date().toISOString();
      const sightings: Sighting[] = [];
      for (const container of seen ?? []) {
        const result = container.ready
          ? await smoke(cluster, container, application, call).catch(() => undefined) // its run may be over by now
          : undefined;
        sightings.push({ at, container, ...(result && { smoke: result }) });
      }
      return sightings;
    },

    async smokeConsumers({ readers, application, call }) {
      const { consumers, containers } = await findReaders(cluster, readers);
      const results: SmokeResult[] = [];
      for (const consumer of consumers) {
        const ready = containers.find(
          (container) => container.ready && !container.terminating && sameConsumer(container, consumer),
        );
        if (ready) results.push(await smoke(cluster, ready, application, call));
      }
      return results;
    },
  };
}

async function smoke(
  cluster: KubernetesClient,
  container: ConsumingContainer,
  application: string,
  call: SmokeCall | undefined,
): Promise<SmokeResult> {
  const result = (verdict: SmokeResult['verdict'], detail: string): SmokeResult => ({
    workload: container.workload,
    container: container.container,
    variable: container.variable,
    pod: container.pod,
    verdict,
    detail,
  });
  if (!call) return result('not-tested', `no smoke call is known for ${application}`);
  const answer = await cluster.exec(container, smokeWithRuby(JSON.stringify(call), application, container.variable));
  if (answer.kind === 'no-such-program') return result('not-tested', 'the container has no Ruby to call from');
  const isGone = answer.kind === 'exited' && answer.code === 137 && !(await staysRunning(cluster, container));
  if (answer.kind === 'gone' || isGone)
    throw failure('ExecIncomplete', `${container.container} in ${container.pod} ended during its smoke call`);
  if (answer.kind === 'exited')
    return result(
      'not-tested',
      `${call.method} could not be made: the program ended with ${answer.code} before the call`,
    );
  const [own, madeUp] = ['own', 'made-up'].map(
    (who, line) => new RegExp(`^${who} ([A-Za-z:]{1,80})$`).exec(answer.lines[line] ?? '')?.[1],
  );
  if (!own || !madeUp)
    throw failure('ExecIncomplete', `${container.container} in ${container.pod} gave no result of its smoke call`);
  if (own === 'unavailable') return result('not-tested', `the container has no ${call.requires} to call with`);
  const seen = `${call.method}: ${own}; with a made-up token: ${madeUp}`;
  if (!PASSED.has(own)) return result('failed', seen);
  return REFUSED.has(madeUp) ? result('passed', seen) : result('no-proof', `${seen}, so the call proves nothing`);
}

/** Whether a container runs in a pod that is not being deleted: then a program that was killed in it was so for itself, for want of memory. */
async function staysRunning(cluster: KubernetesClient, { pod, containerId }: ConsumingContainer): Promise<boolean> {
  const found = (await cluster.pods()).find(({ metadata }) => metadata?.name === pod);
  const statuses = [...(found?.status?.containerStatuses ?? []), ...(found?.status?.initContainerStatuses ?? [])];
  const runs = statuses.some(({ containerID, state }) => containerID === containerId && state?.running !== undefined);
  return runs && found?.metadata?.deletionTimestamp === undefined;
}

const PASSED = new Set(['returned', 'GdsApi::HTTPNotFound']);
const REFUSED = new Set(['GdsApi::HTTPUnauthorized', 'GdsApi::HTTPForbidden']);
