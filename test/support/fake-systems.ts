import { Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type ms from 'ms';
import type { ArgoActivities } from '../../activities/argo/interface.ts';
import type { KubernetesActivities, ReaderOrder } from '../../activities/kubernetes/interface.ts';
import type { NotifyActivities } from '../../activities/notify/interface.ts';
import { sha256 } from '../../config/secret.ts';
import type { SignonActivities } from '../../activities/signon/interface.ts';
import {
  describeContainer,
  type IdleHolder,
  type Interruption,
  sameConsumer,
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
  type Readers,
  type SeenReader,
} from '../../domain/cluster/cluster.ts';
import type { SmokeResult } from '../../domain/evidence/evidence.ts';
import type { FailureName } from '../../domain/rotation/failures.ts';
import { passingIn } from '../../domain/rotation/holders.ts';
import type { Notice } from '../../domain/notices/notices.ts';
import { tokenSecretName } from '../../domain/text/parameterize.ts';
import type { Pair } from '../../domain/rotation/plan.ts';
import type { Remembered } from '../../domain/rotation/report.ts';
import {
  holds as isHeldBy,
  inSecretSince as knownSince,
  judgeRollout,
} from '../../domain/cluster/possession.ts';
import { type Fingerprint, newestOf, type ListedToken } from '../../domain/tokens/tokens.ts';

type Activities = SignonActivities &
  ArgoActivities &
  KubernetesActivities &
  Pick<NotifyActivities, 'notify'>;
type Held = Omit<ConsumingContainer, 'token'> & { holds: number };

/**
 * Signon, Argo CD and a cluster in memory: what a workflow test says happens, happens at once.
 * Every call is on record.
 */
export class FakeSystems {
  readonly calls: string[] = [];
  tokens: ListedToken[] = [];
  containers: Held[] = [];
  readonly revoked: number[] = [];
  /** Until when each revoke could be sent, in the order of the revokes. */
  readonly revokesNotAfter: string[] = [];
  /** Deployments that were restarted, in order. */
  readonly restarted: string[] = [];
  /** So many sync Jobs are deleted before their end is seen. */
  unseenEnds = 0;
  /** The sync Jobs that rollouts were waited for after, in order. */
  readonly rolloutsAfter: (string | undefined)[] = [];
  /** What people were told. */
  readonly notices: Notice[] = [];
  readonly pair: Pair = {
    apiUser: {
      id: 7,
      name: 'Short url manager',
      email: 'short-url-manager@alphagov.co.uk',
      suspended: false,
    },
    application: { id: 3, name: 'Publishing API' },
    secret: tokenSecretName('Short url manager', 'Publishing API'),
  };
  environment = 'integration';
  cronJobUid = 'cron-1';
  smoke: SmokeResult['verdict'] = 'passed';
  mountedBy: ClusterLook['mountedBy'] = [];
  /** Consumers of which no container runs. */
  idle: ClusterLook['consumers'] = [];
  /**
   * Other Secrets of the sync that an idle CronJob reads, and those of them that belong to a pair
   * of today.
   */
  otherSecrets: string[] = [];
  otherPairs: string[] = [];
  /** Containers that read no Secret of the pair: one that holds its token is found by value. */
  elsewhere: Held[] = [];
  /** Containers that cannot be asked. */
  unasked: string[] = [];
  /** Containers that read the Secret and cannot be asked. */
  mute: ConsumingContainer[] = [];
  /** Idle consumers of which it is known what they will hold. */
  idleHolders: IdleHolder[] = [];
  /** Containers elsewhere that have not started. */
  startingElsewhere: string[] = [];
  /** What an earlier rotation of the pair saw. */
  remembered: Remembered = { givenUp: [], also: [] };
  /**
   * Whether runs of idle consumers are looked out for; an activity that waits keeps the server from
   * skipping time.
   */
  watched = false;
  /**
   * Whether pods that read the Secret are watched for, and what a test calls when one is seen.
   * Keeps the server from skipping time, too.
   */
  watchesReaders = false;
  /** What was watched for, one after the other. */
  readonly watchOrders: ReaderOrder[] = [];
  readerSeen: (seen: SeenReader | Interruption) => void = () => undefined;
  private runs: ((containers: Held[]) => void)[] = [];
  /**
   * What a sync does besides ending well; the default brings the newest token to every container.
   */
  onSync: () => void = () => this.replaceAll();
  /** Called before an activity does anything. */
  onCall: (activity: string) => void | Promise<void> = () => undefined;
  private readonly failures: { activity: string; error: Error; after: boolean }[] = [];
  private lastId = 101;
  private secret = 0;
  private jobs = 0;

  constructor(now: number) {
    this.tokens = [this.token(101, now - 720 * DAY, now + 10 * DAY)];
    this.secret = 101;
    this.containers = [
      this.container('app', 'a-1'),
      this.container('app', 'a-2'),
      this.container('worker', 'w-1'),
    ];
    this.nowOf = () => now;
  }

  private nowOf: () => number;

  token(id: number, from: number, to: number): ListedToken {
    const masked = `first${String(id).padStart(3, '0')}…last${String(id).padStart(4, '0')}`;
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    return {
      authorisationId: id,
      masked,
      maskedSha256: sha256(masked.replace('…', '')),
      generated: day(from),
      expires: day(to),
    };
  }

  container(name: 'app' | 'worker', pod: string): Held {
    const twin = name === 'worker' ? '-worker' : '';
    return {
      workload: `Deployment/short-url-manager${twin}`,
      container: name,
      variable: 'PUBLISHING_API_BEARER_TOKEN',
      pod,
      state: 'running',
      startedAt: '2020-01-01T00:00:00Z',
      ready: true,
      terminating: false,
      holds: this.secret,
    };
  }

  /** Another token of the pair, as an engineer or Signon's renewal makes it. */
  issueByHand(days = 730): ListedToken {
    const id =
      Math.max(this.lastId, ...this.tokens.map(({ authorisationId }) => authorisationId)) + 1;
    this.lastId = id;
    const made = this.token(id, this.nowOf(), this.nowOf() + days * DAY);
    this.tokens.push(made);
    return made;
  }

  /** An idle consumer runs, for a moment, with a token. */
  runOf(consumer: Consumer, holds = this.secret): void {
    for (const seen of this.runs.splice(0))
      seen([{ ...this.container('app', 'run-1'), ...consumer, holds }]);
  }

  get isWatched(): boolean {
    return this.runs.length > 0;
  }

  private async nextRun(): Promise<Held[]> {
    if (!this.watched) throw ApplicationFailure.nonRetryable('nobody looks', 'Unreachable');
    const beat = setInterval(() => heartbeat(), 500);
    try {
      const run = new Promise<Held[]>((resolve) => this.runs.push(resolve));
      return await Promise.race([run, Context.current().cancelled]);
    } finally {
      clearInterval(beat);
    }
  }

  /** Every container is replaced by one that holds what the Secret holds. */
  replaceAll(): void {
    const startedAt = '2020-01-03T00:00:00Z'; // after the sync
    this.containers = this.containers.map((one) => ({ ...one, startedAt, holds: this.secret }));
  }

  /**
   * The next call of an activity fails, before or after its effect. Failures of the engine's own
   * kind by name.
   */
  fail(
    activity: keyof Activities,
    name: FailureName,
    {
      after = false,
      times = 1,
      nonRetryable = true,
      details = undefined as unknown[] | undefined,
      retriedAfter = undefined as ms.StringValue | undefined,
    } = {},
  ): void {
    const error = ApplicationFailure.create({
      type: name,
      message: `${name} as told`,
      nonRetryable,
      details,
      nextRetryDelay: retriedAfter,
    });
    for (let i = 0; i < times; i++) this.failures.push({ activity, error, after });
  }

  activities(): Activities {
    const all: Activities = {
      findPair: () => Promise.resolve(this.pair),
      listPairs: () =>
        Promise.resolve([
          {
            apiUser: this.pair.apiUser,
            application: this.pair.application.name,
            tokens: [...this.tokens],
          },
        ]),
      listTokens: () => Promise.resolve([...this.tokens]),
      secretsOfPairs: (secrets) =>
        Promise.resolve(secrets.filter((one) => this.otherPairs.includes(one))),
      createToken: ({ before, recipient }) => {
        const found = newestOf(
          this.tokens.filter(({ authorisationId }) => !before.includes(authorisationId)),
        );
        const token = found ?? this.issueByHand();
        const armoured =
          found || !recipient ? undefined : `ciphertext of ${token.masked} for ${recipient.key}`;
        const origin = found ? 'maybe another’s' : 'issued';
        return Promise.resolve({
          token,
          origin,
          tokens: [...this.tokens],
          ...(armoured && { armoured }),
        });
      },
      revokeToken: ({ token, notAfter }) => {
        this.revokesNotAfter.push(notAfter);
        const listed = this.tokens.some(
          ({ authorisationId }) => authorisationId === token.authorisationId,
        );
        this.tokens = this.tokens.filter(
          ({ authorisationId }) => authorisationId !== token.authorisationId,
        );
        if (listed) this.revoked.push(token.authorisationId);
        const how = listed ? 'revoked' : 'already-revoked';
        return Promise.resolve({
          how,
          tokens: [...this.tokens],
          listedAt: new Date().toISOString(),
        });
      },
      findSyncCronJob: () =>
        Promise.resolve({ name: 'signon-sync-token-secrets-to-k8s', uid: 'cron-1' }),
      createSyncJob: () =>
        Promise.resolve({
          name: `sync-${++this.jobs}`,
          uid: `job-${this.jobs}`,
          createdAt: new Date().toISOString(),
        }),
      awaitSyncJob: () => {
        this.secret = newestOf(this.tokens)!.authorisationId;
        this.onSync();
        const seenHealthy = this.unseenEnds-- <= 0;
        return Promise.resolve({ seenAt: '2020-01-02T00:00:00Z', seenHealthy });
      },
      cronJobUid: () => Promise.resolve(this.cronJobUid),
      listReadings: () => Promise.resolve({ variables: [], files: [] }),
      lookAtConsumers: (readers) => Promise.resolve(this.look(readers)),
      awaitRollout: ({ readers, token, sync, inSecretSince }) => {
        this.rolloutsAfter.push(sync?.job);
        const broughtAt = sync?.isUnsure ? undefined : sync?.seenAt;
        const look = this.look(readers);
        const syncedAt = sync?.seenAt;
        const known = knownSince(look, token, inSecretSince, broughtAt);
        const rollout = judgeRollout(look, token, syncedAt, sync?.firstSeenAt, known);
        const end = rollout.kind === 'held' ? { ...rollout, look } : rollout;
        return Promise.resolve({
          ...end,
          inSecretSince: known,
          passing: passingIn(look, token),
        });
      },
      restartDeployments: ({ deployments }) => {
        this.restarted.push(...deployments);
        for (const container of this.containers)
          if (deployments.includes(container.workload)) container.holds = this.secret;
        return Promise.resolve();
      },
      awaitSighting: async ({ readers, consumers }) => {
        const seen = this.shown(
          (await this.nextRun()).filter((one) =>
            consumers.some((wanted) => sameConsumer(wanted, one)),
          ),
          readers.holding,
        );
        const smoke = (container: ConsumingContainer): SmokeResult => ({
          ...container,
          verdict: this.smoke,
          detail: 'its own call',
        });
        return seen.map((container) => ({
          at: new Date().toISOString(),
          container,
          smoke: smoke(container),
        }));
      },
      awaitReader: async (order) => {
        this.watchOrders.push(order);
        if (!this.watchesReaders)
          throw ApplicationFailure.nonRetryable('nobody watches', 'NotPermitted');
        const beat = setInterval(() => heartbeat(), 500);
        try {
          return await Promise.race([
            new Promise<SeenReader | Interruption>((seen) => (this.readerSeen = seen)),
            Context.current().cancelled,
          ]);
        } finally {
          clearInterval(beat);
        }
      },
      smokeConsumers: ({ readers, tokens }) => Promise.resolve(this.smokeResults(readers, tokens)),
      notify: (notice) => {
        this.notices.push(notice);
        return Promise.resolve();
      },
    };
    const wrapped = Object.entries(all).map(([name, act]) => [
      name,
      async (argument: never) => {
        if (name !== 'notify') this.calls.push(name); // people are told beside everything else
        await this.onCall(name);
        const failing = this.failures.findIndex(({ activity }) => activity === name);
        const [failure] = failing === -1 ? [] : this.failures.splice(failing, 1);
        if (failure && !failure.after) throw failure.error;
        const result: unknown = await (act as (given: never) => Promise<unknown>)(argument);
        if (failure) throw failure.error;
        return result;
      },
    ]);
    return Object.fromEntries(wrapped) as Activities;
  }

  look({ holding, also, passing = [], ofOtherPairs }: Omit<Readers, 'secret'>): ClusterLook {
    const others = this.shown(this.elsewhere, holding).map((one) => ({
      ...one,
      from: 'Secret legacy, key token',
    }));
    const holders = others.filter(
      (one) =>
        one.token !== undefined ||
        (one.state === 'starting' && also.some((known) => sameConsumer(known, one))),
    );
    const containers = [...this.shown(this.containers, holding), ...holders];
    const idle = also.filter((known) => !others.some((one) => sameConsumer(one, known)));
    const otherSecrets = this.otherSecrets.filter((secret) => !ofOtherPairs.includes(secret));
    const consumers = [
      ...containers,
      ...this.mute,
      ...this.idle,
      ...this.idleHolders,
      ...idle,
      ...otherSecrets.map(readerOf),
      ...passing,
    ]
      .map(({ workload, container, variable }) => ({ workload, container, variable }))
      .filter(
        (one, index, list) => list.findIndex(({ workload }) => workload === one.workload) === index,
      );
    return {
      at: new Date().toISOString(),
      consumers,
      containers,
      mute: this.mute,
      idleHolders: this.idleHolders,
      mountedBy: this.mountedBy,
      census: {
        asked: this.containers.length + others.length,
        environments: [{ value: this.environment, seenIn: 'app in legacy-1' }],
        starting: this.startingElsewhere,
        unasked: [...this.unasked, ...this.mute.map(describeContainer)],
        otherSecrets,
      },
    };
  }

  /** Containers as a look shows them. */
  private shown(containers: Held[], holding: Readers['holding']): ConsumingContainer[] {
    return containers.map(({ holds, ...container }) => {
      if (container.state !== 'running')
        return { ...container, startedAt: undefined, ready: false };
      const { masked } = this.token(holds, 0, 0);
      const known = holding.some((one) => one.masked === masked);
      return { ...container, ...(known && { token: masked }), environment: this.environment };
    });
  }

  private smokeResults(readers: Readers, tokens: Fingerprint[]): SmokeResult[] {
    const { consumers, containers } = this.look(readers);
    return consumers
      .filter((consumer) =>
        containers.some(
          (one) =>
            one.ready &&
            !one.terminating &&
            tokens.some((token) => isHeldBy(one, token)) &&
            sameConsumer(one, consumer),
        ),
      )
      .map((consumer) => ({
        ...consumer,
        pod: 'a-1',
        verdict: this.smoke,
        detail: `lookup_content_id ${this.smoke}`,
      }));
  }
}

export const DAY = 86_400_000;

const readerOf = (secret: string): Consumer => ({
  workload: 'CronJob/legacy-task',
  container: 'cron-task',
  variable: secret,
});
