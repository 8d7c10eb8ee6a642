import * as fc from 'fast-check';
import type { Failing } from '../../sandbox/faults.ts';
import type { ExecFault } from '../../sandbox/kubernetes/exec.ts';

/**
 * Kinds of requests that stand-ins take, and `person` for what people send: moments are counted by
 * them.
 */
const ROUTES = [
  'sign-in',
  'second step',
  'users',
  'user',
  'tokens',
  'new form',
  'create',
  'revoke form',
  'revoke',
  'application',
  'tree',
  'create-job',
  'log',
  'pods',
  'lists',
  'exec',
  'slack',
  'person',
] as const;
export type Route = (typeof ROUTES)[number];

/** The `nth` of one kind, from 1, before it takes effect or after. */
export interface Moment {
  route: Route;
  nth: number;
  when: 'before' | 'after';
}

/** What fails, and how. */
interface Strike extends Moment {
  failing: Failing;
}

/** What happens beside a rotation. Numbers pick one of what is there, counted round. */
export type Happening =
  | { kind: 'the worker is killed' | 'the Temporal server is killed' }
  | {
      kind: 'a pod is killed' | 'a workload is restarted' | 'a CronJob runs' | 'Reloader overlooks';
      which: number;
    }
  | { kind: 'Signon renews' | 'the sync runs' | 'ended tokens are deleted' | 'the session ends' }
  | { kind: 'an engineer issues' | 'a token is copied over'; which: number }
  | { kind: 'an engineer revokes'; which: 'oldest' | 'newest' }
  | {
      kind:
        | 'watches are cut'
        | 'watches are gone'
        | 'a sync fails'
        | 'a sync writes nothing'
        | 'v2 is gone';
    }
  | { kind: 'Argo CD’s controller is down' | 'Kubernetes is down for Argo CD'; ms: number }
  | { kind: 'a consumer joins' }
  /**
   * A container comes to hold the oldest live token by another way than the Secret; it is given the
   * newest later, or goes.
   */
  | { kind: 'a copy is deployed'; how: (typeof COPIES)[number]; follows: boolean; ms: number }
  | { kind: 'messages are forged' }
  /** With every token of an application, for a while. */
  | { kind: 'a one-off Job runs'; which: number; how: 'dbmigrate' | 'JobRequest'; ms: number }
  /** A pod without Ruby and without GOVUK_ENVIRONMENT, with the first pair's token. */
  | { kind: 'a Workflow runs'; ms: number };

/** Ways for a container to hold a token without reading the pair's Secret. */
const COPIES = [
  'a Secret under an older name',
  'a copy by hand',
  'a literal of an older template',
  'all of a Secret',
  'a line break after it',
  'Bearer before it',
] as const;

/**
 * What a person does when they are asked. Approvals that must count for nothing are followed by
 * nothing: the next person is asked.
 */
export type Act =
  | 'does what is offered'
  | 'does it as an update'
  | 'does it twice'
  | 'quotes another run'
  | 'quotes the round before'
  | 'names a stranger'
  | 'approves as the requester'
  | 'approves and aborts at once'
  | 'rejects'
  | 'aborts'
  | 'cancels'
  | 'says nothing';

/**
 * The pairs that may be rotated: with a worker Deployment and a CronJob, in one workload with
 * another, and in two applications.
 */
export const PAIRS = [
  ['short-url-manager', 'publishing-api'],
  ['content-data-api', 'publishing-api'],
  ['content-data-api', 'support-api'],
  ['finder-frontend', 'email-alert-api'],
] as const;

/** All that a run meets: drawn from its seed alone. */
export interface Fate {
  environment: 'integration' | 'production';
  /** How rotations are started. */
  started: 'by a person' | 'by a sweep' | 'by an alert';
  /** Which pairs are about to end, by their place in `PAIRS`. */
  pairs: number[];
  force: boolean;
  /** The first pair has a token, too, that ended five days ago. */
  expiredToo: boolean;
  /** Signon’s, Argo CD’s and the cluster’s clock, ahead of the worker’s. */
  skewMs: number;
  jobMs: number;
  podMs: number;
  strikes: Strike[];
  execs: { nth: number; fault: ExecFault }[];
  happenings: (Moment & { what: Happening })[];
  /** Somebody approves before anybody was asked. */
  early: boolean;
  acts: Act[];
  /** Rotations that ended are started once more. */
  again: boolean;
}

/** How long an answer comes late: past the worker's limit, within Signon's own. */
const LATE_MS = 2600;
const STATUSES = [401, 403, 404, 409, 429, 500, 502, 503] as const;

const aStatus = fc.constantFrom(...STATUSES).map((status): Failing => {
  const headers = status === 429 ? { 'Retry-After': '1' } : undefined; // 30 s in life
  return { kind: 'status', status, ...(headers && { headers }) };
});
const failsBefore: fc.Arbitrary<Failing> = fc.oneof(
  aStatus,
  fc.constantFrom<Failing>(
    { kind: 'cut' },
    { kind: 'hang' },
    { kind: 'late', ms: LATE_MS },
    { kind: 'late', ms: 300 },
  ),
);
const failsAfter: fc.Arbitrary<Failing> = fc.oneof(
  aStatus,
  fc.constantFrom<Failing>(
    { kind: 'cut' },
    { kind: 'hang' },
    { kind: 'late', ms: LATE_MS },
    { kind: 'truncated' },
    { kind: 'changed' },
  ),
);

/**
 * A lost answer to a sign-in counts as a refusal: too many such, and every run would end before it
 * began.
 */
const ofRequests = ROUTES.filter(
  (route) => !['person', 'exec', 'sign-in', 'second step'].includes(route),
);
const aRoute = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...ofRequests) },
  { weight: 4, arbitrary: fc.constantFrom<Route>('create', 'revoke', 'create-job') },
  { weight: 1, arbitrary: fc.constantFrom<Route>('sign-in', 'second step') },
);
const nth = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(1, 1, 2, 3) },
  { weight: 1, arbitrary: fc.integer({ min: 4, max: 9 }) },
);

const aStrike: fc.Arbitrary<Strike> = fc.oneof(
  fc.record({ route: aRoute, nth, when: fc.constant('before' as const), failing: failsBefore }),
  fc.record({ route: aRoute, nth, when: fc.constant('after' as const), failing: failsAfter }),
);

const which = fc.nat(9);
const awayMs = fc.constantFrom(500, 2500);
const aHappening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Happening>({ kind: 'the worker is killed' }) },
  { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'the Temporal server is killed' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'a pod is killed' as const,
        'a workload is restarted' as const,
        'a CronJob runs' as const,
        'Reloader overlooks' as const,
      ),
      which,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'Signon renews' as const,
        'the sync runs' as const,
        'ended tokens are deleted' as const,
        'the session ends' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('an engineer issues' as const, 'a token is copied over' as const),
      which,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('an engineer revokes' as const),
      which: fc.constantFrom('oldest' as const, 'newest' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'watches are cut' as const,
        'watches are gone' as const,
        'a sync fails' as const,
        'a sync writes nothing' as const,
        'v2 is gone' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'Argo CD’s controller is down' as const,
        'Kubernetes is down for Argo CD' as const,
      ),
      ms: awayMs,
    }),
  },
  { weight: 1, arbitrary: fc.constant<Happening>({ kind: 'a consumer joins' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('a copy is deployed' as const),
      how: fc.constantFrom(...COPIES),
      follows: fc.boolean(),
      ms: fc.constantFrom(1000, 4000),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'messages are forged' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('a one-off Job runs' as const),
      which,
      how: fc.constantFrom('dbmigrate' as const, 'JobRequest' as const),
      ms: fc.constantFrom(300, 3000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('a Workflow runs' as const),
      ms: fc.constantFrom(300, 3000),
    }),
  },
);

const aMoment: fc.Arbitrary<Moment> = fc.oneof(
  fc.record({
    route: fc.constantFrom(...ROUTES),
    nth,
    when: fc.constantFrom('before' as const, 'after' as const),
  }),
  fc.record({
    route: fc.constantFrom<Route>('create', 'revoke', 'create-job', 'exec', 'person'),
    nth: fc.constantFrom(1, 1, 2),
    when: fc.constantFrom('before' as const, 'after' as const),
  }),
);

const anAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Act>('does what is offered') },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Act>(
      'does it as an update',
      'does it twice',
      'quotes another run',
      'quotes the round before',
      'names a stranger',
      'approves as the requester',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Act>(
      'approves and aborts at once',
      'rejects',
      'aborts',
      'cancels',
      'says nothing',
    ),
  },
);

const aFate: fc.Arbitrary<Fate> = fc.record({
  environment: fc.constantFrom('integration', 'production'),
  started: fc.oneof(
    { weight: 4, arbitrary: fc.constant('by a person' as const) },
    { weight: 1, arbitrary: fc.constantFrom('by a sweep' as const, 'by an alert' as const) },
  ),
  pairs: fc.uniqueArray(fc.nat(PAIRS.length - 1), { minLength: 1, maxLength: 3 }),
  force: fc.oneof(
    { weight: 5, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  expiredToo: fc.boolean(),
  skewMs: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(0, 0, -20_000, 20_000) },
    { weight: 1, arbitrary: fc.constant(45_000) },
  ),
  jobMs: fc.constantFrom(0, 0, 400),
  podMs: fc.constantFrom(0, 0, 300),
  strikes: fc.array(aStrike, { maxLength: 10 }),
  execs: fc.array(
    fc.record({
      nth: fc.integer({ min: 1, max: 20 }),
      fault: fc.constantFrom<ExecFault>(
        'no-status',
        'false-success',
        'killed',
        'node-down',
        'refused',
        'cut-status',
        'unknown-channel',
        'empty-frame',
        'late-output',
        'closes-stderr',
      ),
    }),
    { maxLength: 3 },
  ),
  happenings: fc.array(
    fc
      .record({ moment: aMoment, what: aHappening })
      .map(({ moment, what }) => ({ ...moment, what })),
    { minLength: 1, maxLength: 6 },
  ),
  early: fc.oneof(
    { weight: 5, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  acts: fc.array(anAct, { maxLength: 5 }),
  again: fc.boolean(),
});

/**
 * What the run of a seed meets: the same for ever, as long as this file and fast-check's version
 * stay.
 */
export function fateOf(seed: number): Fate {
  const [fate] = fc.sample(fc.noBias(aFate), { seed, numRuns: 1 });
  return { ...fate!, force: fate!.force && fate!.started === 'by a person' };
}
