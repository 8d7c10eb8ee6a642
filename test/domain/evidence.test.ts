import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { judgeApproval } from '../../domain/evidence/approval.ts';
import {
  evidenceCode,
  givenUpIn,
  othersAlive,
  type Evidence,
} from '../../domain/evidence/evidence.ts';
import { seenHeld } from '../../domain/cluster/possession.ts';
import { isLive } from '../../domain/tokens/tokens.ts';
import {
  aContainer,
  aLook,
  anEvidence,
  APP,
  aSmokeResult,
  aStartingContainer,
  aToken,
  NEW,
  NOW,
  OLD,
  somePairsTokens,
  TWIN,
  judgedBy,
} from '../support/builders.ts';

describe('the tokens on offer', () => {
  test('are every live token of the pair but the new one', () => {
    fc.assert(
      fc.property(somePairsTokens, (tokens) => {
        const { toRevoke } = anEvidence({ tokens: [...tokens, NEW] });
        const live = tokens.filter(
          (token) => isLive(token, NOW) && token.authorisationId !== NEW.authorisationId,
        );
        expect(toRevoke.map(({ authorisationId }) => authorisationId)).toEqual(
          live.map(({ authorisationId }) => authorisationId),
        );
      }),
    );
  });

  test('leave out one that has ended, though Signon still lists it', () => {
    expect(othersAlive([aToken(99, { expires: '2026-08-31' }), OLD, NEW], NEW, NOW)).toEqual([OLD]);
  });

  test('are given up only where a container was seen holding them, else their holder is unknown', () => {
    const { toRevoke } = anEvidence({ tokens: [aToken(100), OLD, NEW] });
    expect(toRevoke.map(({ authorisationId, standing }) => [authorisationId, standing])).toEqual([
      [100, 'holder-unknown'],
      [101, 'given-up'],
    ]);
  });

  test('say by which containers they were seen held', () => {
    const everHeld = seenHeld(
      [],
      [aContainer(OLD), aContainer(OLD, TWIN)],
      [APP.workload, TWIN.workload],
    );
    expect(anEvidence({ everHeld }).toRevoke[0]!.heldBy).toEqual([
      'app in short-url-manager-1',
      'worker in short-url-manager-1',
    ]);
  });

  test('have an unknown holder still where only a workload that joined later was seen holding them, and dropped them', () => {
    const claims = aContainer(OLD, { ...APP, workload: 'Deployment/liar', pod: 'liar-1' });
    const everHeld = seenHeld([], [claims], [APP.workload]);
    expect(anEvidence({ everHeld }).toRevoke).toMatchObject([
      { standing: 'holder-unknown', heldBy: [] },
    ]);
  });

  test('are not given up while a running container still holds them', () => {
    const look = aLook([
      aContainer(NEW),
      aContainer(OLD, { pod: 'short-url-manager-2', terminating: true }),
    ]);
    expect(anEvidence({ look }).toRevoke.filter(({ standing }) => standing === 'given-up')).toEqual(
      [],
    );
  });
});

describe('what was not shown', () => {
  test('is nothing where every consumer runs and passed', () => {
    expect(anEvidence().shortfalls).toEqual([]);
  });

  test('names a consumer of which no pod runs, ended and starting ones not counting', () => {
    const containers = [
      aContainer(NEW),
      aStartingContainer(TWIN),
      aContainer(NEW, { ...TWIN, state: 'ended' }),
    ];
    expect(
      anEvidence({ look: aLook(containers), smoke: [aSmokeResult(APP), aSmokeResult(TWIN)] })
        .shortfalls,
    ).toEqual([
      {
        code: 'no-pod-seen',
        what: expect.stringContaining('worker of Deployment/short-url-manager-worker'),
      },
    ]);
  });

  test('where no container that has the token is left, nothing shows what the next will hold', () => {
    expect(anEvidence({ look: aLook([]), smoke: [] }).shortfalls).toEqual([
      {
        code: 'no-pod-seen',
        what: expect.stringContaining('no container that has the token is left'),
      },
    ]);
    const recipient = { name: 'HMRC', apiUser: 'h@b.uk', key: 'age1', alsoInCluster: false };
    expect(anEvidence({ look: aLook([]), smoke: [], recipient }).shortfalls).toMatchObject([
      { code: 'consumer-confirmed' },
    ]);
  });

  test('says of a consumer that cannot be asked that it runs', () => {
    const unable = 'has neither a shell with sha256sum nor Ruby';
    const mute = [aContainer(NEW, { ...TWIN, token: undefined, unable })];
    const look = aLook([aContainer(NEW)], { consumers: [APP, TWIN], mute });
    const evidence = anEvidence({ look });
    expect(evidence.shortfalls).toEqual([
      {
        code: 'not-smoke-tested',
        what: 'worker of Deployment/short-url-manager-worker: no smoke call, because it runs but cannot be asked what it holds',
      },
    ]);
    expect(evidence.consumers).toMatchObject([{}, { pods: [], mute: ['short-url-manager-1'] }]);
  });

  test('says what the next run of a consumer will hold: its old token is given up by nobody', () => {
    const next = { ...TWIN, token: OLD.masked, from: 'Secret legacy, key token' };
    const look = aLook([aContainer(NEW)], { consumers: [APP, TWIN], idleHolders: [next] });
    const { shortfalls, toRevoke } = anEvidence({ look });
    expect(shortfalls).toEqual([
      {
        code: 'no-pod-seen',
        what: `worker of Deployment/short-url-manager-worker: no pod is running; its next run will hold ${OLD.masked}, from Secret legacy, key token`,
      },
    ]);
    expect(toRevoke).toMatchObject([
      {
        standing: 'holder-unknown',
        heldBy: [
          'worker of Deployment/short-url-manager-worker when it runs, from Secret legacy, key token',
        ],
      },
    ]);
    const renewed = aLook([aContainer(NEW)], {
      consumers: [APP, TWIN],
      idleHolders: [{ ...next, token: NEW.masked }],
    });
    expect(anEvidence({ look: renewed }).toRevoke).toMatchObject([{ standing: 'given-up' }]);
  });

  test('names a consumer whose smoke call proved nothing or was never made', () => {
    const look = aLook([aContainer(NEW), aContainer(NEW, TWIN)]);
    const noProof = aSmokeResult(APP, {
      verdict: 'no-proof',
      detail: 'a made-up token was let in',
    });
    expect(anEvidence({ look, smoke: [noProof] }).shortfalls).toEqual([
      { code: 'not-smoke-tested', what: expect.stringContaining('a made-up token was let in') },
      {
        code: 'not-smoke-tested',
        what: expect.stringContaining('worker of Deployment/short-url-manager-worker'),
      },
    ]);
  });

  test('is told apart by container and variable: a call from one proves nothing of the other', () => {
    const second = { ...APP, variable: 'SECOND_BEARER_TOKEN' };
    const look = aLook([aContainer(NEW), aContainer(NEW, second)], { consumers: [APP, second] });
    expect(anEvidence({ look }).shortfalls).toEqual([
      { code: 'not-smoke-tested', what: expect.any(String) },
    ]);
  });

  test('never includes a failed smoke call as something to accept', () => {
    const evidence = anEvidence({
      smoke: [aSmokeResult(APP, { verdict: 'failed', detail: 'HTTPUnauthorized' })],
    });
    const code = evidenceCode('run', evidence);
    const sent = {
      by: 'grace@example.org',
      evidence: code,
      accept: ['not-smoke-tested' as const, 'no-pod-seen' as const],
    };
    const verdict = judgeApproval(sent, judgedBy(evidence, code));
    expect(verdict).toMatchObject({ counts: false });
  });
});

test('the pods shown with a consumer are those that hold the new token', () => {
  const look = aLook([aContainer(NEW, { pod: 'has-new' }), aContainer(OLD, { pod: 'has-old' })]);
  expect(anEvidence({ look }).consumers.map(({ pods }) => pods)).toEqual([['has-new']]);
});

describe('the evidence code', () => {
  const RUN = '0197a7b2-0000-7000-8000-000000000001';
  const evidence = anEvidence({ tokens: [aToken(100), OLD, NEW] });
  const changed = (given: Partial<Evidence>): string =>
    evidenceCode(RUN, { ...evidence, ...given });

  test('is eight hex characters, the same each time it is computed', () => {
    expect(evidenceCode(RUN, evidence)).toMatch(/^[0-9a-f]{8}$/);
    expect(evidenceCode(RUN, structuredClone(evidence))).toBe(evidenceCode(RUN, evidence));
  });

  test('differs between runs and between rounds', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 2 }), ([one, other]) =>
        expect(evidenceCode(one!, evidence)).not.toBe(evidenceCode(other!, evidence)),
      ),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { minLength: 2, maxLength: 2 }), ([one, other]) =>
        expect(changed({ round: one! })).not.toBe(changed({ round: other! })),
      ),
    );
  });

  test('differs where other tokens would end', () => {
    const offered = fc.uniqueArray(fc.integer({ min: 1, max: 999 }), { maxLength: 5 });
    const codeOf = (ids: number[]): string =>
      changed({ toRevoke: ids.map((id) => ({ ...aToken(id), standing: 'given-up', heldBy: [] })) });
    fc.assert(
      fc.property(offered, offered, (one, other) => {
        const same =
          one.toSorted((a, b) => a - b).join() === other.toSorted((a, b) => a - b).join();
        expect(codeOf(one) === codeOf(other)).toBe(same);
      }),
    );
  });

  test('differs where another token stands under the same id', () => {
    const [first, ...rest] = evidence.toRevoke;
    const copied = { ...first!, masked: 'XXXXXXXX…YYYYYYYY' };
    expect(changed({ toRevoke: [copied, ...rest] })).not.toBe(changed({}));
  });

  test('differs where another token is the new one', () => {
    expect(changed({ newToken: aToken(103, { expires: NEW.expires }) })).not.toBe(changed({}));
  });

  test('does not depend on the order in which tokens are listed', () => {
    expect(changed({ toRevoke: evidence.toRevoke.toReversed() })).toBe(changed({}));
  });
});

test('a variable that is not named after the application its Secret is for is pointed out', () => {
  expect(anEvidence().oddities).toEqual([]);
  const { oddities } = anEvidence({ application: 'Email Alert API' });
  expect(oddities).toEqual([
    'app of Deployment/short-url-manager has this token, which is for Email Alert API, in PUBLISHING_API_BEARER_TOKEN',
  ]);
});

test('a later rotation is told of tokens that were given up alone, never of one that somebody may hold', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('given-up', 'holder-unknown')), (standings) => {
      const evidence = anEvidence();
      const [token] = evidence.toRevoke;
      const toRevoke = standings.map((standing, at) => ({
        ...token!,
        masked: `aaaaaaaa…${String(at).padStart(8, '0')}`,
        standing,
        heldBy: ['app in a-pod'],
      }));
      const told = givenUpIn({ ...evidence, toRevoke }).map(({ token: masked }) => masked);
      expect(told).toEqual(
        toRevoke.filter(({ standing }) => standing === 'given-up').map(({ masked }) => masked),
      );
    }),
  );
});
