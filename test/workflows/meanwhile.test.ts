import { expect, test } from '../support/jest.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating } = useTimeSkipping();
const BY = 'grace@example.org';

test('a later token that the sync wrote is the new one: the rollout waits for it, and the report names all', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    systems.onCall = (activity) => {
      if (activity !== 'createSyncJob' || systems.tokens.length > 2) return;
      systems.issueByHand();
    };
    const { waiting } = await rotation.awaitingApproval();
    expect(waiting).toMatchObject({
      evidence: {
        newToken: { authorisationId: 103 },
        toRevoke: [{ authorisationId: 101 }, { authorisationId: 102 }],
      },
    });
    await rotation.approve({ revoke: [101, 102] });
    await rotation.passSoak();
    expect(await rotation.report()).toMatchObject({
      outcome: 'rotated',
      newToken: { authorisationId: 103 },
      revoked: [{ authorisationId: 101 }, { authorisationId: 102 }],
      alive: [{ authorisationId: 103 }],
    });
  }));

test('a later token that appears while the rollout is blocked is waited for after a retry', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    systems.onSync = () => undefined;
    await rotation.blocked('RolloutIncomplete');
    systems.issueByHand();
    systems.onSync = () => systems.replaceAll();
    await rotation.send('retry', { by: BY });
    const { waiting } = await rotation.awaitingApproval();
    expect(waiting).toMatchObject({ evidence: { newToken: { authorisationId: 103 } } });
  }));

test('after the revoke, containers that hold a later token which the sync wrote are no incident', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.approve();
    await rotation.passSoak(() => {
      const later = systems.issueByHand();
      for (const container of systems.containers) container.holds = later.authorisationId;
    });
    const { waiting } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({
      evidence: {
        newToken: { authorisationId: 103 },
        toRevoke: [{ authorisationId: 102, standing: 'given-up' }],
      },
    });
  }));

test('a later token that appears during the soak is proven before the rotation ends', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.approve();
    await rotation.passSoak(() => void systems.issueByHand());
    const { waiting } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({
      evidence: {
        newToken: { authorisationId: 103 },
        toRevoke: [{ authorisationId: 102, standing: 'given-up' }],
      },
    });
    await rotation.approve({}, 1);
    await rotation.passSoak();
    expect(await rotation.report()).toMatchObject({
      outcome: 'rotated',
      alive: [{ authorisationId: 103 }],
    });
  }));

test('a revoked token that Signon lists again, as after a copy, is revoked again', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    const [old] = systems.tokens;
    await rotation.approve();
    await rotation.passSoak(() => void systems.tokens.push(old!));
    await rotation.approve({ revoke: [101] }, 1);
    await rotation.passSoak();
    expect(await rotation.report()).toMatchObject({
      outcome: 'rotated',
      alive: [{ authorisationId: 102 }],
    });
    expect(systems.revoked).toEqual([101, 101]);
  }));

test('a new token that somebody revokes during the soak ends no rotation', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.approve();
    await rotation.passSoak(() => {
      systems.tokens = [];
    });
    expect(await rotation.blocked('NewTokenGone')).toMatchObject({ step: 'confirm' });
  }));

test('whoever held a token at the rollout is known when a later one has taken its place', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    const later = systems.issueByHand();
    for (const container of systems.containers) container.holds = later.authorisationId;
    await rotation.send('retry', { by: BY });
    const { waiting } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({
      evidence: {
        toRevoke: [
          { authorisationId: 101, standing: 'given-up' },
          { authorisationId: 102, standing: 'given-up' },
        ],
      },
    });
  }));

test('a call that fails after the revoke, and passed none before, is no incident', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.approve({ accept: ['not-smoke-tested'] });
      await rotation.passSoak(() => {
        systems.smoke = 'failed';
      });
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    },
    { prepare: (systems) => (systems.smoke = 'no-proof') },
  ));

test('another pair’s Secret that a workload begins to read takes nothing from an approval', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    systems.otherSecrets = ['signon-token-another-application'];
    systems.otherPairs = systems.otherSecrets;
    await rotation.approve();
    expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    expect(await rotation.status()).toMatchObject({ notes: expect.not.arrayContaining([/void/]) });
  }));

test('evidence that follows a blocked smoke call shows what runs after the retry', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    systems.smoke = 'failed';
    await rotation.blocked('SmokeFailed');
    await rotation.pass('121 hours');
    systems.smoke = 'passed';
    let smokeWhileRollingOut: string | undefined;
    systems.onCall = async (activity) => {
      if (activity !== 'awaitRollout') return;
      const { steps } = await rotation.status();
      smokeWhileRollingOut = steps.find(({ name }) => name === 'smoke')?.state;
    };
    systems.idle = systems.containers.filter(({ container }) => container === 'worker');
    systems.containers = systems.containers.filter(({ container }) => container === 'app');
    await rotation.send('retry', { by: BY });
    const { waiting } = await rotation.awaitingApproval();
    if (waiting?.kind !== 'approval') throw new Error('nothing is asked');
    const { evidence } = waiting;
    expect(smokeWhileRollingOut).toBe('to come');
    expect(evidence.shortfalls).toMatchObject([{ code: 'no-pod-seen' }]);
    const age = Date.parse(waiting.since) - Date.parse(evidence.gatheredAt);
    expect(age).toBeLessThan(3_600_000);
  }));

test('a container that cannot be asked and is older than the new token is waited for; a restart replaces it', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      const { message } = await rotation.blocked('RolloutIncomplete');
      expect(message).toBe(
        'app in router-1 may have started before the Secret held the new token, and has neither a shell with sha256sum nor Ruby',
      );
      systems.mute = systems.mute.map((one) => ({
        ...one,
        pod: 'router-2',
        startedAt: '2999-01-01T00:00:00Z',
      }));
      await rotation.send('retry', { by: BY });
      await rotation.approve({ accept: ['not-asked', 'not-smoke-tested'] });
      await rotation.passSoak();
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        why: '2 of 3 consumers hold the new token (others: 1 that could not be asked), and the old one is revoked',
      });
    },
    {
      prepare: (systems) => {
        systems.mute = [
          {
            ...systems.container('app', 'router-1'),
            workload: 'Deployment/router',
            unable: 'has neither a shell with sha256sum nor Ruby',
          },
        ];
      },
    },
  ));

test('a container that cannot be asked and started while the rotation was blocked has an older token, if that was before the sync', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    const { name, email } = systems.pair.apiUser;
    systems.pair.apiUser.suspended = true;
    await rotation.blocked('ApiUserSuspended');
    await rotation.pass('49 hours');
    systems.mute = [
      {
        ...systems.container('app', 'router-1'),
        workload: 'Deployment/router',
        startedAt: '2020-01-01T23:59:59Z', // before the sync
        unable: 'has neither a shell with sha256sum nor Ruby',
      },
    ];
    systems.pair.apiUser = { ...systems.pair.apiUser, name, email, suspended: false };
    await rotation.send('retry', { by: BY });
    const { message } = await rotation.blocked('RolloutIncomplete');
    expect(message).toContain(
      'app in router-1 may have started before the Secret held the new token',
    );
  }));

test('a new token that somebody revoked while the rollout was blocked ends no rotation, though the old one has ended', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    systems.onSync = () => undefined;
    await rotation.blocked('RolloutIncomplete');
    await rotation.pass('289 hours'); // the old token has ended
    systems.tokens = systems.tokens.filter(({ authorisationId }) => authorisationId !== 102);
    systems.replaceAll();
    await rotation.send('retry', { by: BY });
    await rotation.blocked('NewTokenGone');
  }));
