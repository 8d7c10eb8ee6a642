import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import type { ClusterLook, ConsumingContainer } from '../../domain/cluster/cluster.ts';
import { allHold as allHoldIt } from '../../domain/cluster/possession.ts';
import { endOf, observe, whyNoSync, type Round } from '../../domain/rotation/round.ts';
import { isLive, isToken, outlives, type ListedToken } from '../../domain/tokens/tokens.ts';
import {
  aContainer,
  aLook,
  APP,
  aStartingContainer,
  aToken,
  NEW,
  NOW,
  OLD,
  SETTINGS,
  somePairsTokens,
  someReaders,
  TWIN,
} from '../support/builders.ts';

const BEFORE = '2026-09-01T11:00:00.000Z';
const RECIPIENT = { name: 'HMRC', apiUser: 'hmrc@example.org', key: 'age1…', alsoInCluster: false };

function aRound(given: Partial<Round> = {}): Round {
  return {
    settings: SETTINGS,
    pair: {
      apiUser: {
        id: 1,
        name: 'Short URL Manager',
        email: 'short-url-manager@alphagov.co.uk',
        suspended: false,
      },
      application: { id: 2, name: 'Publishing API' },
      secret: 'signon-token-short-url-manager-publishing-api',
    },
    cronJob: { name: 'signon-sync-token-secrets-to-k8s', uid: 'u' },
    before: [],
    known: [APP.workload],
    readers: someReaders(),
    everHeld: [],
    tokens: [OLD, NEW],
    look: aLook([aContainer(NEW)]),
    confirmedRevokes: 0,
    newToken: NEW,
    issuedAt: BEFORE,
    ...given,
  };
}

/** Containers of two workloads, each with one of the tokens, or about to start. */
const someContainers = (tokens: readonly ListedToken[]): fc.Arbitrary<ConsumingContainer[]> =>
  fc.array(
    fc
      .tuple(fc.constantFrom(...tokens), fc.constantFrom(APP, TWIN), fc.boolean())
      .map(([token, consumer, starts]) =>
        starts ? aStartingContainer(consumer) : aContainer(token, consumer),
      ),
    { maxLength: 4 },
  );
const ids = (tokens: readonly ListedToken[]): number[] =>
  tokens.map(({ authorisationId }) => authorisationId);

describe('a fresh look', () => {
  const seenAnything = fc.tuple(
    somePairsTokens,
    someContainers([OLD, NEW]),
    fc.boolean(),
    fc.boolean(),
  );

  test('leaves the new token as it is while no later one is listed, and when it was there', () => {
    expect(
      observe(aRound(), { tokens: [OLD, NEW], look: aLook([aContainer(OLD)]) }, NOW),
    ).toMatchObject({
      newToken: { authorisationId: NEW.authorisationId },
      issuedAt: BEFORE,
    });
  });

  test('names a listed token as new, or none; another only where it outlives the window and a forced rotation may have it', () => {
    fc.assert(
      fc.property(seenAnything, ([others, containers, isListed, isForced]) => {
        const tokens = [
          ...others.filter((token) => !isToken(NEW)(token)),
          ...(isListed ? [NEW] : []),
        ];
        const before = isForced ? ids(others) : [];
        const seen = observe(aRound({ before }), { tokens, look: aLook(containers) }, NOW);
        if (!seen) return;
        expect(ids(tokens)).toContain(seen.newToken.authorisationId);
        const isSame = isToken(NEW)(seen.newToken);
        expect(
          isSame ||
            (outlives(seen.newToken, NOW, SETTINGS.window) &&
              !ids(others).some((id) => isForced && id === seen.newToken.authorisationId)),
        ).toBe(true);
        expect(seen.issuedAt).toBe(isSame ? BEFORE : new Date(NOW).toISOString());
      }),
    );
  });

  test('is of no use only where the new token is not listed and nothing can take its place', () => {
    fc.assert(
      fc.property(somePairsTokens, (others) => {
        const tokens = others.filter((token) => !isToken(NEW)(token));
        const seen = observe(aRound(), { tokens, look: aLook([]) }, NOW);
        const latest = tokens.toSorted((a, b) => (a.expires < b.expires ? -1 : 1)).at(-1);
        expect(seen !== undefined).toBe(
          latest !== undefined && outlives(latest, NOW, SETTINGS.window),
        );
      }),
    );
  });

  test('forgets no token that was ever listed, and nobody who was seen holding one', () => {
    fc.assert(
      fc.property(seenAnything, ([others, containers]) => {
        const everHeld = [{ token: OLD.masked, by: 'app in gone' }];
        const tokens = [...others.filter((token) => !isToken(NEW)(token)), NEW];
        const seen = observe(aRound({ everHeld }), { tokens, look: aLook(containers) }, NOW)!;
        const known = seen.readers.holding.map(({ masked }) => masked);
        expect(known).toEqual(
          expect.arrayContaining([OLD, NEW, ...tokens].map(({ masked }) => masked)),
        );
        expect(seen.everHeld).toEqual(expect.arrayContaining(everHeld));
      }),
    );
  });
});

test('a round keeps the first moment at which the Secret is known to have had its token, and forgets it with the token', () => {
  const look = aLook([aContainer(NEW, { startedAt: '2026-09-01T11:00:00.000Z' })]);
  const since = (tokens: ListedToken[], inSecretSince?: string) =>
    observe(aRound({ inSecretSince }), { tokens, look }, NOW)!.inSecretSince;
  expect(since([OLD, NEW])).toBe('2026-09-01T11:00:00.000Z');
  expect(since([OLD, NEW], '2026-09-01T10:00:00.000Z')).toBe('2026-09-01T10:00:00.000Z');
  expect(since([OLD, NEW], '2026-09-01T12:00:00.000Z')).toBe('2026-09-01T11:00:00.000Z');
  expect(
    since([OLD, NEW, aToken(103, { expires: '2029-01-01' })], '2026-09-01T10:00:00.000Z'),
  ).toBe(undefined);
});

test('a container that got another token from the Secret later shows that the Secret lost the token: one that cannot be asked must start after it has it again', () => {
  const at = (token: ListedToken, time: string): ClusterLook =>
    aLook([aContainer(token, { startedAt: `2026-09-01T${time}:00.000Z` })]);
  const tokens = [OLD, NEW];
  const before = observe(aRound(), { tokens, look: at(NEW, '08:00') }, NOW)!;
  const lost = observe(before, { tokens, look: at(OLD, '09:00') }, NOW)!;
  const unable = 'has no shell';
  const mute = [
    aContainer(OLD, { ...TWIN, token: undefined, unable, startedAt: '2026-09-01T09:30:00.000Z' }),
  ];
  const again = { ...at(NEW, '10:00'), mute };
  expect(allHoldIt(again, NEW, before.inSecretSince)).toBe(true);
  expect(allHoldIt(again, NEW, lost.inSecretSince)).toBe(false);
});

describe('a consumer of a kind that nothing lists', () => {
  const workflow = { workload: 'Workflow/deploy-x7k2p' as never, container: 'main', variable: 'T' };
  const seen = (token: ListedToken): object[] =>
    observe(aRound(), { tokens: [OLD, NEW], look: aLook([aContainer(token, workflow)]) }, NOW)!
      .readers.passing ?? [];

  test('stays one once it held another token than the new one: nothing shows what the next will hold', () => {
    expect(seen(OLD)).toEqual([workflow]);
  });

  test('is none any more once it held the new one and ended', () => {
    expect(seen(NEW)).toEqual([]);
  });
});

describe('a sync', () => {
  test('is left out only where every running container holds the new token, none is about to start, and what cannot be seen was synced', () => {
    fc.assert(
      fc.property(
        someContainers([OLD, NEW]),
        fc.boolean(),
        fc.boolean(),
        (containers, isSynced, hasIdle) => {
          const look = aLook(containers);
          const idle = { workload: 'CronJob/idle', container: 'app', variable: 'X' } as const;
          const consumers = hasIdle ? [...look.consumers, idle] : look.consumers;
          const syncedFor = isSynced ? NEW.authorisationId : OLD.authorisationId;
          const why = whyNoSync(aRound({ look: { ...look, consumers }, syncedFor }));
          const allHold = containers.every(
            ({ state, token }) => state === 'running' && token === NEW.masked,
          );
          expect(why !== undefined).toBe(allHold && (isSynced || !hasIdle));
          if (why) expect(why).toContain(consumers.length > 0 ? 'every consumer' : 'no container');
        },
      ),
    );
  });
});

describe('a rotation whose new token is proven', () => {
  test('goes on while another token of the pair lives, and ends else, as what it did', () => {
    fc.assert(
      fc.property(
        somePairsTokens,
        fc.nat({ max: 3 }),
        fc.boolean(),
        (tokens, revoked, isOutside) => {
          const others = tokens.filter((token) => !isToken(NEW)(token));
          const recipient = isOutside ? { recipient: RECIPIENT } : {};
          const end = endOf(
            aRound({ tokens: [...others, NEW], ...recipient }),
            { revoked, holder: 'uses' },
            NOW,
          );
          expect(end === undefined).toBe(others.some((token) => isLive(token, NOW)));
          if (!end) return;
          const outcome = revoked > 0 ? 'rotated' : 'old-token-expired';
          expect(end.outcome).toBe(isOutside ? 'handed-over' : outcome);
          expect(end.why).toContain(
            revoked > 0 ? 'the old one is revoked' : 'no older one is live',
          );
        },
      ),
    );
  });

  test('says of a holder outside that they use the new token only where they confirmed it', () => {
    const outside = aRound({ tokens: [NEW], recipient: RECIPIENT });
    const whyOf = (holder?: 'uses' | 'has') => endOf(outside, { revoked: 0, holder }, NOW)?.why;
    expect(whyOf('uses')).toContain(`${RECIPIENT.name} uses the new token`);
    expect(whyOf('has')).toContain(`${RECIPIENT.name} has the new token`);
    expect(whyOf()).toContain(`issued for ${RECIPIENT.name}, who has not confirmed`);
  });
});
