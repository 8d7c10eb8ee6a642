import {
  sameConsumer,
  type ClusterLook,
  type Consumer,
  type Readers,
} from '../../domain/cluster/cluster.ts';
import type { SmokeResult } from '../../domain/evidence/evidence.ts';
import type { Pair } from '../../domain/rotation/plan.ts';
import type { RotationRequest } from '../../domain/request/request.ts';
import type { Recipient, Settings } from '../../domain/settings/settings.ts';
import { isLive, sameToken, type ListedToken } from '../../domain/tokens/tokens.ts';
import {
  aCensus,
  aContainer,
  aLook,
  APP,
  aRequest,
  aSmokeResult,
  aStartingContainer,
  aToken,
  NOW,
  piecesOf,
  SETTINGS,
} from './builders.ts';
import { ASKER, type Fate, type Happening, type Stray } from './fates.ts';

/** A step that cannot go on: named as the product names the failure. */
export class Blocked extends Error {}

/** Before the masked value of a token that another one shares. */
export const ALMOST = 'looks like ';
export const KEY = 'age1the-key-of-this-pairs-holder';
const HOLDER = 'the holder';
/** Whose key must never be used here. */
const SOMEBODY_ELSE: Recipient = {
  name: 'somebody else',
  apiUser: 'somebody-else@example.org',
  key: 'age1a-key-of-somebody-else',
  alsoInCluster: true,
};
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
/** Signon's renewal begins at 01:00 UTC, and the sync after it is over forty minutes later. */
const NIGHT = { begins: 60 * MINUTE, takes: 40 * MINUTE };
const STRANGER = aToken(999, { masked: 'stranger…stranger' });

interface Pod {
  consumer: Consumer;
  name: string;
  /** Absent where it reads the Secret. */
  stray?: Stray;
  state: 'running' | 'starting' | 'ended';
  terminating: boolean;
  startedAt: number;
  holds: ListedToken;
}

/**
 * What was so when a rotation last looked, told by the world itself and by masked values: no rule
 * of ours computed it.
 */
export interface Truth {
  at: number;
  /** By readers of the Secret, and by whoever else can answer. */
  held: string[];
  /** Containers about to start. */
  starting: number;
  listed: ListedToken[];
  consumers: { name: string; pods: number }[];
  /** Containers that gave no answer. */
  unasked: string[];
}

/** Signon, the cluster and the clock, as far as a rotation sees or moves them. */
export class World {
  now = NOW;
  readonly request: RotationRequest;
  readonly pair: Pair;
  readonly settings: Settings;
  tokens: ListedToken[];
  /** What is so now, each time somebody looks. */
  seen: Truth = { at: 0, held: [], starting: 0, listed: [], consumers: [], unasked: [] };
  /** Masked values that running containers were seen holding. */
  readonly everSeenHeld = new Set<string>();
  /** Tokens that Signon's renewal made. */
  readonly renewals: ListedToken[] = [];
  private ever: ListedToken[];
  private readonly everListed = new Set<string>();
  private readonly pods: Pod[] = [];
  private readonly consumers: Consumer[] = [];
  private readonly broken = new Set<string>();
  private secret: ListedToken;
  private made = 100;

  constructor(private readonly fate: Fate) {
    const { environment, force, recipient } = fate;
    const email = `short-url-manager@${fate.renewed ? 'alphagov.co.uk' : 'example.org'}`;
    const named = recipient?.requested ? { recipient: HOLDER } : {};
    this.request = aRequest({ environment, apiUser: email, requestedBy: ASKER, force, ...named });
    this.pair = {
      apiUser: { id: 1, name: 'Short URL Manager', email, suspended: false },
      application: { id: 2, name: 'Publishing API' },
      secret: 'signon-token-short-url-manager-publishing-api',
    };
    const ours = recipient && {
      name: HOLDER,
      apiUser: email,
      key: KEY,
      alsoInCluster: recipient.alsoInCluster,
    };
    this.settings = { ...SETTINGS, recipients: [SOMEBODY_ELSE, ...(ours ? [ours] : [])] };
    this.tokens = fate.tokens.map(({ id, days: left }) => aToken(id, { expires: this.day(left) }));
    this.ever = [...this.tokens];
    this.secret = newestIn(this.tokens) ?? STRANGER;
    for (let at = 0; at < fate.consumers; at++) this.join(false);
    for (const pod of fate.pods)
      this.start(pod.of, pod.state, pod.terminating, this.pick(pod.holds));
    for (const { stray, holds, state } of fate.strays) this.stray(stray, state, this.pick(holds));
  }

  list(): ListedToken[] {
    for (const { masked } of this.tokens) this.everListed.add(masked);
    this.seen = { ...this.seen, listed: [...this.tokens] };
    return [...this.tokens];
  }

  look(readers: Readers): ClusterLook {
    const isTold = ({ consumer }: Pod): boolean =>
      readers.also.some((one) => sameConsumer(one, consumer));
    const tokenIn = ({ holds }: Pod): string | undefined =>
      readers.holding.find((token) => sameToken(token, piecesOf(holds)))?.masked;
    const strays = this.pods.filter(({ stray, state }) => stray && state !== 'ended');
    const mute = strays.filter(({ stray, state }) => stray === 'mute' && state === 'running');
    const found = strays.filter(
      (pod) => pod.state === 'running' && pod.stray !== 'mute' && tokenIn(pod) !== undefined,
    );
    const starting = strays.filter(({ state }) => state === 'starting');
    const awaited = starting.filter(isTold);
    const gone = this.pods.filter(
      (pod) => pod.stray && isTold(pod) && (pod.state === 'ended' || mute.includes(pod)),
    );
    const pods = [...this.pods.filter(({ stray }) => !stray), ...found, ...awaited];
    const consumers = [
      ...this.consumers,
      ...[...found, ...awaited, ...gone].map(({ consumer }) => consumer),
    ];
    const notStarted = starting.filter((pod) => !isTold(pod)).map(({ name }) => name);
    this.witness(consumers, pods, [...notStarted, ...mute.map(({ name }) => name)]);
    const containers = pods.map((pod) => {
      const { consumer, name, state, terminating, startedAt, stray } = pod;
      if (state !== 'running')
        return aStartingContainer({ ...consumer, pod: name, terminating, state });
      return aContainer(pod.holds, {
        ...consumer,
        pod: name,
        terminating,
        environment: this.fate.environment,
        startedAt: new Date(startedAt).toISOString(),
        token: tokenIn(pod),
        ...(stray && { from: 'a literal value' }),
      });
    });
    const at = new Date(this.now).toISOString();
    const census = aCensus({
      asked: pods.length,
      environments: [{ value: this.fate.environment, seenIn: 'some container' }],
      starting: notStarted,
      unasked: mute.map(({ name }) => `${name} could not be asked`),
    });
    return aLook(containers, { at, consumers, census });
  }

  smoke(readers: Readers): SmokeResult[] {
    return this.look(readers).consumers.flatMap((consumer, at) => {
      const pod = this.pods.find(
        (one) => one.consumer.workload === consumer.workload && one.state === 'running',
      );
      const { smoke } = this.fate;
      const verdict = this.broken.has(consumer.workload) ? 'failed' : smoke[at % smoke.length]!;
      return pod ? [aSmokeResult(consumer, { pod: pod.name, verdict })] : [];
    });
  }

  /** Signon's create: two years from today; the rotation alone knows the whole digest. */
  issue(): ListedToken {
    const token = this.appear(730);
    return { ...token, sha256: piecesOf(token).sha256 };
  }

  /** What a sync does: the newest token is in the Secret, and pods roll, if they do. */
  sync(): void {
    this.secret = newestIn(this.tokens) ?? this.secret;
    this.pass(MINUTE);
    const { rolls, straysFollow } = this.fate;
    for (const [at, pod] of this.pods.entries())
      if (rolls[at % rolls.length] && pod.state !== 'ended' && (!pod.stray || straysFollow))
        this.run(pod, this.secret);
  }

  /**
   * Starting pods run with what is in the Secret, or with what they were given; deleted ones end.
   */
  settle(): void {
    for (const pod of this.pods)
      if (pod.terminating && !this.fate.lingers) pod.state = 'ended';
      else if (pod.state === 'starting' && !pod.terminating)
        this.run(pod, pod.stray ? pod.holds : this.secret);
  }

  revoke(token: ListedToken): boolean {
    const still = this.tokens.find(
      ({ masked, expires }) => masked === token.masked && expires === token.expires,
    );
    this.tokens = this.tokens.filter((one) => one !== still);
    return still !== undefined;
  }

  /**
   * Lets time go by; each night Signon renews what ends soon, revoked or not, unless a
   * later-expiring token exists.
   */
  pass(time: number): void {
    const until = this.now + time;
    const night = (day: number): number => day * DAY + NIGHT.begins;
    for (let day = Math.floor((this.now - NIGHT.begins) / DAY) + 1; night(day) <= until; day++) {
      this.now = night(day);
      const newest = newestIn(this.ever);
      if (this.fate.renewed && newest && Date.parse(newest.expires) - this.now < 31 * DAY)
        this.renewals.push(this.appear(730));
    }
    this.now = until;
  }

  /** Whether a whole night of renewal lay between two moments. */
  nightBetween(from: number, to: number): boolean {
    const begins = Math.ceil((from - NIGHT.begins) / DAY) * DAY + NIGHT.begins;
    return begins + NIGHT.takes <= to;
  }

  /** The n-th of the containers that do not read the Secret. */
  strayAt(which: number): Consumer | undefined {
    const strays = this.pods.filter(({ stray }) => stray);
    return strays[which % Math.max(1, strays.length)]?.consumer;
  }

  /** Whether that very variable of a running container is a token that the pair has or had. */
  isHeldBy({ workload, variable }: Consumer): boolean {
    return this.pods.some(
      ({ consumer, state, holds }) =>
        state === 'running' &&
        consumer.workload === workload &&
        consumer.variable === variable &&
        this.ever.some(({ masked }) => masked === holds.masked),
    );
  }

  /** Whether it is a token of the pair that came and went between two listings. */
  isUnheardOf(masked: string): boolean {
    return !this.everListed.has(masked) && this.ever.some((token) => token.masked === masked);
  }

  /** Lets happen what happens before the next step. */
  meanwhile(batch: readonly Happening[]): void {
    for (const happening of batch) this.happen(happening);
  }

  private witness(consumers: readonly Consumer[], pods: readonly Pod[], unasked: string[]): void {
    const live = pods.filter(({ state }) => state === 'running');
    const holding = live.map(({ holds }) => holds);
    for (const { masked } of holding) this.everSeenHeld.add(masked);
    this.seen = {
      ...this.seen,
      at: this.now,
      held: this.heldByWhoeverAnswers().map(({ sha256, masked }) =>
        sha256 === undefined ? masked : `${ALMOST}${masked}`,
      ),
      starting: pods.filter((pod) => pod.state === 'starting' && !pod.terminating).length,
      consumers: consumers.map((consumer) => ({
        name: consumer.workload,
        pods: live.filter((pod) => pod.consumer === consumer).length,
      })),
      unasked,
    };
  }

  /**
   * By the world's own knowledge: what readers hold, whatever it is, and live tokens of the pair
   * that others hold.
   */
  private heldByWhoeverAnswers(): ListedToken[] {
    return this.pods
      .filter(({ stray, state, holds }) => {
        if (state !== 'running' || stray === 'mute') return false;
        const isPairs = this.tokens.some(
          (token) => token.masked === holds.masked && isLive(token, this.now),
        );
        return !stray || (isPairs && holds.sha256 === undefined);
      })
      .map(({ holds }) => holds);
  }

  private happen(one: Happening): void {
    const pod = 'which' in one ? this.pods[one.which % Math.max(1, this.pods.length)] : undefined;
    const token =
      'which' in one ? this.tokens[one.which % Math.max(1, this.tokens.length)] : undefined;
    if (one.kind === 'time passes') this.pass(one.minutes * MINUTE);
    else if (one.kind === 'a token appears') this.appear(one.days);
    else if (one.kind === 'ended tokens are deleted')
      this.tokens = this.tokens.filter((it) => isLive(it, this.now));
    else if (one.kind === 'pods settle') this.settle();
    else if (one.kind === 'a consumer joins') this.join(one.withPod);
    else if (one.kind === 'a stray starts') this.stray(one.stray, one.state, this.pick(one.holds));
    else if (one.kind === 'a pod starts') this.start(one.which, 'starting', false, this.secret);
    else if (one.kind === 'a token is revoked by somebody')
      this.tokens = this.tokens.filter((it) => it !== token);
    else if (one.kind === 'a token is copied over')
      this.tokens = this.tokens.map((it) => (it === token ? this.twin(it) : it));
    else if (one.kind === 'a smoke call breaks')
      this.broken.add(
        this.consumers[one.which % Math.max(1, this.consumers.length)]?.workload ?? '',
      );
    else if (pod && one.kind === 'a container restarts') this.run(pod, this.pick(one.holds));
    else if (pod && one.kind === 'a pod is deleted') pod.terminating = true;
    else if (pod && one.kind === 'a pod ends') pod.state = 'ended';
  }

  /** Another environment's token under the same id. */
  private twin({ authorisationId, expires }: ListedToken): ListedToken {
    const token = aToken(authorisationId, {
      expires,
      masked: `copy${++this.made}…copy${this.made}`,
    });
    this.ever.push(token);
    return token;
  }

  private appear(left: number): ListedToken {
    const token = aToken(++this.made, { generated: this.day(0), expires: this.day(left) });
    this.tokens = [...this.tokens, token];
    this.ever.push(token);
    return token;
  }

  private join(withPod: boolean): void {
    this.consumers.push({ ...APP, workload: `Deployment/consumer-${this.consumers.length}` });
    if (withPod) this.start(this.consumers.length - 1, 'running', false, this.secret);
  }

  private start(of: number, state: Pod['state'], terminating: boolean, holds: ListedToken): void {
    const consumer = this.consumers[of % Math.max(1, this.consumers.length)];
    const name = `pod-${this.pods.length}`;
    if (consumer)
      this.pods.push({ consumer, name, state, terminating, startedAt: this.now - DAY, holds });
  }

  private stray(stray: Stray, state: Pod['state'], holds: ListedToken): void {
    const name = `stray-${this.pods.length}`;
    const variable = stray === 'odd' ? 'API_CREDENTIALS' : 'OLD_API_BEARER_TOKEN';
    const consumer: Consumer = { ...APP, workload: `Deployment/${name}`, variable };
    this.pods.push({
      consumer,
      name,
      stray,
      state,
      terminating: false,
      startedAt: this.now - DAY,
      holds,
    });
  }

  private run(pod: Pod, holds: ListedToken): void {
    Object.assign(pod, { state: 'running', startedAt: this.now, terminating: false, holds });
  }

  /**
   * 0: the newest token; then the others of the pair; after them one that nobody lists, and one
   * that only looks like the newest.
   */
  private pick(at: number): ListedToken {
    const newest = newestIn(this.tokens);
    const all = [
      ...(newest ? [newest, ...this.tokens.filter((it) => it !== newest)] : []),
      STRANGER,
    ];
    if (newest) all.push({ ...newest, sha256: 'f'.repeat(64) });
    return all[at % all.length]!;
  }

  private day(left: number): string {
    return new Date(this.now + left * DAY).toISOString().slice(0, 10);
  }
}

/** The token the sync writes, by the words of the design: latest expiry, then highest id. */
export function newestIn(tokens: readonly ListedToken[]): ListedToken | undefined {
  return tokens
    .toSorted((a, b) =>
      a.expires === b.expires
        ? a.authorisationId - b.authorisationId
        : a.expires < b.expires
          ? -1
          : 1,
    )
    .at(-1);
}
