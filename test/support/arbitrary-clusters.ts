import type {
  V1Container,
  V1ContainerStatus,
  V1EnvVar,
  V1Pod,
  V1PodSpec,
} from '@kubernetes/client-node';
import * as fc from 'fast-check';
import type { ExecResult, Target } from '../../activities/kubernetes/exec.ts';
import { Snapshot } from '../../activities/kubernetes/snapshot.ts';
import { fingerprintOf, Secret } from '../../config/secret.ts';
import type { ListedToken } from '../../domain/tokens/tokens.ts';
import { madeUpRuby } from '../../sandbox/container/made-up-ruby.mjs';

export const PAIRS_SECRET = 'signon-token-short-url-manager-publishing-api';
/** The pair's tokens, oldest first: the last is the new one. */
export const TOKENS = ['old', 'older-still', 'new'].map(
  (name, at) => `${name}${'aZ-_09'.repeat(8)}`.slice(0, 42) + at,
);
export const LISTED: ListedToken[] = TOKENS.map((token, at) => ({
  ...fingerprintOf(new Secret(token)),
  authorisationId: at + 1,
  generated: '2026-08-01',
  expires: '2027-08-01',
}));
const STRANGER = 'stranger'.repeat(5) + 'xyz';

type Value = { token: number; wrapped: (token: string) => string };
type Source = {
  kind:
    'pair' | 'old name' | 'copy' | 'config map' | 'literal' | 'all of a secret' | 'all of a map';
};
interface ContainerFate {
  sources: (Source & { value: Value })[];
  state: 'running' | 'waiting' | 'terminated';
  program: 'shell' | 'ruby' | 'none' | 'breaks';
  place: 'main' | 'sidecar' | 'ephemeral';
}
interface PodFate {
  workload: 'Deployment' | 'CronJob' | 'StatefulSet' | 'Pod';
  phase: 'Running' | 'Failed' | 'Succeeded' | 'Pending';
  deleted: boolean;
  containers: ContainerFate[];
  /** Whether its workload's template is another by now. */
  outdated: boolean;
}
export interface ClusterFate {
  pods: PodFate[];
  idle: ContainerFate[][];
}

const value: fc.Arbitrary<Value> = fc.record({
  token: fc.constantFrom(0, 0, 1, 2, 2, 2, 3, 4),
  wrapped: fc.constantFrom<Value['wrapped'][]>(
    ...[
      (token: string) => token,
      (token: string) => `${token}\n`,
      (token: string) => `Bearer ${token}`,
      (token: string) => `"${token}"`,
      (token: string) => `'${token}'`,
      (token: string) => `  ${token}\t\r\n`,
      (token: string) => `{"token": "${token}"}`,
      (token: string) => `key_${token}`,
      (token: string) => `${token}-0123456789`,
      (token: string) => `x${token}y`,
      (token: string) => `a=1\n\ntoken=${token}\nb=${STRANGER}`,
      (token: string) => `${'0'.repeat(90)}${token}`,
      (token: string) => `${token}${'0'.repeat(90)}`,
      (token: string) => `é${token}→`,
    ].map((wrap) => wrap as never),
  ) as unknown as fc.Arbitrary<Value['wrapped']>,
});
const container: fc.Arbitrary<ContainerFate> = fc.record({
  sources: fc.array(
    fc.record({
      kind: fc.constantFrom<Source['kind']>(
        ...([
          'pair',
          'old name',
          'copy',
          'config map',
          'literal',
          'all of a secret',
          'all of a map',
        ] as const),
      ),
      value,
    }),
    { maxLength: 4 },
  ),
  state: fc.constantFrom('running', 'running', 'running', 'waiting', 'terminated'),
  program: fc.constantFrom('shell', 'shell', 'shell', 'ruby', 'none', 'breaks'),
  place: fc.constantFrom('main', 'main', 'main', 'sidecar', 'ephemeral'),
});

/**
 * Namespaces of up to sixty containers, with tokens in any variable, from any source, in any
 * wrapping, in any state.
 */
export const aCluster: fc.Arbitrary<ClusterFate> = fc.record({
  pods: fc.array(
    fc.record({
      workload: fc.constantFrom('Deployment', 'Deployment', 'CronJob', 'StatefulSet', 'Pod'),
      phase: fc.constantFrom('Running', 'Running', 'Running', 'Failed', 'Succeeded', 'Pending'),
      deleted: fc.constantFrom(false, false, true),
      containers: fc.array(container, { minLength: 1, maxLength: 3 }),
      outdated: fc.boolean(),
    }),
    { maxLength: 20 },
  ),
  idle: fc.array(fc.array(container, { minLength: 1, maxLength: 2 }), { maxLength: 4 }),
});

/** A container as the world knows it: what it truly has in its environment. */
export interface TrueContainer {
  pod: string;
  container: string;
  runs: boolean;
  reads: boolean;
  program: ContainerFate['program'];
  env: Record<string, string>;
}

/** A namespace made from a fate, with what is truly so in it. */
export class MadeUpCluster {
  readonly containers: TrueContainer[] = [];
  /** What workloads of which nothing runs would have. */
  readonly idle: { workload: string; env: Record<string, string> }[] = [];
  readonly asked: string[] = [];
  private readonly pods: V1Pod[] = [];
  private readonly templates: {
    workload: `Deployment/${string}` | `CronJob/${string}`;
    spec: V1PodSpec;
  }[] = [];

  constructor(fate: ClusterFate) {
    for (const [at, pod] of fate.pods.entries()) this.addPod(pod, `pod-${at}`);
    for (const [at, containers] of fate.idle.entries()) {
      const made = containers.map((one, index) =>
        specOf({ ...one, place: 'main' }, `idle-${at}`, index),
      );
      const workload = `CronJob/idle-${at}` as const;
      this.templates.push({ workload, spec: { containers: made.map(({ spec }) => spec) } });
      this.idle.push(...made.map(({ env }) => ({ workload, env })));
    }
  }

  snapshot(): Promise<Snapshot> {
    return Promise.resolve(new Snapshot('2026-09-01T12:00:00.000Z', this.templates, this.pods, []));
  }

  async exec(
    { pod, container: name }: Target,
    [program = '', ...args]: string[],
  ): Promise<ExecResult> {
    const target = this.containers.find((one) => one.pod === pod && one.container === name);
    this.asked.push(`${pod}/${name}`);
    if (!target?.runs) return { kind: 'gone' };
    if (target.program === 'breaks') return { kind: 'timed-out' };
    if (program !== (target.program === 'shell' ? 'sh' : 'ruby') || target.program === 'none')
      return { kind: 'no-such-program' };
    const lines: string[] = [];
    await madeUpRuby(args, { ...target.env, GOVUK_ENVIRONMENT: 'integration' }, (line: string) =>
      lines.push(line),
    );
    lines.pop();
    return { kind: 'answered', lines };
  }

  private addPod(fate: PodFate, name: string): void {
    const made = fate.containers.map((one, at) => ({ one, ...specOf(one, name, at) }));
    const at = (place: ContainerFate['place']): typeof made =>
      made.filter(({ one }) => one.place === place);
    const statuses = (of: typeof made): V1ContainerStatus[] =>
      of.map(({ one, spec }) => statusOf(one, `${name}/${spec.name}`, spec.name));
    const specs = (of: typeof made, more: Partial<V1Container> = {}): V1Container[] =>
      of.map(({ spec }) => Object.assign(spec, more));
    const spec: V1PodSpec = {
      containers: specs(at('main')),
      initContainers: specs(at('sidecar'), { restartPolicy: 'Always' }),
      ephemeralContainers: specs(at('ephemeral')),
      restartPolicy: fate.workload === 'CronJob' ? 'Never' : 'Always',
      nodeName: 'node-1',
    };
    const owner = {
      Deployment: { kind: 'ReplicaSet', name: `${name}-abc` },
      CronJob: { kind: 'Job', name },
      StatefulSet: { kind: 'StatefulSet', name },
      Pod: undefined,
    }[fate.workload];
    this.pods.push({
      metadata: {
        name,
        labels: { 'pod-template-hash': 'abc' },
        ...(owner && {
          ownerReferences: [{ ...owner, apiVersion: 'v1', uid: '1', controller: true }],
        }),
        ...(fate.deleted && { deletionTimestamp: new Date(0) }),
      },
      spec,
      status: {
        phase: fate.phase,
        containerStatuses: statuses(at('main')),
        initContainerStatuses: statuses(at('sidecar')),
        ephemeralContainerStatuses: statuses(at('ephemeral')),
      },
    });
    if (fate.workload === 'Deployment') {
      const now = fate.outdated
        ? { containers: [{ name: `${name}-c0`, env: [fromPair('NOW_BEARER_TOKEN')] }] }
        : spec;
      this.templates.push({ workload: `Deployment/${name}`, spec: now });
    }
    for (const { one, spec: made1, env } of made)
      this.containers.push({
        pod: name,
        container: made1.name,
        runs: one.state === 'running',
        reads: one.sources.some(({ kind }) => kind === 'pair'),
        program: one.program,
        env,
      });
  }
}

const fromPair = (name: string): V1EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: PAIRS_SECRET, key: 'bearer_token' } },
});

/**
 * A container's spec, and what it holds: a Secret may have changed since, so each has values of its
 * own.
 */
function specOf(
  fate: ContainerFate,
  pod: string,
  at: number,
): { spec: V1Container; env: Record<string, string> } {
  const spec: V1Container & Required<Pick<V1Container, 'env' | 'envFrom'>> = {
    name: `${pod}-c${at}`,
    env: [],
    envFrom: [],
  };
  const env: Record<string, string> = { PATH: '/bin', HOME: '/' };
  for (const [index, { kind, value: given }] of fate.sources.entries()) {
    const held = given.wrapped([...TOKENS, STRANGER][given.token] ?? 'no token at all');
    const name = `VARIABLE_${index}`;
    const key = `${pod}-${index}`;
    if (kind === 'literal') spec.env.push({ name, value: held });
    else if (kind === 'pair') spec.env.push(fromPair(name));
    else if (kind === 'old name')
      spec.env.push({
        name,
        valueFrom: { secretKeyRef: { name: `signon-token-old-${key}`, key: 'bearer_token' } },
      });
    else if (kind === 'copy')
      spec.env.push({ name, valueFrom: { secretKeyRef: { name: 'copies', key } } });
    else if (kind === 'config map')
      spec.env.push({ name, valueFrom: { configMapKeyRef: { name: 'map', key } } });
    else if (kind === 'all of a secret') spec.envFrom.push({ secretRef: { name: `whole-${key}` } });
    else spec.envFrom.push({ configMapRef: { name: `whole-map-${key}` } });
    env[kind.startsWith('all') ? `whole_${index}` : name] = held;
  }
  return { spec, env };
}

function statusOf({ state }: ContainerFate, id: string, name: string): V1ContainerStatus {
  const base = { name, containerID: `containerd://${id}`, image: '', imageID: '', restartCount: 0 };
  if (state === 'running')
    return { ...base, ready: true, state: { running: { startedAt: new Date(0) } } };
  if (state === 'waiting')
    return { ...base, ready: false, state: { waiting: { reason: 'ContainerCreating' } } };
  return { ...base, ready: false, state: { terminated: { exitCode: 1 } } };
}
