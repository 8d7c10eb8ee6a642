import {
  describeContainer,
  sameConsumer,
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
  type Digests,
} from '../../domain/cluster.ts';
import type { SmokeResult } from '../../domain/evidence.ts';
import { judgeRollout } from '../../domain/possession.ts';
import type { SmokeCall } from '../../domain/settings.ts';
import { failure } from '../failure.ts';
import { lookUntil, type Waits } from '../polling.ts';
import type { KubernetesClient } from './client.ts';
import { consumersOf, consumingContainers, isAlive, mounts, ownerOf } from './consumers.ts';
import type { KubernetesActivities } from './interface.ts';
import { digestWithRuby, digestWithShell, smokeWithRuby } from './scripts.ts';

interface Held {
  digests: Digests;
  environment: string;
}
const LOOKS_AT_MOST = 3;
/** Containers that are asked at the same time. */
const ASKED_AT_ONCE = 8;
/** Env is resolved once, when a container starts: what one holds never changes, so each is asked once. */
type Asked = Map<string, Held>;

export function createKubernetesActivities(cluster: KubernetesClient, waits: Waits): KubernetesActivities {
  return {
    cronJobUid: (name) => cluster.cronJobUid(name),

    lookAtConsumers: (secret) => look(cluster, secret, new Map()),

    async awaitRollout({ secret, token, sync, deadline }) {
      const syncedAt = sync && ((await cluster.jobCompletedAt(sync.job)) ?? Date.parse(sync.seenAt));
      const asked: Asked = new Map();
      let last: ConsumingContainer[] = [];
      const seen = await lookUntil(
        async () => {
          const now = await look(cluster, secret, asked);
          const rollout = judgeRollout(now, token, syncedAt);
          if (rollout.kind === 'held') return { kind: 'held' as const, look: now };
          if (rollout.kind === 'not-updated') return rollout;
          last = rollout.for;
          return undefined;
        },
        { ...waits, deadline, nudges: (nudge, signal) => cluster.watchPods(nudge, signal) },
      );
      return seen ?? { kind: 'incomplete', containers: last };
    },

    async restartDeployments({ deployments, at }) {
      for (const deployment of deployments) await cluster.restartDeployment(deployment.replace('Deployment/', ''), at);
    },

    async smokeConsumers({ secret, application, call }) {
      const { consumers, containers } = await findReaders(cluster, secret);
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

/** Everything that reads the Secret, by specification and by status; nobody is asked what it holds. */
async function findReaders(cluster: KubernetesClient, secret: string): Promise<ClusterLook> {
  const at = new Date().toISOString();
  const [templates, pods, jobs] = await Promise.all([cluster.templates(), cluster.pods(), cluster.jobs()]);
  const containers = pods
    .flatMap((pod) => consumingContainers(pod, secret))
    .map((container) => ({ ...container, workload: ownerOfJob(container, jobs) }));
  const consumers: Consumer[] = [];
  const alive = containers.filter(({ state }) => state !== 'ended');
  for (const { workload, container, variable } of [
    ...templates.flatMap((template) => consumersOf(template, secret)),
    ...alive,
  ])
    if (!consumers.some((known) => sameConsumer(known, { workload, container, variable })))
      consumers.push({ workload, container, variable });
  const mounting = [...templates, ...pods.filter(isAlive).map((pod) => ({ workload: ownerOf(pod), spec: pod.spec }))];
  const mountedBy = [...new Set(mounting.filter(({ spec }) => mounts(spec, secret)).map(({ workload }) => workload))];
  return { at, consumers, containers, mountedBy };
}

/**
 * Finds all readers and asks each running container what it holds. One that gave no answer because it is gone is looked for again:
 * only a list says that a container ended; its silence never does.
 */
async function look(cluster: KubernetesClient, secret: string, asked: Asked): Promise<ClusterLook> {
  for (let tries = 1; ; tries++) {
    const readers = await findReaders(cluster, secret);
    const answers = await inTurn(readers.containers, ASKED_AT_ONCE, async (container) => {
      if (container.state !== 'running') return undefined;
      const key = `${container.containerId}/${container.variable}`;
      const held = asked.get(key) ?? (await ask(cluster, container));
      if (held !== 'gone') asked.set(key, held);
      return held;
    });
    const silent = readers.containers.filter((_container, index) => answers[index] === 'gone');
    if (silent.length === 0)
      return {
        ...readers,
        containers: readers.containers.map((container, index) => ({ ...container, ...(answers[index] as Held) })),
      };
    if (tries === LOOKS_AT_MOST)
      throw failure(
        'ExecIncomplete',
        `${silent.map(describeContainer).join(', ')}: listed as running, but gave no answer`,
      );
  }
}

/** Does something with each of many, a few at a time; the results in their order. */
async function inTurn<T, R>(items: T[], atOnce: number, act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** A Job that a CronJob made counts as the CronJob's. */
function ownerOfJob(
  container: Pick<ConsumingContainer, 'workload'>,
  jobs: Awaited<ReturnType<KubernetesClient['jobs']>>,
): ConsumingContainer['workload'] {
  if (!container.workload.startsWith('Job/')) return container.workload;
  const job = jobs.find(({ metadata }) => container.workload === `Job/${metadata?.name}`);
  const owner = job?.metadata?.ownerReferences?.find(({ kind }) => kind === 'CronJob');
  return owner ? `CronJob/${owner.name}` : container.workload;
}

/** Asks a container what it holds: with Ruby, and with a shell where there is none. */
async function ask(cluster: KubernetesClient, container: ConsumingContainer): Promise<Held | 'gone'> {
  const withRuby = await cluster.exec(container, digestWithRuby([container.variable]));
  const answer =
    withRuby.kind === 'no-such-program'
      ? await cluster.exec(container, digestWithShell([container.variable]))
      : withRuby;
  // Killed: the container under it, or only the program for want of memory. A list tells which.
  if (answer.kind === 'gone' || (answer.kind === 'exited' && answer.code === 137)) return 'gone';
  const digest =
    answer.kind === 'answered' ? /^(\S+) ([0-9a-f]{64}) ([0-9a-f]{64})$/.exec(answer.lines[0] ?? '') : null;
  const environment = answer.kind === 'answered' ? /^environment ([\w-]{0,40})$/.exec(answer.lines[1] ?? '') : null;
  if (!digest || digest[1] !== container.variable || !environment)
    throw failure(
      'ExecIncomplete',
      `${container.container} in ${container.pod} could not tell what it holds (${answer.kind}${answer.kind === 'exited' ? ` ${answer.code}` : ''})`,
    );
  return { digests: { sha256: digest[2]!, maskedSha256: digest[3]! }, environment: environment[1]! };
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
  if (answer.kind === 'gone')
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

const PASSED = new Set(['returned', 'GdsApi::HTTPNotFound']);
const REFUSED = new Set(['GdsApi::HTTPUnauthorized', 'GdsApi::HTTPForbidden']);
