import {
  allReady,
  type Consumer,
  type ConsumingContainer,
  describeContainer,
  distinctConsumers,
  holds,
  inSecretSince,
  judgeRollout,
  running,
  sameConsumer,
} from '../../domain/cluster/index.ts';
import type { Sighting, SmokeResult } from '../../domain/evidence/index.ts';
import { passingIn } from '../../domain/rotation/index.ts';
import { failure, failedWith } from '../failure.ts';
import { keepForNextAttempt, keptByLastAttempt, WAITS_FOR } from '../heartbeat.ts';
import { lookUntil, type Waits } from '../polling.ts';
import { awaitReader } from './await-reader.ts';
import type { KubernetesClient } from './client.ts';
import type { KubernetesActivities, LastLook } from './interface.ts';
import { CensusTaker } from './census.ts';
import { filesOf, pairSecretsOf } from './consumers.ts';
import { memoryLimitOf, PAUSED } from './pods.ts';
import { look } from './look.ts';
import { smoke } from './smoke.ts';

/** Runs of CronJobs are told by the watch; this carries the wait where that is cut. */
const SIGHTED_EVERY_MS = 30_000;
/** Waits for days: no look sooner than this after the last, whatever happens in the namespace. */
const SIGHTED_SOONEST_MS = 2000;
/** Limits of memory do not change while a pod lives. */
const SNAPSHOT_DOES_FOR_MS = 10_000;
/**
 * Once all hold the new token, other containers get this long to start, and each consumer to have
 * a ready pod, which the smoke calls need.
 */
const READY_WITHIN_MS = 60_000;
/** Containers that a rotation’s page names while it waits for them. */
const LEFT_NAMED = 5;

function describeLeft(containers: readonly ConsumingContainer[]): string {
  const named = containers.slice(0, LEFT_NAMED).map(describeContainer);
  const more = containers.length - named.length;
  return `the new token in ${named.join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

export function createKubernetesActivities(
  cluster: KubernetesClient,
  waits: Waits,
): KubernetesActivities {
  const census = new CensusTaker(cluster);
  const podWaits = { ...waits, nudges: cluster.podWatch.nudges };
  return {
    cronJobUid: (name) => cluster.cronJobUid(name),

    async listReadings() {
      const { specs } = await cluster.snapshot();
      return {
        variables: distinct(specs.flatMap((template) => pairSecretsOf(template))),
        files: distinct(
          specs.flatMap(({ workload, spec }) =>
            filesOf(spec).map((secret) => ({ workload, secret })),
          ),
        ),
      };
    },

    lookAtConsumers: (readers) => look(cluster, census, readers),

    async awaitRollout({ readers, token, sync, deadline, ...order }) {
      const syncedAt = sync && ((await cluster.jobCompletedAt(sync.job)) ?? sync.seenAt);
      const broughtAt = sync?.isUnsure ? undefined : syncedAt;
      let known = order.inSecretSince;
      let last: LastLook = { kind: 'incomplete', containers: [] };
      let heldSince: number | undefined;
      // No look shows them once they have ended, neither this worker's nor the next one's.
      let { passing = [] } = (keptByLastAttempt() ?? {}) as { passing?: Consumer[] };
      const seen = await lookUntil(
        async (since) => {
          const now = await look(cluster, census, readers, since);
          passing = distinctConsumers([...passing, ...passingIn(now, token)]);
          known = inSecretSince(now, token, known, broughtAt);
          const rollout = judgeRollout(now, token, syncedAt, sync?.firstSeenAt, known);
          if (rollout.kind !== 'held') {
            heldSince = undefined;
            last = rollout;
            keepForNextAttempt({ passing, [WAITS_FOR]: describeLeft(rollout.containers) });
            return rollout.kind === 'incomplete' ? undefined : rollout;
          }
          last = { kind: 'held', look: now };
          keepForNextAttempt({ passing, [WAITS_FOR]: 'pods to be ready: all hold the new token' });
          heldSince ??= performance.now();
          const isQuiet = allReady(now) && now.census.starting.length === 0;
          return isQuiet || performance.now() - heldSince > READY_WITHIN_MS ? last : undefined;
        },
        { ...podWaits, deadline },
      );
      return { ...(seen ?? last), inSecretSince: known, passing };
    },

    async restartDeployments({ deployments, at }) {
      const { templates } = await cluster.snapshot();
      const paused = templates.find(
        ({ workload, hindrance }) => deployments.includes(workload) && hindrance === PAUSED,
      );
      if (paused)
        throw failure(
          'DeploymentPaused',
          `${paused.workload} is paused: a restart would replace none of its pods`,
        );
      for (const deployment of deployments)
        await cluster.restartDeployment(deployment.replace('Deployment/', ''), at);
    },

    async awaitSighting({ readers, consumers, application, call }) {
      const seen = await lookUntil(
        async (since) => {
          const now = await look(cluster, census, readers, since);
          const runs = running(now).filter((container) =>
            consumers.some((consumer) => sameConsumer(consumer, container)),
          );
          return runs.length > 0 ? runs : undefined;
        },
        { ...podWaits, everyMs: SIGHTED_EVERY_MS, soonestMs: SIGHTED_SOONEST_MS },
      );
      const at = new Date().toISOString();
      const sightings: Sighting[] = [];
      for (const container of seen ?? []) {
        const result = container.ready
          ? // Its run may be over by now. One that our program killed ends the watch: no other is tried.
            await smoke(cluster, container, application, call).catch((error: unknown) => {
              if (failedWith(error, 'ContainerEnded')) throw error;
              return undefined;
            })
          : undefined;
        sightings.push({ at, container, smoke: result });
      }
      return sightings;
    },

    awaitReader: (order) => awaitReader(cluster, order, waits),

    async smokeConsumers({ readers, tokens, application, call }) {
      const { consumers, containers } = await look(cluster, census, readers);
      const { containers: pods } = await cluster.snapshot(performance.now() - SNAPSHOT_DOES_FOR_MS);
      /** The memory limit that a smoke call counts against. */
      const limitOf = ({ pod, container }: ConsumingContainer): number =>
        memoryLimitOf(pods.find((one) => one.pod === pod && one.container === container)?.spec);
      const results: SmokeResult[] = [];
      for (const consumer of consumers) {
        const [ready] = containers
          .filter(
            (container) =>
              container.ready &&
              !container.terminating &&
              tokens.some((token) => holds(container, token)) &&
              sameConsumer(container, consumer),
          )
          .toSorted((a, b) => limitOf(b) - limitOf(a));
        if (ready) results.push(await smoke(cluster, ready, application, call));
      }
      return results;
    },
  };
}

/** Each once: a workload's pods read what its template does. */
function distinct<T extends object>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
