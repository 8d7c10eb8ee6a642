import { expect, test } from '@jest/globals';
import type { Recipient } from '../../domain/settings.ts';
import type { FakeSystems } from '../support/fake-systems.ts';
import type { Rotation } from '../support/rotations.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating } = useTimeSkipping();
const BY = 'grace@example.org';
const nobodyReads = (systems: FakeSystems): void => {
  systems.containers = [];
};
/** Signon renews no token of these. */
const outsiders = (systems: FakeSystems): void => {
  nobodyReads(systems);
  systems.pair.apiUser.email = systems.pair.apiUser.email.replace('alphagov.co.uk', 'example.org');
};
const OUTSIDER = { prepare: outsiders, request: {} };

async function disused(rotation: Rotation): Promise<void> {
  await rotation.awaitingClassification();
  await rotation.send('classify', { by: BY, as: 'disused' });
}

test('a pair that nobody uses is revoked after an approval, and nothing is issued', () =>
  rotating(async (rotation) => {
    await disused(rotation);
    const { waiting } = await rotation.awaitingApproval();
    expect(waiting).toMatchObject({
      evidence: { asks: 'revoke', toRevoke: [{ authorisationId: 101, standing: 'holder-unknown' }], warnings: [] },
    });
    expect(await rotation.details()).toMatch(/Nobody is to have access any more/);
    await rotation.approve();
    const report = await rotation.report();
    expect(report).toMatchObject({ outcome: 'revoked-disused', revoked: [{ authorisationId: 101 }], alive: [] });
    expect(report.newToken).toBeUndefined();
    expect(rotation.systems.calls).not.toContain('createToken');
    expect(rotation.systems.calls).not.toContain('createSyncJob');
  }, OUTSIDER));

test('a classification never revokes by itself, and an approval must name the tokens', () =>
  rotating(async (rotation) => {
    await disused(rotation);
    await rotation.approve({ revoke: undefined });
    await rotation.answered(/no token was seen to be given up/);
    expect(rotation.systems.revoked).toEqual([]);
  }, OUTSIDER));

test('a container that begins to hold the token after the approval keeps it alive, and is named', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await disused(rotation);
    await rotation.awaitingApproval();
    systems.elsewhere = [{ ...systems.container('app', 'late-1'), workload: 'Deployment/late', holds: 101 }];
    await rotation.approve();
    const { message } = await rotation.blocked('StillInUse');
    expect(message).toMatch(/app of Deployment\/late/);
    expect(systems.revoked).toEqual([]);
    systems.elsewhere = [];
    await rotation.send('retry', { by: BY });
    const { waiting } = await rotation.awaitingApproval(1); // asked anew, under another code
    expect(waiting).toMatchObject({ evidence: { round: 2 } });
    await rotation.approve();
    expect(await rotation.report()).toMatchObject({ outcome: 'revoked-disused' });
  }, OUTSIDER));

test('a token that somebody issues meanwhile voids the approval', () =>
  rotating(async (rotation) => {
    await disused(rotation);
    await rotation.awaitingApproval();
    rotation.systems.issueByHand();
    await rotation.approve();
    const { waiting } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({ evidence: { toRevoke: [{ authorisationId: 101 }, { authorisationId: 102 }] } });
    expect(rotation.systems.revoked).toEqual([]);
  }, OUTSIDER));

test('the renewal that brings an internal pair’s access back is warned of, looked for, and ended by a second approval', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await disused(rotation);
      const { waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({
        evidence: { warnings: [expect.stringMatching(/access may be back after the next night/)] },
      });
      await rotation.approve();
      await rotation.noted('confirm', /looks again at \S+ 01:40 UTC/);
      systems.issueByHand(); // Signon's renewal
      await rotation.pass('1 day');
      const again = await rotation.awaitingApproval(1);
      expect(again.waiting).toMatchObject({
        evidence: {
          round: 2,
          toRevoke: [{ authorisationId: 102 }],
          warnings: [expect.stringMatching(/access may come back about/)],
        },
      });
      await rotation.approve();
      const report = await rotation.report();
      expect(report).toMatchObject({
        outcome: 'revoked-disused',
        why: expect.stringMatching(/may bring access back about \d{4}-\d\d-\d\d/),
        revoked: [{ authorisationId: 101 }, { authorisationId: 102 }],
      });
    },
    { prepare: nobodyReads },
  ));

test('whoever rejects what came back keeps it alive, and the report names what was revoked before', () =>
  rotating(
    async (rotation) => {
      await disused(rotation);
      await rotation.approve();
      await rotation.noted('confirm', /looks again/);
      rotation.systems.issueByHand();
      await rotation.pass('1 day');
      await rotation.awaitingApproval(1);
      await rotation.send('reject', { by: BY, reason: 'somebody needs it' });
      const report = await rotation.report();
      expect(report).toMatchObject({ outcome: 'rejected', revoked: [{ authorisationId: 101 }] });
      expect(report.why).toMatch(/revoked before/);
      expect(rotation.systems.revoked).toEqual([101]);
    },
    { prepare: nobodyReads },
  ));

test('an abort while the renewal is waited for names what was revoked', () =>
  rotating(
    async (rotation) => {
      await disused(rotation);
      await rotation.approve();
      await rotation.noted('confirm', /looks again/);
      await rotation.send('abort', { by: BY, reason: 'enough' });
      expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [{ authorisationId: 101 }] });
    },
    { prepare: nobodyReads },
  ));

test('tokens that end before anybody decides leave nothing to revoke', () =>
  rotating(async (rotation) => {
    await disused(rotation);
    await rotation.awaitingApproval();
    expect(await rotation.report()).toMatchObject({ outcome: 'old-token-expired', revoked: [] });
  }, OUTSIDER));

test('tokens of an internal pair that end before anybody decides are looked for after the renewal, which renews what ended', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await disused(rotation);
      await rotation.awaitingApproval();
      await rotation.pass('10 days');
      const looksAgain = async (): Promise<boolean> =>
        (await rotation.status()).steps.some(
          ({ name, note }) => name === 'confirm' && /looks again at/.test(note ?? ''),
        );
      for (let hours = 0; hours < 36 && !(await looksAgain()); hours++) await rotation.pass('1 hour');
      expect(await looksAgain()).toBe(true);
      systems.issueByHand();
      await rotation.pass('1 day');
      const { waiting } = await rotation.awaitingApproval(1);
      expect(waiting).toMatchObject({ evidence: { toRevoke: [{ authorisationId: 102 }] } });
      await rotation.approve({}, 1);
      expect(await rotation.report()).toMatchObject({
        outcome: 'revoked-disused',
        revoked: [{ authorisationId: 102 }],
      });
    },
    { prepare: nobodyReads },
  ));

test('a holder outside whom the settings name is named to the approver, who accepts their word or nothing is revoked', () => {
  const recipients: Recipient[] = [];
  return rotating(
    async (rotation) => {
      await disused(rotation);
      const { waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({
        evidence: {
          shortfalls: [{ code: 'consumer-confirmed', what: expect.stringContaining('the settings name HMRC') }],
        },
      });
      await rotation.approve({ accept: undefined });
      await rotation.answered(/"consumer-confirmed"/);
      expect(rotation.systems.revoked).toEqual([]);
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'revoked-disused',
        revoked: [{ authorisationId: 101 }],
      });
    },
    {
      settings: { recipients },
      prepare: (systems) => {
        outsiders(systems);
        recipients.push({ apiUser: systems.pair.apiUser.email, name: 'HMRC', key: 'age1hmrc', alsoInCluster: false });
      },
    },
  );
});

test('production wants a second person for a disused pair too', () =>
  rotating(
    async (rotation) => {
      await disused(rotation);
      await rotation.approve({ by: 'ada@example.org' });
      await rotation.answered(/production needs a second person/);
      expect(rotation.systems.revoked).toEqual([]);
    },
    {
      request: { environment: 'production' },
      serves: 'production',
      prepare: (systems) => {
        systems.environment = 'production';
        outsiders(systems);
      },
    },
  ));

test('a container that starts after the approval, and cannot be asked, keeps the token alive', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await disused(rotation);
    await rotation.awaitingApproval();
    systems.startingElsewhere = ['app in late-1'];
    await rotation.approve();
    await rotation.pass('1 hour');
    const { waiting, notes } = await rotation.awaitingApproval(1);
    expect(notes).toContainEqual(expect.stringMatching(/app in late-1 has not started, and cannot be asked yet/));
    expect(waiting).toMatchObject({ evidence: { shortfalls: [{ code: 'not-asked' }] } });
    expect(systems.revoked).toEqual([]);
    await rotation.approve({ accept: undefined }, 1);
    await rotation.answered(/"not-asked"/);
    await rotation.approve({}, 1);
    expect(await rotation.report()).toMatchObject({ outcome: 'revoked-disused' });
  }, OUTSIDER));

test('a container that could not be asked after the approval keeps the token alive', () =>
  rotating(async (rotation) => {
    await disused(rotation);
    await rotation.awaitingApproval();
    rotation.systems.unasked = ['app in bare-1 could not be asked'];
    await rotation.approve();
    await rotation.awaitingApproval(1);
    expect(rotation.systems.revoked).toEqual([]);
  }, OUTSIDER));

test('what an approval left alive and then ended by itself is no reason not to look after the renewal', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      systems.issueByHand(9);
      await disused(rotation);
      await rotation.approve({ revoke: [101] });
      await rotation.awaitingApproval(1);
      systems.tokens = []; // somebody revokes the other
      await rotation.approve({}, 1);
      await rotation.noted('confirm', /looks again/);
      systems.issueByHand();
      await rotation.pass('1 day');
      await rotation.awaitingApproval(2);
      expect(systems.revoked).toEqual([101]);
    },
    { prepare: nobodyReads },
  ));

test('tokens still in use offer no restart, since nothing would come of it', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await disused(rotation);
    await rotation.awaitingApproval();
    systems.elsewhere = [{ ...systems.container('app', 'late-1'), workload: 'Deployment/late', holds: 101 }];
    await rotation.approve();
    await rotation.blocked('StillInUse');
    await rotation.send('retry', { by: BY, restart: true });
    await rotation.answered(/restart: no Deployment stands in the way here/);
    expect(systems.restarted).toEqual([]);
  }, OUTSIDER));

test('what was revoked before the evidence was voided is looked after too: the renewal may bring it back', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      systems.issueByHand(9);
      await disused(rotation);
      await rotation.awaitingApproval();
      // Somebody else revokes the other token in the moment between the two revokes.
      systems.onCall = (activity) => {
        if (activity === 'lookAtConsumers' && systems.revoked.length === 1) systems.tokens = [];
      };
      await rotation.approve();
      await rotation.noted('confirm', /looks again/);
      systems.onCall = () => undefined;
      expect(systems.revoked).toHaveLength(1);
      systems.issueByHand();
      await rotation.pass('1 day');
      await rotation.awaitingApproval(1);
    },
    { prepare: nobodyReads },
  ));
