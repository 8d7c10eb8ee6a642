import * as fc from 'fast-check';
import type { ClusterLook, Consumer } from '../../domain/cluster.ts';
import type { Shortfall, SmokeResult } from '../../domain/evidence.ts';
import type { RotationRequest } from '../../domain/request.ts';
import { isLive, type ListedToken } from '../../domain/tokens.ts';
import { aContainer, aLook, APP, aRequest, aSmokeResult, aStartingContainer, aToken, NOW } from './builders.ts';

/** What happens to a world between two steps. Numbers pick one of what is there, counted round. */
export type Happening =
  | { kind: 'time passes'; minutes: number }
  | { kind: 'a token appears'; days: number }
  | { kind: 'a token is revoked by somebody' | 'a token is copied over'; which: number }
  | { kind: 'ended tokens are deleted' | 'pods settle' }
  | { kind: 'a container restarts'; which: number; holds: number }
  | { kind: 'a pod starts' | 'a pod is deleted' | 'a pod ends' | 'a smoke call breaks'; which: number }
  | { kind: 'a consumer joins'; withPod: boolean };

/** An approval that will be sent: which code it quotes, what it names. */
export interface Sent {
  by: string;
  identity: string;
  quotes: 'shown' | 'earlier round' | 'other run' | 'nonsense';
  names: 'nothing' | 'all' | 'first' | 'new token' | 'stranger';
  accept: (Shortfall | 'smoke-failed')[];
}

export interface Fate {
  environment: 'integration' | 'production';
  force: boolean;
  starter: string;
  tokens: { id: number; days: number }[];
  pods: { of: number; holds: number; state: 'running' | 'starting' | 'ended'; terminating: boolean }[];
  consumers: number;
  smoke: SmokeResult['verdict'][];
  /** Whether a smoke call that fails blocks, as it does; else the later rules must hold by themselves. */
  smokeBlocks: boolean;
  acceptsUnlisted: boolean;
  retries: number;
  /** Whether the n-th pod is rolled by a sync. */
  rolls: boolean[];
  /** Pods that are deleted stay until something ends them. */
  lingers: boolean;
  meanwhile: Happening[][];
  /** Between an approval that counted and the first look after it. */
  afterApproval: Happening[];
  approvals: Sent[];
}

export const ASKER = 'ada@example.org';
/** Before the masked value of a token that another one shares. */
export const ALMOST = 'looks like ';
const DAY = 86_400_000;
const STRANGER = aToken(999, { masked: 'stranger…stranger' });

const days = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(3, 9, 9, 13) },
  { weight: 3, arbitrary: fc.constantFrom(-400, -1, 0, 1, 14, 15, 30, 400, 729, 730) },
);
const minutes = fc.oneof(fc.constantFrom(1, 3, 59, 61), fc.constantFrom(600, 1440, 5 * 1440, 30 * 1440));
const which = fc.nat(9);
const holding = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: which });

const aHappening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant('time passes' as const), minutes }),
  fc.record({ kind: fc.constant('a token appears' as const), days: fc.constantFrom(1, 30, 400, 729, 730, 730) }),
  fc.record({
    kind: fc.constantFrom('a token is revoked by somebody' as const, 'a token is copied over' as const),
    which,
  }),
  fc.record({ kind: fc.constantFrom('ended tokens are deleted' as const, 'pods settle' as const) }),
  fc.record({ kind: fc.constant('a container restarts' as const), which, holds: which }),
  fc.record({
    kind: fc.constantFrom(
      'a pod starts' as const,
      'a pod is deleted' as const,
      'a pod ends' as const,
      'a smoke call breaks' as const,
    ),
    which,
  }),
  fc.record({ kind: fc.constant('a consumer joins' as const), withPod: fc.boolean() }),
);

const breaksMuchLater = (one: number): Happening[] => [
  { kind: 'time passes', minutes: 61 },
  { kind: 'a smoke call breaks', which: one },
];

const leavesWithAnother = ([one, holds]: [number, number]): Happening[] => [
  { kind: 'a container restarts', which: one, holds },
  { kind: 'a pod is deleted', which: one },
];

const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const aSent: fc.Arbitrary<Sent> = fc.record({
  by: mostly('grace@example.org', ASKER, ' ADA@Example.org '),
  identity: mostly('7@laptop', '', ASKER, 'grace@example.org'),
  quotes: fc.oneof(
    { weight: 2, arbitrary: fc.constant<Sent['quotes']>('shown') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Sent['quotes']>('earlier round', 'earlier round', 'other run', 'nonsense'),
    },
  ),
  names: fc.constantFrom('nothing', 'nothing', 'all', 'all', 'first', 'new token', 'stranger'),
  accept: fc.oneof(
    fc.constant<Sent['accept']>(['no-pod-seen', 'not-smoke-tested']),
    fc.subarray<Sent['accept'][number]>(['no-pod-seen', 'not-smoke-tested', 'smoke-failed']),
  ),
});

/** Any world a rotation may meet; those in which it gets somewhere come often enough. */
export const aFate: fc.Arbitrary<Fate> = fc.record({
  environment: fc.constantFrom('integration', 'production'),
  force: mostly(false, true),
  starter: mostly('1@worker', ASKER, 'grace@example.org'),
  tokens: fc.uniqueArray(fc.record({ id: fc.integer({ min: 1, max: 99 }), days }), {
    selector: ({ id }) => id,
    maxLength: 4,
  }),
  pods: fc.array(
    fc.record({
      of: which,
      holds: holding,
      state: mostly<Fate['pods'][number]['state']>('running', 'starting', 'ended'),
      terminating: mostly(false, true),
    }),
    { maxLength: 4 },
  ),
  consumers: fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) },
  ),
  smoke: fc.array(mostly<SmokeResult['verdict']>('passed', 'failed', 'no-proof', 'not-tested'), { minLength: 1 }),
  smokeBlocks: fc.boolean(),
  acceptsUnlisted: fc.boolean(),
  retries: fc.nat(2),
  rolls: fc.array(mostly(true, false), { minLength: 1, maxLength: 5 }),
  lingers: fc.boolean(),
  meanwhile: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<Happening[]>([]) },
      { weight: 1, arbitrary: fc.array(aHappening, { minLength: 1, maxLength: 2 }) },
    ),
    { maxLength: 25 },
  ),
  afterApproval: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Happening[]>([]) },
    { weight: 4, arbitrary: fc.array(aHappening, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: which.map(breaksMuchLater) },
    { weight: 1, arbitrary: fc.tuple(which, which).map(leavesWithAnother) },
    { weight: 2, arbitrary: fc.constant<Happening[]>([{ kind: 'a consumer joins', withPod: true }]) },
  ),
  approvals: fc.array(aSent, { maxLength: 5 }),
});

interface Pod {
  consumer: Consumer;
  name: string;
  state: 'running' | 'starting' | 'ended';
  terminating: boolean;
  startedAt: number;
  holds: ListedToken;
}

/** What was so when a rotation last looked, told by the world itself and by masked values: no rule of ours computed it. */
export interface Truth {
  at: number;
  held: string[];
  /** Containers about to start. */
  starting: number;
  listed: ListedToken[];
  consumers: { name: string; pods: number }[];
}

/** Signon, the cluster and the clock, as far as a rotation sees or moves them. */
export class World {
  now = NOW;
  /** How many tokens the rotation made. */
  issued = 0;
  readonly request: RotationRequest;
  tokens: ListedToken[];
  /** What is so now, each time somebody looks. */
  seen: Truth = { at: 0, held: [], starting: 0, listed: [], consumers: [] };
  /** Masked values that running containers were seen holding. */
  readonly everSeenHeld = new Set<string>();
  private readonly pods: Pod[] = [];
  private readonly consumers: Consumer[] = [];
  private readonly broken = new Set<string>();
  private secret: ListedToken;
  private made = 100;

  constructor(private readonly fate: Fate) {
    this.request = aRequest({ environment: fate.environment, requestedBy: ASKER, force: fate.force });
    this.tokens = fate.tokens.map(({ id, days: left }) => aToken(id, { expires: this.day(left) }));
    this.secret = this.newest() ?? STRANGER;
    for (let at = 0; at < fate.consumers; at++) this.join(false);
    for (const pod of fate.pods) this.start(pod.of, pod.state, pod.terminating, this.pick(pod.holds));
  }

  /** The token the sync writes, by the words of the design: latest expiry, then highest id. */
  newest(): ListedToken | undefined {
    return this.tokens
      .toSorted((a, b) =>
        a.expires === b.expires ? a.authorisationId - b.authorisationId : a.expires < b.expires ? -1 : 1,
      )
      .at(-1);
  }

  list(): ListedToken[] {
    this.seen = { ...this.seen, listed: [...this.tokens] };
    return [...this.tokens];
  }

  look(): ClusterLook {
    const live = this.pods.filter(({ state }) => state === 'running');
    const held = live.map(({ holds }) => (holds.sha256 === undefined ? holds.masked : `${ALMOST}${holds.masked}`));
    for (const { holds } of live) this.everSeenHeld.add(holds.masked);
    const starting = this.pods.filter((pod) => pod.state === 'starting' && !pod.terminating).length;
    const consumers = this.consumers.map((consumer) => ({
      name: consumer.workload,
      pods: live.filter((pod) => pod.consumer === consumer).length,
    }));
    this.seen = { ...this.seen, at: this.now, held, starting, consumers };
    const containers = this.pods.map(({ consumer, name: pod, state, terminating, holds, startedAt }) => {
      const shown = { ...consumer, pod, terminating, environment: this.fate.environment };
      if (state !== 'running') return aStartingContainer({ ...consumer, pod, terminating, state });
      return aContainer(holds, { ...shown, startedAt: new Date(startedAt).toISOString() });
    });
    return aLook(containers, { at: new Date(this.now).toISOString(), consumers: [...this.consumers] });
  }

  smoke(): SmokeResult[] {
    return this.consumers.flatMap((consumer, at) => {
      const pod = this.pods.find((one) => one.consumer === consumer && one.state === 'running');
      const { smoke } = this.fate;
      const verdict = this.broken.has(consumer.workload) ? 'failed' : smoke[at % smoke.length]!;
      return pod ? [aSmokeResult(consumer, { pod: pod.name, verdict })] : [];
    });
  }

  /** Signon's create: two years from today; the rotation alone knows the whole digest. */
  issue(): ListedToken {
    const token = this.appear(730);
    this.issued++;
    return { ...token, sha256: aContainer(token).digests!.sha256 };
  }

  /** What a sync does: the newest token is in the Secret, and pods roll, if they do. */
  sync(): void {
    this.secret = this.newest() ?? this.secret;
    this.now += 60_000;
    for (const [at, pod] of this.pods.entries())
      if (this.fate.rolls[at % this.fate.rolls.length] && pod.state !== 'ended') this.run(pod, this.secret);
  }

  /** Starting pods run with what is in the Secret, deleted ones end. */
  settle(): void {
    for (const pod of this.pods)
      if (pod.terminating && !this.fate.lingers) pod.state = 'ended';
      else if (pod.state === 'starting' && !pod.terminating) this.run(pod, this.secret);
  }

  revoke(token: ListedToken): boolean {
    const still = this.tokens.find(({ masked, expires }) => masked === token.masked && expires === token.expires);
    this.tokens = this.tokens.filter((one) => one !== still);
    return still !== undefined;
  }

  /** Lets happen what happens before the next step. */
  meanwhile(batch: readonly Happening[]): void {
    for (const happening of batch) this.happen(happening);
  }

  private happen(one: Happening): void {
    const pod = 'which' in one ? this.pods[one.which % Math.max(1, this.pods.length)] : undefined;
    const token = 'which' in one ? this.tokens[one.which % Math.max(1, this.tokens.length)] : undefined;
    if (one.kind === 'time passes') this.now += one.minutes * 60_000;
    else if (one.kind === 'a token appears') this.appear(one.days);
    else if (one.kind === 'ended tokens are deleted') this.tokens = this.tokens.filter((it) => isLive(it, this.now));
    else if (one.kind === 'pods settle') this.settle();
    else if (one.kind === 'a consumer joins') this.join(one.withPod);
    else if (one.kind === 'a pod starts') this.start(one.which, 'starting', false, this.secret);
    else if (one.kind === 'a token is revoked by somebody') this.tokens = this.tokens.filter((it) => it !== token);
    else if (one.kind === 'a token is copied over')
      this.tokens = this.tokens.map((it) => (it === token ? this.twin(it) : it));
    else if (one.kind === 'a smoke call breaks')
      this.broken.add(this.consumers[one.which % Math.max(1, this.consumers.length)]?.workload ?? '');
    else if (pod && one.kind === 'a container restarts') this.run(pod, this.pick(one.holds));
    else if (pod && one.kind === 'a pod is deleted') pod.terminating = true;
    else if (pod && one.kind === 'a pod ends') pod.state = 'ended';
  }

  /** Another environment's token under the same id. */
  private twin({ authorisationId, expires }: ListedToken): ListedToken {
    return aToken(authorisationId, { expires, masked: `copy${++this.made}…copy${this.made}` });
  }

  private appear(left: number): ListedToken {
    const token = aToken(++this.made, { generated: this.day(0), expires: this.day(left) });
    this.tokens = [...this.tokens, token];
    return token;
  }

  private join(withPod: boolean): void {
    this.consumers.push({ ...APP, workload: `Deployment/consumer-${this.consumers.length}` });
    if (withPod) this.start(this.consumers.length - 1, 'running', false, this.secret);
  }

  private start(of: number, state: Pod['state'], terminating: boolean, holds: ListedToken): void {
    const consumer = this.consumers[of % Math.max(1, this.consumers.length)];
    const name = `pod-${this.pods.length}`;
    if (consumer) this.pods.push({ consumer, name, state, terminating, startedAt: this.now - DAY, holds });
  }

  private run(pod: Pod, holds: ListedToken): void {
    Object.assign(pod, { state: 'running', startedAt: this.now, terminating: false, holds });
  }

  /** 0: the newest token; then the others of the pair; after them one that nobody lists, and one that only looks like the newest. */
  private pick(at: number): ListedToken {
    const newest = this.newest();
    const all = [...(newest ? [newest, ...this.tokens.filter((it) => it !== newest)] : []), STRANGER];
    if (newest) all.push({ ...newest, sha256: 'f'.repeat(64) });
    return all[at % all.length]!;
  }

  private day(left: number): string {
    return new Date(this.now + left * DAY).toISOString().slice(0, 10);
  }
}
