import { heartbeat } from '@temporalio/activity';
import type { ClusterLook, Consumer, ConsumingContainer, Digests } from '../../domain/cluster.ts';
import { sameConsumer, type SmokeResult } from '../../domain/evidence.ts';
import { judgeRollout } from '../../domain/possession.ts';
import type { SmokeCall } from '../../domain/settings.ts';
import { failure } from '../failure.ts';
import { lookUntil } from '../polling.ts';
import type { KubernetesClient } from './client.ts';
import { consumersOf, consumingContainers, mounts } from './consumers.ts';
import type { KubernetesActivities } from './interface.ts';
import { digestWithRuby, digestWithShell, smokeWithRuby } from './scripts.ts';

type Held = { digests: Digests; environment: string } | 'gone';
/** Env is resolved once, when a container starts: what one holds never changes, so each is asked once. */
type Asked = Map<string, Held>;

export function createKubernetesActivities(cluster: KubernetesClient, everyMs: number): KubernetesActivities {
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
        { everyMs, deadline, nudges: (nudge, signal) => cluster.watchPods(nudge, signal) },
      );
      return seen ?? { kind: 'incomplete', containers: last };
    },

    async smokeConsumers({ look: seen, application, call }) {
      const results: SmokeResult[] = [];
      for (const consumer of seen.consumers) {
        heartbeat();
        const ready = seen.containers.find(
          (container) => container.ready && !container.terminating && sameConsumer(container, consumer),
        );
        if (ready) results.push(await smoke(cluster, ready, application, call));
      }
      return results;
    },
  };
}

async function look(cluster: KubernetesClient, secret: string, asked: Asked): Promise<ClusterLook> {
  const at = new Date().toISOString();
  const [templates, pods, jobs] = await Promise.all([cluster.templates(), cluster.pods(), cluster.jobs()]);
  const reading = pods.flatMap((pod) => consumingContainers(pod, secret));
  const containers: ConsumingContainer[] = [];
  for (const found of reading) {
    const container = { ...found, workload: ownerOfJob(found, jobs) };
    if (container.state !== 'running') {
      containers.push(container);
      continue;
    }
    const key = `${container.containerId}/${container.variable}`;
    const held = asked.get(key) ?? (await ask(cluster, container));
    asked.set(key, held);
    containers.push(held === 'gone' ? { ...container, state: 'ended', ready: false } : { ...container, ...held });
  }
  const fromTemplates = templates.flatMap((template) => consumersOf(template, secret));
  const unlisted = containers.filter(
    (container) => container.state !== 'ended' && !fromTemplates.some((known) => sameConsumer(known, container)),
  );
  const consumers: Consumer[] = [];
  for (const { workload, container, variable } of [...fromTemplates, ...unlisted])
    if (!consumers.some((known) => sameConsumer(known, { workload, container, variable })))
      consumers.push({ workload, container, variable });
  const mountedBy = templates.filter(({ spec }) => mounts(spec, secret)).map(({ workload }) => workload);
  return { at, consumers, containers, mountedBy };
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
async function ask(cluster: KubernetesClient, container: ConsumingContainer): Promise<Held> {
  heartbeat();
  const withRuby = await cluster.exec(container, digestWithRuby([container.variable]));
  const answer =
    withRuby.kind === 'no-such-program'
      ? await cluster.exec(container, digestWithShell([container.variable]))
      : withRuby;
  if (answer.kind === 'gone') return 'gone';
  const digest =
    answer.kind === 'answered' ? /^(\S+) ([0-9a-f]{64}) ([0-9a-f]{64})$/.exec(answer.lines[0] ?? '') : null;
  const environment = answer.kind === 'answered' ? /^environment ([a-z]{0,40})$/.exec(answer.lines[1] ?? '') : null;
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
  if (answer.kind === 'exited') return result('failed', `${call.method} could not be made (exit ${answer.code})`);
  const [own, madeUp] = ['own', 'made-up'].map(
    (who, line) => new RegExp(`^${who} ([A-Za-z:]{1,80})$`).exec(answer.lines[line] ?? '')?.[1],
  );
  if (!own || !madeUp)
    throw failure('ExecIncomplete', `${container.container} in ${container.pod} gave no result of its smoke call`);
  const seen = `${call.method}: ${own}; with a made-up token: ${madeUp}`;
  if (!PASSED.has(own)) return result('failed', seen);
  return REFUSED.has(madeUp) ? result('passed', seen) : result('no-proof', `${seen}, so the call proves nothing`);
}

const PASSED = new Set(['returned', 'GdsApi::HTTPNotFound']);
const REFUSED = new Set(['GdsApi::HTTPUnauthorized', 'GdsApi::HTTPForbidden']);
