import { expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import ms from 'ms';
import { workloadsOf, type Readers } from '../../domain/cluster/cluster.ts';
import { gatherEvidence } from '../../domain/evidence/gather-evidence.ts';
import { seenHeld } from '../../domain/cluster/possession.ts';
import type { ListedToken } from '../../domain/tokens/tokens.ts';
import { aFate, searchedInVain } from '../support/arbitrary-fates.ts';
import type { Fate } from '../support/fates.ts';
import { ModelledRotation } from '../support/modelled-rotation.ts';
import type { Shown } from '../support/modelled-people.ts';
import type { Revoke } from '../support/modelled-steps.ts';
import { ALMOST, KEY, newestIn, World } from '../support/worlds.ts';

const WORLDS = 1200;

/** Says something of each rotation, whatever world it meets. */
function inWhateverWorld(
  says: (rotation: ModelledRotation) => void,
  fates: fc.Arbitrary<Fate> = aFate,
): void {
  fc.assert(
    fc.property(fates, (fate) => says(new ModelledRotation(fate).run())),
    { numRuns: WORLDS },
  );
}

/**
 * Says something of each revoke that a rotation sends, and of what was shown to whoever approved
 * it.
 */
function ofEachRevoke(
  says: (revoke: Revoke, shown: Shown, rotation: ModelledRotation) => void,
  fates: fc.Arbitrary<Fate> = aFate,
): void {
  inWhateverWorld((rotation) => {
    for (const revoke of rotation.revokes) {
      expect(revoke.granted).toBeDefined();
      says(revoke, revoke.granted!.shown, rotation);
    }
  }, fates);
}

const nobodyReads = aFate.map((fate) => ({ ...fate, consumers: 0 }));
const saidDisused = nobodyReads.map((fate): Fate => ({
  ...fate,
  recipient: undefined,
  classifications: [{ as: 'disused' }],
}));

const londonDay = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London' });
const liveAt = (at: number, tokens: readonly ListedToken[]): ListedToken[] =>
  tokens.filter(({ expires }) => expires >= londonDay.format(at));
const maskedOf = (tokens: readonly ListedToken[]): string[] => tokens.map(({ masked }) => masked);

test('in whatever world, a rotation comes to an end that has a name', () => {
  inWhateverWorld(({ outcome }) =>
    expect(outcome).toMatch(
      /^(rotated|handed-over|revoked-disused|old-token-expired|nothing-to-do|waiting|blocked: [A-Z]\w+)$/,
    ),
  );
});

test('no token is revoked that a running container holds, whether it reads the Secret or got the token by another way', () => {
  ofEachRevoke(({ token, truth }, shown, { world }) => {
    const { newToken } = shown.evidence;
    const exactly =
      newToken?.sha256 === undefined && newToken ? [`${ALMOST}${newToken.masked}`] : [];
    const acceptable = newToken ? [newToken.masked, ...exactly] : [];
    expect(truth.held).not.toContain(token.masked);
    // Nor does any hold another token than the new one, then or when its evidence was taken.
    expect(acceptable).toEqual(expect.arrayContaining(truth.held));
    // What somebody made and revoked between two listings was theirs: nobody could have told the
    // rotation of it.
    const heldThen = shown.truth.held.filter((masked) => !world.isUnheardOf(masked));
    expect(newToken ? acceptable : heldThen).toEqual(expect.arrayContaining(heldThen));
    expect(shown.truth.starting).toBe(0);
    const shownNames = shown.truth.consumers.map(({ name }) => name);
    // Whoever joined runs, so that what was held tells of it too: it holds the new token.
    const joined = truth.consumers.filter(({ name }) => !shownNames.includes(name));
    expect(newToken ? joined.filter(({ pods }) => pods === 0) : joined).toEqual([]);
    // Whoever cannot be asked now was shown as such, and accepted.
    expect(shown.truth.unasked).toEqual(expect.arrayContaining(truth.unasked));
  });
});

test('no token is revoked without an approval that quotes the code of exactly that evidence, and covers the token and all that was not shown', () => {
  ofEachRevoke(({ token }, shown, { people }) => {
    expect(people.shown.at(-1)?.evidence.round).toBeGreaterThanOrEqual(shown.evidence.round);
    expect(maskedOf(shown.evidence.toRevoke)).toContain(token.masked);
    expect(people.covered(shown, token)).toBe(true);
  });
});

test('an approval never counts for more than it was shown: a plan to hand over ends nothing, and evidence ends what it offers', () => {
  inWhateverWorld(({ people, revokes }) => {
    for (const { shown, revoke } of people.granted) {
      const offered = shown.evidence.toRevoke.map(({ authorisationId }) => authorisationId);
      expect(offered).toEqual(expect.arrayContaining(revoke));
      expect(people.covered(shown)).toBe(true);
    }
    const plans = people.granted.filter(({ shown }) => shown.evidence.asks === 'hand-over');
    expect(plans.flatMap(({ revoke }) => revoke)).toEqual([]);
    for (const { granted } of revokes) expect(granted?.shown.evidence.asks).toBe('revoke');
  });
});

test('nobody is shown proof of a new token while a container that reads it is about to start', () => {
  inWhateverWorld(({ people }) => {
    const proofs = people.shown.filter(({ evidence }) => evidence.newToken);
    expect(proofs.filter(({ truth }) => truth.starting > 0)).toEqual([]);
  });
});

test('what a search got no answer from is accepted by name, or nothing is revoked', () => {
  inWhateverWorld(({ people, revokes }) => {
    for (const { shown } of people.granted) expect(people.covered(shown)).toBe(true);
    for (const { granted, truth } of revokes)
      expect(granted?.shown.truth.unasked).toEqual(expect.arrayContaining(truth.unasked));
  }, searchedInVain);
});

test('no token is revoked on old looks: each act follows its look within two minutes, and what passed its smoke call passed it when last tried', () => {
  ofEachRevoke(({ truth, at, lastSmoke }, shown) => {
    expect(at - truth.at).toBeLessThanOrEqual(ms('2 minutes'));
    const passedBefore = shown.smoke
      .filter(({ verdict }) => verdict === 'passed')
      .map(({ workload }) => workload);
    const passedLast = lastSmoke
      .filter(({ verdict }) => verdict === 'passed')
      .map(({ workload }) => workload);
    const seen = shown.truth.consumers.filter(({ pods }) => pods > 0).map(({ name }) => name);
    expect(passedLast).toEqual(
      expect.arrayContaining(passedBefore.filter((name) => seen.includes(name))),
    );
  });
});

test('only an approved end of a disused pair leaves it without a live token: else the new one lives on, and is the one a sync would write', () => {
  ofEachRevoke(({ token, truth }, shown, { holders }) => {
    const { newToken } = shown.evidence;
    expect(newToken === undefined).toBe(holders === 'disused');
    if (!newToken) return;
    expect(token.masked).not.toBe(newToken.masked);
    expect(newestIn(truth.listed)?.masked).toBe(newToken.masked);
    const endsByItself = liveAt(truth.at, [token]).length === 0;
    expect(endsByItself || maskedOf(liveAt(truth.at, truth.listed)).includes(newToken.masked)).toBe(
      true,
    );
  });
});

test.each([
  ['any', aFate],
  ['a disused', saidDisused],
])(
  'no token of %s pair is revoked after a live one of it has come or gone unseen',
  (_pair, fates) => {
    ofEachRevoke(({ truth, begun }, { evidence: { newToken, toRevoke } }) => {
      const untouched = (tokens: readonly ListedToken[]): string[] =>
        maskedOf(
          liveAt(truth.at, tokens).filter(
            ({ authorisationId }) => !begun.includes(authorisationId),
          ),
        ).toSorted();
      expect(untouched(truth.listed)).toEqual(
        untouched([...(newToken ? [newToken] : []), ...toRevoke]),
      );
    }, fates);
  },
);

test('no token is issued for a holder outside without an approved plan for the key that the settings name for that API user', () => {
  inWhateverWorld(({ issues, people }) => {
    for (const { recipient, granted } of issues) {
      if (!recipient) continue;
      expect(recipient.key).toBe(KEY);
      const plans = granted.filter(({ shown: { evidence } }) => evidence.asks === 'hand-over');
      expect(plans.map(({ shown }) => shown.evidence.recipient?.key)).toContain(KEY);
      expect(plans.every(({ shown }) => people.covered(shown))).toBe(true);
    }
  });
});

test('where a holder outside is named, a token is issued for them alone, and none is revoked before somebody took upon themselves that they use the new one', () => {
  const named = aFate.map((fate) => ({
    ...fate,
    recipient: fate.recipient ?? { alsoInCluster: true, requested: false },
  }));
  inWhateverWorld(({ issues, revokes, people, holders }) => {
    for (const { recipient } of issues) expect(recipient?.key).toBe(KEY);
    for (const { granted } of revokes) {
      if (holders === 'disused') continue;
      const approvals = people.letters.filter(({ quotes }) => quotes === granted?.shown.evidence);
      expect(
        approvals.some(({ approval }) => approval.accept?.includes('consumer-confirmed')),
      ).toBe(true);
    }
  }, named);
});

test('a holder outside is handed nothing while containers read the token, unless both are known to', () => {
  inWhateverWorld(({ world, revokes, issues, holders }) => {
    const recipient = world.settings.recipients.find(({ key }) => key === KEY);
    if (!recipient || recipient.alsoInCluster) return;
    expect(issues.length === 0 || holders === 'as requested' || holders === 'external').toBe(true);
    for (const { truth } of revokes) expect(truth.consumers).toEqual([]);
  });
});

test('a pair without any listed token gets none, whatever runs and whatever happens meanwhile', () => {
  const listsNone = aFate.map((fate) => ({
    ...fate,
    tokens: [],
    meanwhile: [[], ...fate.meanwhile],
  }));
  inWhateverWorld(({ outcome, issues }) => {
    expect(outcome).toMatch(/^(nothing-to-do|blocked: ReadInCluster)$/);
    expect(issues).toEqual([]);
  }, listsNone);
});

test('no token is issued where none is listed any more, and a forced rotation adopts none that was there before', () => {
  inWhateverWorld(({ issues, plan, world }) => {
    for (const { listed } of issues) expect(listed).not.toEqual([]);
    expect(world.request.force === true && plan?.kind === 'adopt').toBe(false);
  });
});

test('whoever says that a container holds the token is believed only if a running one does, in that very variable', () => {
  inWhateverWorld(({ believed }) => {
    expect(believed.filter(({ holdsOne }) => !holdsOne)).toEqual([]);
  }, nobodyReads);
});

test('a disused pair ends without a live token, and Signon’s renewal was warned of and waited for where it looks at that API user', () => {
  inWhateverWorld(({ outcome, last, world, people, holders, revokes }) => {
    if (holders !== 'disused') return;
    const isRenewed = world.request.apiUser.endsWith('@alphagov.co.uk');
    for (const { evidence } of people.shown)
      expect(evidence.warnings.length).toBe(isRenewed ? 1 : 0);
    const revoked = revokes.at(-1);
    if (outcome !== 'revoked-disused' || !revoked) return;
    expect(liveAt(last!.at, last!.truth.listed)).toEqual([]);
    expect(!isRenewed || world.nightBetween(revoked.at, last!.at)).toBe(true);
  }, saidDisused);
});

test('a token is shown as given up only if a container was seen holding it and none holds it any more, rolled out or not', () => {
  fc.assert(
    fc.property(aFate, fc.nat(3), (fate, choice) => {
      const world = new World(fate);
      const { secret } = world.pair;
      const readers = (): Readers => ({
        secret,
        also: [],
        holding: world.list(),
        ofOtherPairs: [],
      });
      const first = world.look(readers());
      const known = workloadsOf(first.consumers);
      const everHeld = seenHeld([], first.containers, known);
      for (const batch of fate.meanwhile) world.meanwhile(batch);
      const before = [...world.everSeenHeld];
      const look = world.look(readers());
      const tokens = world.list();
      const newToken = tokens[choice % Math.max(1, tokens.length)];
      if (!newToken) return;
      const seen = {
        round: 1,
        application: 'Publishing API',
        now: world.now,
        look,
        tokens,
        newToken,
        everHeld,
        known,
      };
      const givenUp = gatherEvidence({ ...seen, smoke: world.smoke(readers()) })
        .toRevoke.filter(({ standing }) => standing === 'given-up')
        .map(({ masked }) => masked);
      expect(before).toEqual(expect.arrayContaining(givenUp));
      expect(givenUp.filter((masked) => world.seen.held.includes(masked))).toEqual([]);
    }),
    { numRuns: WORLDS },
  );
});
