import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import {
  type Consumer,
  type ConsumingContainer,
  describeIdle,
} from '../../domain/cluster/cluster.ts';
import type { Evidence, SmokeResult } from '../../domain/evidence/evidence.ts';
import { joinedSince, smokeThatLapsed, voidedBy } from '../../domain/evidence/voided.ts';
import { tokenOf } from '../../domain/tokens/tokens.ts';
import {
  aContainer,
  aLook,
  anEvidence,
  aSmokeResult,
  APP,
  aStartingContainer,
  aToken,
  NEW,
  NOW,
  OLD,
  piecesOf,
  somePairsTokens,
  TWIN,
} from '../support/builders.ts';

const evidence = anEvidence();
type Fresh = Parameters<typeof voidedBy>[1];

/** Whether the evidence holds against a look that differs from it in what is given. */
const reason = (given: Partial<Fresh> = {}): string | undefined =>
  voidedBy(evidence, {
    tokens: [OLD, NEW],
    look: aLook([aContainer(NEW)]),
    now: NOW,
    ended: [],
    revoke: evidence.toRevoke.map(({ authorisationId }) => authorisationId),
    ...given,
  });

const withContainers = (...containers: ConsumingContainer[]): string | undefined =>
  reason({ look: aLook(containers) });

/** A one-off Job with the application's variables, a twin, another container, another variable. */
const JOINED: Consumer[] = [
  { ...APP, workload: 'Job/short-url-manager-dbmigrate' },
  TWIN,
  { ...APP, container: 'nginx' },
  { ...APP, variable: 'SECOND_BEARER_TOKEN' },
];

describe('evidence holds', () => {
  test('when looked at again unchanged, whatever tokens the pair has', () => {
    fc.assert(
      fc.property(somePairsTokens, (others) => {
        const tokens = [
          ...others.filter(({ authorisationId }) => authorisationId !== NEW.authorisationId),
          NEW,
        ];
        const look = aLook([aContainer(NEW)]);
        expect(
          voidedBy(anEvidence({ tokens }), { tokens, look, now: NOW, ended: [], revoke: [] }),
        ).toBeUndefined();
      }),
    );
  });

  test('when pods come and go that hold the new token, and when none runs', () => {
    expect(
      withContainers(aContainer(NEW, { pod: 'another' }), aContainer(NEW, { pod: 'third' })),
    ).toBeUndefined();
    expect(reason({ look: aLook([], { consumers: [APP] }) })).toBeUndefined();
  });

  test('when a container has not started, and when one that held another token has ended', () => {
    expect(withContainers(aContainer(NEW), aStartingContainer())).toBeUndefined();
    expect(withContainers(aContainer(NEW), aContainer(OLD, { state: 'ended' }))).toBeUndefined();
  });

  test('when Signon deletes a token that has ended, or an ended one is listed', () => {
    const afterOld = Date.parse('2026-09-12T12:00:00Z');
    expect(reason({ tokens: [NEW], now: afterOld })).toBeUndefined();
    expect(reason({ tokens: [aToken(99, { expires: '2026-08-30' }), OLD, NEW] })).toBeUndefined();
  });

  test('when this rotation itself revoked a token of it', () => {
    expect(reason({ tokens: [NEW], ended: [OLD.authorisationId] })).toBeUndefined();
  });

  test('when a consuming workload, container or variable joins and holds the new token', () => {
    for (const joined of JOINED) {
      const look = aLook([aContainer(NEW), aContainer(NEW, joined)], { consumers: [APP, joined] });
      expect(reason({ look })).toBeUndefined();
      expect(joinedSince(evidence, look)).toEqual([joined]);
    }
  });

  test('of an adopted token, known by its masked value alone', () => {
    expect(withContainers(aContainer({ ...NEW, sha256: 'f'.repeat(64) }))).toBeUndefined();
  });
});

describe('evidence is void', () => {
  test('whenever a running container holds another token than the new one, whatever else runs', () => {
    const stranger = aToken(900);
    const container = fc
      .record({
        token: fc.constantFrom(NEW, OLD, stranger),
        state: fc.constantFrom('running' as const, 'ended' as const),
        terminating: fc.boolean(),
        ready: fc.boolean(),
        pod: fc.string(),
      })
      .map(({ token, ...rest }) => ({ token, container: aContainer(token, rest) }));
    fc.assert(
      fc.property(fc.array(container, { minLength: 1, maxLength: 5 }), (containers) => {
        const look = aLook(
          containers.map((one) => one.container),
          { consumers: [APP] },
        );
        const others = containers.filter(
          (one) => one.token !== NEW && one.container.state === 'running',
        );
        expect(reason({ look }) !== undefined).toBe(others.length > 0);
      }),
    );
  });

  test('by a running container that could not say what it holds', () => {
    expect(withContainers(aContainer(NEW, { token: undefined }))).toBeDefined();
  });

  test('by a container whose token has the new one’s masked value but is another', () => {
    const issued = { ...NEW, sha256: 'a'.repeat(64) };
    const held = tokenOf(piecesOf({ ...NEW, sha256: 'b'.repeat(64) }), [OLD, issued]);
    const look = aLook([aContainer(issued, { token: held?.masked })]);
    const fresh = { tokens: [OLD, issued], look, now: NOW, ended: [], revoke: [] };
    expect(voidedBy(anEvidence({ newToken: issued }), fresh)).toBeDefined();
  });

  test('naming the container and the token it holds', () => {
    expect(withContainers(aContainer(OLD, { pod: 'pod-9' }))).toMatch(
      /app in pod-9 .*first101…last0101.*101/,
    );
  });

  test('by a live token that appeared, later-expiring or not', () => {
    for (const expires of ['2026-09-05', '2029-01-01'])
      expect(reason({ tokens: [OLD, aToken(103, { expires }), NEW] })).toMatch(/appeared.*103/);
  });

  test('by a live token that somebody revoked, the new one too', () => {
    expect(reason({ tokens: [NEW] })).toMatch(/101.*revoked/);
    expect(reason({ tokens: [OLD] })).toMatch(/102.*revoked/);
  });

  test('where an approved id stands for another token, value or day', () => {
    expect(reason({ tokens: [{ ...OLD, masked: 'XXXXXXXX…YYYYYYYY' }, NEW] })).toBeDefined();
    expect(reason({ tokens: [{ ...OLD, expires: '2026-09-11' }, NEW] })).toBeDefined();
    expect(reason({ tokens: [{ ...OLD, authorisationId: 555 }, NEW] })).toBeDefined();
  });

  test('by a new consuming workload, container or variable that holds another token, or starts', () => {
    for (const joined of JOINED)
      for (const container of [aContainer(OLD, joined), aStartingContainer(joined)])
        expect(
          reason({ look: aLook([aContainer(NEW), container], { consumers: [APP, joined] }) }),
        ).toBeDefined();
  });

  test('by a new consuming workload of which nothing runs', () => {
    expect(reason({ look: aLook([aContainer(NEW)], { consumers: [APP, TWIN] }) })).toMatch(
      /short-url-manager-worker/,
    );
  });

  test('by a consumer of which nothing runs and whose next run will hold a token that was given up', () => {
    const next = { ...APP, token: OLD.masked, from: 'a literal value' };
    const look = aLook([], { consumers: [APP], idleHolders: [next] });
    expect(reason({ look })).toBe(
      `the next run of app of ${APP.workload} will hold ${OLD.masked}, from a literal value`,
    );
    const renewed = { ...next, token: NEW.masked };
    expect(
      reason({ look: aLook([], { consumers: [APP], idleHolders: [renewed] }) }),
    ).toBeUndefined();
  });

  test('by one that will hold a token whose holder was unknown, unless the approver was told', () => {
    const next = { ...APP, token: OLD.masked, from: 'a literal value' };
    const look = aLook([], { consumers: [APP], idleHolders: [next] });
    const unknown = (heldBy: string[]): Evidence => ({
      ...evidence,
      toRevoke: [{ ...OLD, standing: 'holder-unknown', heldBy }],
    });
    const revoke = [OLD.authorisationId];
    const facts = { tokens: [OLD, NEW], look, now: NOW, ended: [], revoke };
    expect(voidedBy(unknown([]), facts)).toContain('will hold');
    expect(voidedBy(unknown([describeIdle(next)]), facts)).toBeUndefined();
    expect(voidedBy(unknown(Array<string>(20).fill('some')), facts)).toBeUndefined(); // of many, some are named
    expect(voidedBy(unknown([]), { ...facts, revoke: [] })).toBeUndefined(); // not to be revoked
  });

  test('by a workload that mounts the Secret as files: what it reads cannot be proven', () => {
    expect(
      reason({ look: aLook([aContainer(NEW)], { mountedBy: ['Deployment/legacy'] }) }),
    ).toMatch(/legacy/);
  });
});

describe('a smoke call that passed', () => {
  const pod = 'short-url-manager-7';
  const both = anEvidence({
    look: aLook([aContainer(NEW), aContainer(NEW, TWIN)]),
    smoke: [aSmokeResult(APP), aSmokeResult(TWIN)],
  });
  const NAMES = {
    app: 'app of Deployment/short-url-manager',
    twin: 'worker of Deployment/short-url-manager-worker',
  };

  const lapsed = (approved: Evidence, again: SmokeResult[], look = aLook([])): string | undefined =>
    smokeThatLapsed(approved, look, again);

  test('still stands where it passes again, from whichever pod and in whichever order', () => {
    expect(lapsed(both, [aSmokeResult(TWIN, { pod }), aSmokeResult(APP, { pod })])).toBeUndefined();
  });

  test.each(['failed', 'no-proof', 'not-tested'] as const)(
    'has lapsed where the same call is now %s, naming the consumer and what was seen',
    (verdict) => {
      const detail = 'lookup_content_id was refused with 401';
      const again = [aSmokeResult(APP), aSmokeResult(TWIN, { verdict, detail })];
      expect(lapsed(both, again)).toBe(
        `smoke calls that passed no longer do: ${NAMES.twin}: ${detail}`,
      );
    },
  );

  test('has lapsed where nothing is left to call from', () => {
    expect(lapsed(both, [aSmokeResult(APP)])).toMatch(`${NAMES.twin}: no ready pod to call from`);
  });

  test('has lapsed where only another container, workload or variable passes', () => {
    for (const other of [
      TWIN,
      { ...APP, container: 'nginx' },
      { ...APP, variable: 'SECOND_BEARER_TOKEN' },
    ])
      expect(lapsed(evidence, [aSmokeResult(other)])).toMatch(NAMES.app);
  });

  test('is named with every other one that lapsed, and with none that did not', () => {
    const why = lapsed(both, []);
    expect(why).toContain(NAMES.app);
    expect(why).toContain(NAMES.twin);
    expect(lapsed(both, [aSmokeResult(APP)])).not.toContain(`${NAMES.app}:`);
  });

  test('counts alone: what did not pass when it was approved may be as it is', () => {
    for (const before of ['no-proof', 'not-tested', 'failed'] as const)
      for (const again of [[], [aSmokeResult(APP, { verdict: 'failed' })], [aSmokeResult(APP)]])
        expect(
          lapsed(anEvidence({ smoke: [aSmokeResult(APP, { verdict: before })] }), again),
        ).toBeUndefined();
  });

  test('is looked for in the evidence alone: a consumer that joined says nothing here', () => {
    const again = [aSmokeResult(APP), aSmokeResult(TWIN, { verdict: 'failed' })];
    expect(lapsed(evidence, again)).toBeUndefined();
  });

  test('has lapsed exactly where one of those that passed does not pass now', () => {
    const verdict = fc.constantFrom('passed', 'failed', 'no-proof', 'not-tested', undefined);
    fc.assert(
      fc.property(fc.tuple(verdict, verdict), fc.tuple(verdict, verdict), (before, now) => {
        const results = (verdicts: typeof before) =>
          [APP, TWIN].flatMap((consumer, index) => {
            const seen = verdicts[index];
            return seen ? [aSmokeResult(consumer, { verdict: seen })] : [];
          });
        const approved = anEvidence({
          look: aLook([aContainer(NEW), aContainer(NEW, TWIN)]),
          smoke: results(before),
        });
        const someLapsed = before.some(
          (seen, index) => seen === 'passed' && now[index] !== 'passed',
        );
        expect(lapsed(approved, results(now)) !== undefined).toBe(someLapsed);
      }),
    );
  });

  test.each([
    'Job/short-url-manager-dbmigrate',
    'CronJob/short-url-manager-tidy',
    'Pod/by-hand',
  ] as const)(
    'has nothing to lapse where the run of %s is over, and has lapsed where it still runs and does not pass',
    (workload) => {
      const run = { ...APP, workload };
      const approved = anEvidence({
        look: aLook([aContainer(NEW, run)]),
        smoke: [aSmokeResult(run)],
      });
      expect(lapsed(approved, [])).toBeUndefined();
      expect(
        lapsed(approved, [], aLook([aContainer(NEW, { ...run, state: 'ended' })])),
      ).toBeUndefined();
      expect(lapsed(approved, [], aLook([aContainer(NEW, run)]))).toMatch(workload);
      expect(lapsed(approved, [], aLook([aStartingContainer(run)]))).toMatch(workload);
    },
  );
});
