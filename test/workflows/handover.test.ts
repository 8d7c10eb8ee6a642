import { expect, test } from '../support/jest.ts';
import type { RotationRequest } from '../../domain/request/request.ts';
import type { FakeSystems } from '../support/fake-systems.ts';
import type { Rotation } from '../support/rotations.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating } = useTimeSkipping();
const BY = 'grace@example.org';
const KEY = 'age1made-up';
const HMRC = { name: 'HMRC', key: KEY, alsoInCluster: false };

interface Given {
  request?: Partial<RotationRequest>;
  prepare?: (systems: FakeSystems) => void;
  recipient?: Partial<typeof HMRC>;
  serves?: RotationRequest['environment'];
}

/**
 * A rotation of a pair that the settings name HMRC for; no container reads its Secret unless told
 * otherwise.
 */
const outside = (
  drive: (rotation: Rotation) => Promise<void>,
  { request, prepare, recipient, ...more }: Given = {},
): Promise<void> => {
  const settings: { recipients: (typeof HMRC & { apiUser: string })[] } = { recipients: [] };
  return rotating(drive, {
    ...more,
    request: { recipient: 'HMRC', ...request },
    settings,
    prepare: (systems) => {
      systems.containers = [];
      settings.recipients.push({ ...HMRC, ...recipient, apiUser: systems.pair.apiUser.email });
      prepare?.(systems);
    },
  });
};
const inProduction: Given = {
  request: { environment: 'production' },
  serves: 'production',
  prepare: (systems) => {
    systems.environment = 'production';
  },
};

test('the plan is approved first, the token is encrypted where it was received, and its holder’s confirmation takes the place of pods', () =>
  outside(async (rotation) => {
    const { systems } = rotation;
    const plan = await rotation.awaitingApproval();
    expect(plan.waiting).toMatchObject({
      evidence: { asks: 'hand-over', toRevoke: [], recipient: { name: 'HMRC', key: KEY } },
    });
    expect(systems.calls).not.toContain('createToken');
    await rotation.approve();
    const { waiting, handOver } = await rotation.awaitingApproval(1);
    expect(handOver).toEqual({
      recipient: 'HMRC',
      authorisationId: 102,
      masked: 'first102…last0102',
      armoured: `ciphertext of first102…last0102 for ${KEY}`,
    });
    expect(waiting).toMatchObject({
      evidence: {
        asks: 'revoke',
        toRevoke: [{ authorisationId: 101, standing: 'holder-unknown' }],
        consumers: [],
        shortfalls: [{ code: 'consumer-confirmed' }],
      },
    });
    expect(await rotation.details()).toContain(`ciphertext of first102…last0102 for ${KEY}`);
    await rotation.approve({ accept: undefined });
    await rotation.answered(/in accept: consumer-confirmed/);
    expect(systems.revoked).toEqual([]);
    await rotation.approve({}, 1);
    const report = await rotation.report();
    expect(report).toMatchObject({
      outcome: 'handed-over',
      revoked: [{ authorisationId: 101 }],
      handOver: { recipient: 'HMRC', authorisationId: 102 },
      approvals: [{ asks: 'hand-over' }, { asks: 'revoke' }],
      syncJobs: [],
    });
  }));

test('a person who says that an outside holder has the token leads there too', () =>
  outside(
    async (rotation) => {
      expect(await rotation.awaitingClassification()).toMatchObject({ recipient: 'HMRC' });
      await rotation.send('classify', { by: BY, as: 'external', recipient: 'HMRC' });
      expect((await rotation.awaitingApproval()).waiting).toMatchObject({
        evidence: { asks: 'hand-over' },
      });
    },
    { request: { recipient: undefined } },
  ));

test('a rejected plan issues nothing', () =>
  outside(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.send('reject', { by: BY, reason: 'wrong key' });
    expect(await rotation.report()).toMatchObject({
      outcome: 'rejected',
      why: expect.stringMatching(/No token was issued/),
    });
    expect(rotation.systems.calls).not.toContain('createToken');
  }));

test('production wants a second person for the plan as well', () =>
  outside(async (rotation) => {
    await rotation.approve({ by: 'ada@example.org' });
    await rotation.answered(/production needs a second person/);
    expect(rotation.systems.calls).not.toContain('createToken');
  }, inProduction));

test('the code of the plan approves no revoke', () =>
  outside(async (rotation) => {
    const { code } = await rotation.awaitingApproval();
    await rotation.approve();
    await rotation.awaitingApproval(1);
    await rotation.send('approve', {
      by: BY,
      evidence: code,
      revoke: [101],
      accept: ['consumer-confirmed'],
    });
    await rotation.answered(/not the code of this evidence/);
    expect(rotation.systems.revoked).toEqual([]);
  }));

test('a plan that was approved is not asked again where the look after it could not be had', () =>
  outside(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    systems.fail('lookAtConsumers', 'Unreachable');
    await rotation.approve();
    await rotation.blocked('Unreachable');
    await rotation.send('retry', { by: 'ada@example.org' });
    const { waiting } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({ evidence: { asks: 'revoke' } });
    expect(systems.calls.filter((call) => call === 'createToken')).toHaveLength(1);
  }));

test('a token whose value was lost cannot be handed over: a person is asked, and another is issued under the same plan', () =>
  outside(async (rotation) => {
    const { systems } = rotation;
    systems.fail('createToken', 'CreateAnswerLost', { after: true, nonRetryable: false });
    await rotation.approve();
    await rotation.pass('3 minutes'); // Signon's request limit
    const { message } = await rotation.blocked('CannotHandOver');
    expect(message).toMatch(/first102…last0102 \(authorisation 102\)/);
    await rotation.send('retry', { by: BY, accept: ['unlisted-token'] });
    await rotation.answered(/expected one of already-handed-over, issue-another/);
    await rotation.send('retry', { by: BY, accept: ['issue-another'] });
    const { waiting, handOver } = await rotation.awaitingApproval(1);
    expect(handOver).toMatchObject({ authorisationId: 103 });
    expect(waiting).toMatchObject({
      evidence: { asks: 'revoke', toRevoke: [{ authorisationId: 101 }, { authorisationId: 102 }] },
    });
  }));

test('an adopted token is not handed over: its holder may have it already, as a person says', () =>
  outside(
    async (rotation) => {
      await rotation.blocked('CannotHandOver');
      await rotation.send('retry', { by: BY, accept: ['already-handed-over'] });
      const { waiting, handOver } = await rotation.awaitingApproval();
      expect(handOver).toBeUndefined();
      expect(waiting).toMatchObject({
        evidence: { asks: 'revoke', newToken: { authorisationId: 102 } },
      });
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'handed-over',
        origin: 'adopted',
        why: expect.stringContaining('HMRC uses the new token'),
      });
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    { prepare: (systems) => void systems.issueByHand() },
  ));

test('instead of an adopted token another is issued, once the plan is approved', () =>
  outside(
    async (rotation) => {
      await rotation.blocked('CannotHandOver');
      await rotation.send('retry', { by: BY, accept: ['issue-another'] });
      expect((await rotation.awaitingApproval()).waiting).toMatchObject({
        evidence: { asks: 'hand-over' },
      });
      expect(rotation.systems.calls).not.toContain('createToken');
      await rotation.approve();
      expect(await rotation.awaitingApproval(1)).toMatchObject({
        handOver: { authorisationId: 103 },
      });
    },
    { prepare: (systems) => void systems.issueByHand() },
  ));

test('a token that containers read is not handed over', () =>
  outside(
    async (rotation) => {
      const { message } = await rotation.blocked('ReadInCluster');
      expect(message).toMatch(
        /Deployment\/short-url-manager read a token of \S+, whose holder is HMRC/,
      );
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    { prepare: (systems) => void systems.containers.push(systems.container('app', 'a-9')) },
  ));

test('a workload that begins to read the Secret while its holder is waited for keeps the old token alive', () =>
  outside(async (rotation) => {
    const { systems } = rotation;
    await rotation.approve();
    await rotation.awaitingApproval(1);
    systems.containers.push({ ...systems.container('app', 'a-9'), holds: 102 });
    await rotation.approve({}, 1);
    await rotation.blocked('ReadInCluster');
    expect(systems.revoked).toEqual([]);
  }));

test('an API user with pods and an outside holder needs both proofs', () =>
  outside(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.approve();
      const { waiting } = await rotation.awaitingApproval(1);
      expect(waiting).toMatchObject({
        evidence: {
          consumers: [{ workload: 'Deployment/short-url-manager', smoke: 'passed' }],
          shortfalls: [{ code: 'consumer-confirmed' }],
        },
      });
      expect(systems.calls).toContain('awaitSyncJob');
      await rotation.approve({ accept: undefined }, 1);
      await rotation.answered(/in accept: consumer-confirmed/);
      await rotation.approve({}, 1);
      expect(await rotation.report()).toMatchObject({
        outcome: 'handed-over',
        why: expect.stringMatching(/every consumer in the cluster holds it/),
      });
    },
    {
      request: { recipient: undefined },
      recipient: { alsoInCluster: true },
      prepare: (systems) => void systems.containers.push(systems.container('app', 'a-9')),
    },
  ));

test('a recipient that the settings do not name blocks before anything is issued', () =>
  outside(
    async (rotation) => {
      const { message } = await rotation.blocked('UnknownRecipient');
      expect(message).toMatch(/the settings name no recipient “DWP”/);
      expect(rotation.systems.calls).not.toContain('createToken');
    },
    { request: { recipient: 'DWP' } },
  ));

test('a later token that somebody issues is not taken for handed over', () =>
  outside(async (rotation) => {
    await rotation.approve();
    await rotation.awaitingApproval(1);
    rotation.systems.issueByHand(740);
    await rotation.approve({}, 1);
    const { message } = await rotation.blocked('CannotHandOver');
    expect(message).toMatch(/authorisation 103/);
    expect(rotation.systems.revoked).toEqual([]);
  }));

test('its holder is asked after every day until somebody decides; a token that ends meanwhile needs no revoke', () =>
  outside(async (rotation) => {
    await rotation.approve();
    await rotation.awaitingApproval(1);
    const report = await rotation.report();
    expect(report).toMatchObject({
      outcome: 'handed-over',
      why: 'the new token was issued for HMRC, who has not confirmed that they use it, and no older one is live: it expired, or somebody revoked it',
      revoked: [],
      handOver: { authorisationId: 102 },
    });
    expect(await rotation.details()).toContain('ciphertext');
    const reminders = rotation.systems.notices.filter(({ kind }) => kind === 'reminder');
    expect(reminders.length).toBeGreaterThan(8);
    expect(reminders.at(-1)?.text).toMatch(
      /HMRC was to be handed a token: ask whether they use it/,
    );
  }));

test('a workload that begins to read the Secret while the plan is waited for: nothing is issued', () =>
  outside(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    systems.containers.push(systems.container('app', 'a-9'));
    await rotation.approve();
    await rotation.blocked('ReadInCluster');
    expect(systems.calls).not.toContain('createToken');
  }));

test('of two answers to one question the first counts, and none is kept for a later question', () =>
  outside(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.blocked('CannotHandOver');
      await rotation.send('retry', { by: BY, accept: ['already-handed-over'] });
      await rotation.send('retry', { by: BY, accept: ['issue-another'] });
      // Why depends on how far the first has led: to another step, or to the approval.
      await rotation.answered(/retry not accepted/);
      systems.issueByHand(760);
      await rotation.approve();
      await rotation.blocked('CannotHandOver');
      expect(systems.calls).not.toContain('createToken');
    },
    { prepare: (systems) => void systems.issueByHand() },
  ));

test('a pod that nothing lists, and that may not read what goes outside, is not left to the next rotation: whoever starts that has mended it', () =>
  outside(
    async (rotation) => {
      await rotation.approve();
      await rotation.blocked('RolloutIncomplete');
      await rotation.send('abort', { by: BY, reason: 'the pod was a mistake' });
      const { remembered } = await rotation.report();
      expect(remembered).toMatchObject({ also: [] });
      expect(remembered!.passing ?? []).toEqual([]);
    },
    {
      prepare: (systems) => {
        const pod = systems.container('app', 'deploy-1');
        systems.onCall = (activity) => {
          const isThere = activity === 'awaitRollout';
          const main = { ...pod, workload: 'Workflow/deploy-1' as never, holds: 101 };
          systems.elsewhere = isThere ? [main] : [];
        };
      },
    },
  ));

test('nor does one that an earlier rotation saw block it, where the settings say by now that only a holder outside has the token', () =>
  outside(
    async (rotation) => {
      const { waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({ evidence: { asks: 'hand-over' } });
    },
    {
      prepare: (systems) => {
        const gone = { workload: 'Workflow/deploy-1' as never, container: 'main', variable: 'T' };
        systems.remembered = { givenUp: [], also: [], passing: [gone] };
      },
    },
  ));
