import { describe, expect, test } from '../support/jest.ts';
import type { Recipient } from '../../domain/settings/settings.ts';
import type { FakeSystems } from '../support/fake-systems.ts';
import type { Status } from '../support/request.ts';
import type { Rotation } from '../support/rotations.ts';
import { until } from '../support/until.ts';
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

/** Whether the server has the result of an activity. */
async function isTold({ handle }: Rotation, name: string): Promise<true | undefined> {
  const { events } = await handle.fetchHistory();
  const scheduled = (events ?? []).filter(
    ({ activityTaskScheduledEventAttributes: activity }) => activity?.activityType?.name === name,
  );
  const completed = (events ?? []).map(({ activityTaskCompletedEventAttributes: done }) =>
    String(done?.scheduledEventId),
  );
  return scheduled.some(({ eventId }) => completed.includes(String(eventId))) || undefined;
}

test('a pair that nobody uses is revoked after an approval, and nothing is issued', () =>
  rotating(async (rotation) => {
    await disused(rotation);
    const { waiting } = await rotation.awaitingApproval();
    expect(waiting).toMatchObject({
      evidence: {
        asks: 'revoke',
        toRevoke: [{ authorisationId: 101, standing: 'holder-unknown' }],
        warnings: [],
      },
    });
    expect(await rotation.details()).toMatch(
      /revoke the last token in integration[^]*nobody has access/,
    );
    await rotation.approve();
    const report = await rotation.report();
    expect(report).toMatchObject({
      outcome: 'revoked-disused',
      revoked: [{ authorisationId: 101 }],
      alive: [],
    });
    expect(report.newToken).toBeUndefined();
    expect(rotation.systems.calls).not.toContain('createToken');
    expect(rotation.systems.calls).not.toContain('createSyncJob');
  }, OUTSIDER));

test('a classification never revokes by itself, and an approval must name the tokens', () =>
  rotating(async (rotation) => {
    await disused(rotation);
    await rotation.approve({ revoke: undefined });
    await rotation.answered(/no token is proven unused/);
    expect(rotation.systems.revoked).toEqual([]);
  }, OUTSIDER));

test('a container that begins to hold the token after the approval keeps it alive, and is named', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await disused(rotation);
    await rotation.awaitingApproval();
    systems.elsewhere = [
      { ...systems.container('app', 'late-1'), workload: 'Deployment/late', holds: 101 },
    ];
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
    expect(waiting).toMatchObject({
      evidence: { toRevoke: [{ authorisationId: 101 }, { authorisationId: 102 }] },
    });
    expect(rotation.systems.revoked).toEqual([]);
  }, OUTSIDER));

test('the renewal that brings an internal pair’s access back is warned of, looked for, and ended by a second approval', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await disused(rotation);
      const { waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({
        evidence: { warnings: [expect.stringMatching(/Access may be back after the next night/)] },
      });
      await rotation.approve();
      await rotation.noted('confirm', /looks again at \S+ 01:40 UTC/);
      systems.issueByHand(); // Signon's renewal
      await rotation.passRenewal();
      const again = await rotation.awaitingApproval(1);
      expect(again.waiting).toMatchObject({
        evidence: {
          round: 2,
          toRevoke: [{ authorisationId: 102 }],
          warnings: [expect.stringMatching(/Access may come back about/)],
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
      await rotation.passRenewal();
      await rotation.awaitingApproval(1);
      await rotation.send('reject', { by: BY, reason: 'somebody needs it' });
      const report = await rotation.report();
      expect(report).toMatchObject({ outcome: 'rejected', revoked: [{ authorisationId: 101 }] });
      expect(report.why).toMatch(/Revoked: /);
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
      expect(await rotation.report()).toMatchObject({
        outcome: 'aborted',
        revoked: [{ authorisationId: 101 }],
      });
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
      for (let hours = 0; hours < 36 && !(await looksAgain()); hours++)
        await rotation.pass('1 hour');
      expect(await looksAgain()).toBe(true);
      systems.issueByHand();
      await rotation.passRenewal();
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
          shortfalls: [
            { code: 'consumer-confirmed', what: expect.stringContaining('the settings name HMRC') },
          ],
        },
      });
      await rotation.approve({ accept: undefined });
      await rotation.answered(/in accept: consumer-confirmed/);
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
        recipients.push({
          apiUser: systems.pair.apiUser.email,
          name: 'HMRC',
          key: 'age1hmrc',
          alsoInCluster: false,
        });
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
    expect(notes).toContainEqual(
      expect.stringMatching(/app in late-1 has not started, and cannot be asked yet/),
    );
    expect(waiting).toMatchObject({ evidence: { shortfalls: [{ code: 'not-asked' }] } });
    expect(systems.revoked).toEqual([]);
    await rotation.approve({ accept: undefined }, 1);
    await rotation.answered(/in accept: not-asked/);
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
      await rotation.passRenewal();
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
    systems.elsewhere = [
      { ...systems.container('app', 'late-1'), workload: 'Deployment/late', holds: 101 },
    ];
    await rotation.approve();
    await rotation.blocked('StillInUse');
    await rotation.send('retry', { by: BY, restart: true });
    await rotation.answered(/restart: it is not offered here/);
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
      await rotation.passRenewal();
      await rotation.awaitingApproval(1);
    },
    { prepare: nobodyReads },
  ));

describe('every pod is watched while a pair is given up', () => {
  const WATCHED = (prepare: (systems: FakeSystems) => void) => ({
    ...OUTSIDER,
    settings: { disusedWatch: '3 days' as const },
    prepare: (systems: FakeSystems): void => {
      outsiders(systems);
      prepare(systems);
    },
  });
  const passing = (systems: FakeSystems): void => {
    systems.watchesReaders = true;
  };
  const seen = {
    workload: 'Workflow/deploy-x7k2p' as never,
    container: 'main',
    variable: 'RELEASE_API_TOKEN',
    pod: 'deploy-x7k2p-12345',
    secret: 'signon-token-before-it-was-renamed',
    version: '4711',
    at: '2026-11-29T10:00:00.000Z',
  };

  test('an approval says for how long, and one that comes sooner must accept it by name', () =>
    rotating(async (rotation) => {
      await disused(rotation);
      const { waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({
        evidence: {
          shortfalls: [
            {
              code: 'not-watched-long-enough',
              what: expect.stringMatching(/watched for \d+ .* of 3 days/),
            },
          ],
        },
      });
      expect(await rotation.details()).toMatch(
        /every pod of the namespace since \d{4}-\d\d-\d\d \d\d:\d\d UTC/,
      );
      await rotation.approve({ accept: undefined });
      await rotation.answered(/in accept: not-watched-long-enough/);
      expect(rotation.systems.revoked).toEqual([]);
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'revoked-disused',
        revoked: [{ authorisationId: 101 }],
      });
    }, WATCHED(passing)));

  test('a pod that reads the Secret for a moment ends the watch with its name: nothing is revoked, and the pair is rotated', () =>
    rotating(async (rotation) => {
      const { systems } = rotation;
      await disused(rotation);
      await rotation.awaitingApproval();
      systems.idle = [seen]; // a look lists it from now on
      systems.readerSeen(seen);
      const { waiting, notes } = await rotation.awaitingApproval(1);
      expect(notes.join()).toMatch(
        /main of Workflow\/deploy-x7k2p \(RELEASE_API_TOKEN\) read the Secret \S+ in deploy-x7k2p-12345/,
      );
      expect(systems.revoked).toEqual([]);
      expect(waiting).toMatchObject({
        evidence: {
          newToken: { authorisationId: 102 },
          consumers: [{ workload: 'Workflow/deploy-x7k2p', pods: [] }],
          shortfalls: [{ code: 'no-pod-seen' }],
        },
      });
      await rotation.approve({ revoke: [101] }, 1);
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        revoked: [{ authorisationId: 101 }],
      });
    }, WATCHED(passing)));

  describe('where a pod reads the Secret after all, beside a holder outside', () => {
    /** The pod was seen: what comes next? Nothing may be issued. */
    const seenBeside = (
      alsoInCluster: boolean,
      then: (rotation: Rotation) => Promise<void>,
    ): Promise<void> => {
      const recipients: Recipient[] = [];
      const { prepare, ...options } = WATCHED(passing);
      return rotating(
        async (rotation) => {
          const { systems } = rotation;
          await disused(rotation);
          await rotation.awaitingApproval();
          systems.idle = [seen];
          systems.readerSeen(seen);
          await then(rotation);
          expect(systems.calls).not.toContain('createToken');
        },
        {
          ...options,
          settings: { ...options.settings, recipients },
          prepare: (systems) => {
            prepare(systems);
            const { email: apiUser } = systems.pair.apiUser;
            recipients.push({ name: 'HMRC', apiUser, key: 'age1made-up', alsoInCluster });
          },
        },
      );
    };

    test('nothing is issued for the holder before its plan is approved', () =>
      seenBeside(true, async (rotation) => {
        const { waiting } = await rotation.awaitingApproval(1);
        expect(waiting).toMatchObject({
          evidence: { asks: 'hand-over', recipient: { name: 'HMRC' } },
        });
      }));

    test('nothing is issued where nothing says that both hold it', () =>
      seenBeside(false, async (rotation) => void (await rotation.blocked('ReadInCluster'))));
  });

  test('a pair whose tokens somebody revoked before a pod reads the Secret gets none', () =>
    rotating(async (rotation) => {
      const { systems } = rotation;
      await disused(rotation);
      await rotation.awaitingApproval();
      systems.tokens = [];
      systems.readerSeen(seen);
      expect(await rotation.report()).toMatchObject({ outcome: 'nothing-to-do', revoked: [] });
      expect(systems.calls).not.toContain('createToken');
    }, WATCHED(passing)));

  test('a pod that reads the Secret after the revoke blocks once; a retry watches from then on', () =>
    rotating(
      async (rotation) => {
        const { systems } = rotation;
        await disused(rotation);
        await rotation.approve();
        await until('the wait for the renewal', async () => (await rotation.status()).renewalOver);
        systems.readerSeen(seen);
        systems.watchesReaders = false;
        const { message } = await rotation.blocked('StillInUse'); // at once, not after the night
        expect(message).toContain('deploy-x7k2p-12345');
        await rotation.send('retry', { by: BY });
        await rotation.passRenewal();
        expect(await rotation.report()).toMatchObject({
          outcome: 'revoked-disused',
          revoked: [{ authorisationId: 101 }],
        });
      },
      {
        settings: { disusedWatch: '3 days' },
        prepare: (systems) => {
          nobodyReads(systems);
          passing(systems);
        },
      },
    ));

  /**
   * Approves; at the look before the revoke, the watch tells something. Nothing may be revoked, and
   * what is asked next is returned.
   */
  async function approveAndTell(
    rotation: Rotation,
    told: Parameters<FakeSystems['readerSeen']>[0],
  ): Promise<Status> {
    const { systems } = rotation;
    await disused(rotation);
    await rotation.awaitingApproval();
    let looks = 0;
    systems.onCall = async (activity) => {
      if (activity !== 'lookAtConsumers' || looks++ > 0) return;
      systems.readerSeen(told);
      await until('the watch to have told it, before the look ends', () =>
        isTold(rotation, 'awaitReader'),
      );
    };
    await rotation.approve();
    const asked = await rotation.awaitingApproval(1);
    expect(systems.revoked).toEqual([]);
    return asked;
  }

  test('a pod that reads the Secret between approval and revoke keeps the token alive', () =>
    rotating(async (rotation) => {
      const { waiting } = await approveAndTell(rotation, seen);
      expect(waiting).toMatchObject({ evidence: { newToken: { authorisationId: 102 } } });
    }, WATCHED(passing)));

  test('a pod that reads another pair’s Secret is of no interest, and the watch goes on from there', () =>
    rotating(async (rotation) => {
      const { systems } = rotation;
      await disused(rotation);
      await rotation.awaitingApproval();
      systems.otherPairs = [seen.secret];
      systems.readerSeen(seen);
      await until('another watch', () => systems.watchOrders.length > 1 || undefined);
      expect(systems.watchOrders[1]).toMatchObject({
        ofOtherPairs: expect.arrayContaining([seen.secret]),
        version: seen.version,
      });
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'revoked-disused' });
    }, WATCHED(passing)));

  test('a watch that was interrupted between approval and revoke voids the approval', () =>
    rotating(async (rotation) => {
      const { notes } = await approveAndTell(rotation, {
        interrupted: new Date().toISOString(),
      });
      expect(notes.join()).toContain('pods that read the Secret were not watched all the time');
    }, WATCHED(passing)));

  test('a watch that was interrupted, since no worker ran, begins anew, and what is asked says so', () =>
    rotating(async (rotation) => {
      await disused(rotation);
      const before = (await rotation.awaitingApproval()).waiting;
      rotation.systems.readerSeen({ interrupted: new Date().toISOString() });
      const after = (await rotation.awaitingApproval(1)).waiting;
      if (before?.kind !== 'approval' || after?.kind !== 'approval')
        throw new Error('nothing is asked');
      const [was, is] = [before, after].map(({ evidence }) => Date.parse(evidence.watched!.since!));
      expect(is).toBeGreaterThan(was!);
      expect(after.evidence.shortfalls).toMatchObject([{ code: 'not-watched-long-enough' }]);
    }, WATCHED(passing)));

  test('where nobody could watch, evidence that a person has gathered anew is watched for from then on', () =>
    rotating(
      async (rotation) => {
        const { systems } = rotation;
        await disused(rotation);
        const what = async (after: number): Promise<string | undefined> => {
          const { waiting } = await rotation.awaitingApproval(after);
          return waiting?.kind === 'approval' ? waiting.evidence.shortfalls[0]?.what : undefined;
        };
        await until('it to say so', async () => (await what(0))?.endsWith('nobody watches'));
        systems.watchesReaders = true;
        const { waiting } = await rotation.status();
        const round = waiting?.kind === 'approval' ? waiting.evidence.round : 0;
        await rotation.send('retry', { by: BY });
        expect(await what(round)).toMatch(/^so far every pod of the namespace was watched for/);
      },
      WATCHED(() => undefined),
    ));

  test('where nobody can watch, the approval says so and why', () =>
    rotating(
      async (rotation) => {
        await disused(rotation);
        await until('what it asks to say so', async () => {
          const { waiting } = await rotation.awaitingApproval();
          const [shortfall] = waiting?.kind === 'approval' ? waiting.evidence.shortfalls : [];
          expect(shortfall?.code).toBe('not-watched-long-enough');
          return shortfall?.what === 'pods that come and go are not watched: nobody watches';
        });
      },
      WATCHED(() => undefined),
    ));
});
