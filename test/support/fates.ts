import * as fc from 'fast-check';
import type { Approve, RetryAccept } from '../../domain/decisions.ts';
import { SHORTFALLS, type SmokeResult } from '../../domain/evidence.ts';

/** How a container that does not read the Secret is met: a search asks it, looks past its odd variable, or gets no answer. */
export type Stray = 'open' | 'odd' | 'mute';

/** What happens to a world between two steps. Numbers pick one of what is there, counted round. */
export type Happening =
  | { kind: 'time passes'; minutes: number }
  | { kind: 'a token appears'; days: number }
  | { kind: 'a token is revoked by somebody' | 'a token is copied over'; which: number }
  | { kind: 'ended tokens are deleted' | 'pods settle' }
  | { kind: 'a container restarts'; which: number; holds: number }
  | { kind: 'a pod starts' | 'a pod is deleted' | 'a pod ends' | 'a smoke call breaks'; which: number }
  | { kind: 'a consumer joins'; withPod: boolean }
  | { kind: 'a stray starts'; stray: Stray; holds: number };

/** An approval that will be sent: which code it quotes, what it names. */
export interface Sent {
  by: string;
  identity: string;
  quotes: 'shown' | 'earlier round' | 'a plan' | 'other question' | 'other key' | 'other run' | 'nonsense';
  names: 'nothing' | 'all' | 'first' | 'new token' | 'stranger';
  accept: (NonNullable<Approve['accept']>[number] | 'smoke-failed')[];
}

/** A classification that will be sent. */
export type Said =
  | { as: 'disused' }
  | { as: 'external'; recipient: 'the one named' | 'somebody else' }
  | { as: 'internal'; which: number; named: 'rightly' | 'with another variable' };

export interface Fate {
  environment: 'integration' | 'production';
  force: boolean;
  starter: string;
  /** Signon renews the API user's tokens by itself. */
  renewed: boolean;
  /** The holder outside that the settings name, if they do. */
  recipient: { alsoInCluster: boolean; requested: boolean } | undefined;
  tokens: { id: number; days: number }[];
  pods: { of: number; holds: number; state: 'running' | 'starting' | 'ended'; terminating: boolean }[];
  /** Workloads that read the Secret. */
  consumers: number;
  /** Containers that got a token by another way than the Secret. */
  strays: { stray: Stray; holds: number; state: 'running' | 'starting' }[];
  /** Whether strays are given the new token too, after a sync. */
  straysFollow: boolean;
  smoke: SmokeResult['verdict'][];
  /** Whether a smoke call that fails blocks, as it does; else the later rules must hold by themselves. */
  smokeBlocks: boolean;
  acceptsUnlisted: boolean;
  retries: number;
  /** What a retry vouches for, where a token cannot be handed over. */
  vouches: Exclude<RetryAccept, 'unlisted-token'>[];
  /** Whether the n-th pod is rolled by a sync. */
  rolls: boolean[];
  /** Pods that are deleted stay until something ends them. */
  lingers: boolean;
  meanwhile: Happening[][];
  /** Between an approval that counted and the first look after it. */
  afterApproval: Happening[];
  classifications: Said[];
  approvals: Sent[];
}

export const ASKER = 'ada@example.org';

const days = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(3, 9, 9, 13) },
  { weight: 3, arbitrary: fc.constantFrom(-400, -1, 0, 1, 14, 15, 30, 400, 729, 730) },
);
const minutes = fc.oneof(fc.constantFrom(1, 3, 59, 61), fc.constantFrom(600, 1440, 5 * 1440, 30 * 1440));
const which = fc.nat(9);
const holding = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: which });

const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const aStray = mostly<Stray>('open', 'odd', 'mute');

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
  fc.record({ kind: fc.constant('a stray starts' as const), stray: aStray, holds: which }),
);

const breaksMuchLater = (one: number): Happening[] => [
  { kind: 'time passes', minutes: 61 },
  { kind: 'a smoke call breaks', which: one },
];

const leavesWithAnother = ([one, holds]: [number, number]): Happening[] => [
  { kind: 'a container restarts', which: one, holds },
  { kind: 'a pod is deleted', which: one },
];

const startsElsewhere = (holds: number): Happening[] => [{ kind: 'a stray starts', stray: 'open', holds }];

const aSaid: fc.Arbitrary<Said> = fc.oneof(
  fc.record({ as: fc.constant('disused' as const) }),
  fc.record({
    as: fc.constant('external' as const),
    recipient: mostly<'the one named' | 'somebody else'>('the one named', 'somebody else'),
  }),
  fc.record({
    as: fc.constant('internal' as const),
    which,
    named: mostly<'rightly' | 'with another variable'>('rightly', 'with another variable'),
  }),
);

const ACCEPTS: Sent['accept'] = [...SHORTFALLS, 'smoke-failed'];

const aSent: fc.Arbitrary<Sent> = fc.record({
  by: mostly('grace@example.org', ASKER, ' ADA@Example.org '),
  identity: mostly('7@laptop', '', ASKER, 'grace@example.org'),
  quotes: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Sent['quotes']>('shown') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Sent['quotes']>(
        'earlier round',
        'a plan',
        'other question',
        'other key',
        'other run',
        'nonsense',
      ),
    },
  ),
  names: fc.constantFrom('nothing', 'nothing', 'all', 'all', 'all', 'first', 'new token', 'stranger'),
  accept: fc.oneof(fc.constant<Sent['accept']>([...SHORTFALLS]), fc.subarray(ACCEPTS)),
});

/** Any world a rotation may meet; those in which it gets somewhere come often enough. */
export const aFate: fc.Arbitrary<Fate> = fc.record({
  environment: fc.constantFrom('integration', 'production'),
  force: mostly(false, true),
  starter: mostly('1@worker', ASKER, 'grace@example.org'),
  renewed: fc.boolean(),
  recipient: fc.option(fc.record({ alsoInCluster: fc.boolean(), requested: fc.boolean() }), { nil: undefined }),
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
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) },
  ),
  strays: fc.oneof(
    { weight: 1, arbitrary: fc.constant<Fate['strays']>([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.record({ stray: aStray, holds: which, state: mostly<'running' | 'starting'>('running', 'starting') }),
        { minLength: 1, maxLength: 3 },
      ),
    },
  ),
  straysFollow: mostly(true, false),
  smoke: fc.array(mostly<SmokeResult['verdict']>('passed', 'failed', 'no-proof', 'not-tested'), { minLength: 1 }),
  smokeBlocks: fc.boolean(),
  acceptsUnlisted: fc.boolean(),
  retries: fc.nat(3),
  vouches: fc.array(fc.constantFrom<Fate['vouches'][number]>('already-handed-over', 'issue-another'), { maxLength: 3 }),
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
    { weight: 1, arbitrary: which.map(startsElsewhere) },
    { weight: 2, arbitrary: fc.constant<Happening[]>([{ kind: 'a consumer joins', withPod: true }]) },
  ),
  classifications: fc.array(aSaid, { maxLength: 4 }),
  approvals: fc.array(aSent, { maxLength: 6 }),
});
