import * as fc from 'fast-check';
import { SHORTFALLS, type SmokeResult } from '../../domain/evidence/evidence.ts';
import { ASKER, type Fate, type Happening, type Said, type Sent, type Stray } from './fates.ts';

const days = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(3, 9, 9, 13) },
  { weight: 3, arbitrary: fc.constantFrom(-400, -1, 0, 1, 14, 15, 30, 400, 729, 730) },
);
const minutes = fc.oneof(
  fc.constantFrom(1, 3, 59, 61),
  fc.constantFrom(600, 1440, 5 * 1440, 30 * 1440),
);
const which = fc.nat(9);
const holding = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: which });

const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const aStray = mostly<Stray>('open', 'odd', 'mute');

const aStrayStarts = fc.record({
  kind: fc.constant('a stray starts' as const),
  stray: fc.constantFrom<Stray>('open', 'open', 'mute', 'odd'),
  state: fc.constantFrom('running' as const, 'starting' as const),
  holds: which,
});

const aHappening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant('time passes' as const), minutes }),
  fc.record({
    kind: fc.constant('a token appears' as const),
    days: fc.constantFrom(1, 30, 400, 729, 730, 730),
  }),
  fc.record({
    kind: fc.constantFrom(
      'a token is revoked by somebody' as const,
      'a token is copied over' as const,
    ),
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
  aStrayStarts,
);

const breaksMuchLater = (one: number): Happening[] => [
  { kind: 'time passes', minutes: 61 },
  { kind: 'a smoke call breaks', which: one },
];

const leavesWithAnother = ([one, holds]: [number, number]): Happening[] => [
  { kind: 'a container restarts', which: one, holds },
  { kind: 'a pod is deleted', which: one },
];

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
  names: fc.constantFrom(
    'nothing',
    'nothing',
    'all',
    'all',
    'all',
    'first',
    'new token',
    'stranger',
  ),
  accept: fc.oneof(fc.constant<Sent['accept']>([...SHORTFALLS]), fc.subarray(ACCEPTS)),
});

const anyFate: fc.Arbitrary<Fate> = fc.record({
  environment: fc.constantFrom('integration', 'production'),
  force: mostly(false, true),
  starter: mostly('1@worker', ASKER, 'grace@example.org'),
  renewed: fc.boolean(),
  recipient: fc.option(fc.record({ alsoInCluster: mostly(true, false), requested: fc.boolean() }), {
    nil: undefined,
    freq: 2,
  }),
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
        fc.record({
          stray: aStray,
          holds: which,
          state: mostly<'running' | 'starting'>('running', 'starting'),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    },
  ),
  straysFollow: mostly(true, false),
  smoke: fc.array(mostly<SmokeResult['verdict']>('passed', 'failed', 'no-proof', 'not-tested'), {
    minLength: 1,
  }),
  smokeBlocks: fc.boolean(),
  acceptsUnlisted: fc.boolean(),
  retries: fc.nat(3),
  vouches: fc.array(
    fc.constantFrom<Fate['vouches'][number]>('already-handed-over', 'issue-another'),
    { maxLength: 3 },
  ),
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
    { weight: 2, arbitrary: which.map(breaksMuchLater) },
    { weight: 1, arbitrary: fc.tuple(which, which).map(leavesWithAnother) },
    { weight: 2, arbitrary: aStrayStarts.map((one): Happening[] => [one]) },
    {
      weight: 2,
      arbitrary: fc.constant<Happening[]>([{ kind: 'a consumer joins', withPod: true }]),
    },
  ),
  classifications: fc.array(aSaid, { maxLength: 4 }),
  approvals: fc.array(aSent, { maxLength: 6 }),
});

/** A container that holds a token and starts after nobody was found, and somebody who names it. */
const heldLate = anyFate.map((fate): Fate => ({
  ...fate,
  consumers: 0,
  recipient: undefined,
  tokens: [{ id: 50, days: 9 }],
  strays: [],
  straysFollow: true,
  rolls: [true],
  smoke: ['passed'],
  meanwhile: [
    [],
    [{ kind: 'a stray starts', stray: 'odd', state: 'running', holds: 0 }],
    ...fate.meanwhile,
  ],
  classifications: [
    { as: 'internal', which: 0, named: 'rightly' },
    ...fate.classifications.slice(0, 1),
  ],
}));

/**
 * Containers elsewhere that have not started or answer nobody, while a pair is said to be disused
 * or held outside.
 */
export const searchedInVain = fc
  .tuple(
    anyFate,
    fc.constantFrom<Stray>('open', 'mute'),
    fc.constantFrom('running' as const, 'starting' as const),
  )
  .map(([fate, stray, state]): Fate => ({
    ...fate,
    consumers: 0,
    pods: [],
    recipient: fate.recipient && { ...fate.recipient, alsoInCluster: true },
    strays: [{ stray: state === 'running' ? 'mute' : stray, holds: 0, state }],
    classifications: [
      fate.recipient ? { as: 'external', recipient: 'the one named' } : { as: 'disused' },
    ],
  }));

/** Any world a rotation may meet; those in which it gets somewhere come often enough. */
export const aFate = fc.oneof(
  { weight: 9, arbitrary: anyFate },
  { weight: 1, arbitrary: heldLate },
  { weight: 1, arbitrary: searchedInVain },
);
