import { expect, test } from '../support/jest.ts';
import { ApplicationFailure } from '@temporalio/common';
import type { FakeSystems } from '../support/fake-systems.ts';
import { until } from '../support/until.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating } = useTimeSkipping();
const NOTHING_SENT = { times: 5, details: ['not sent'] };

test('a running container that holds the old token at the last look keeps it alive, and is named', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.onSync = () => undefined;
    rotation.systems.containers[2]!.holds = 101;
    await rotation.approve();
    const { message } = await rotation.blocked('RolloutIncomplete');
    expect(message).toContain('worker in w-1 holds first101…last0101 (authorisation 101)');
    expect(rotation.systems.revoked).toEqual([]);
  }));

test('a terminating container that holds the old token counts until it is gone', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.onSync = () => undefined;
    rotation.systems.containers.push({
      ...rotation.systems.container('app', 'a-9'),
      terminating: true,
      holds: 101,
    });
    await rotation.approve();
    const { message } = await rotation.blocked('RolloutIncomplete');
    expect(message).toContain('app in a-9, terminating, holds first101');
    expect(rotation.systems.revoked).toEqual([]);
    rotation.systems.containers.pop();
    await rotation.send('retry', { by: 'grace@example.org' });
    await rotation.awaitingApproval(1);
    await rotation.approve();
    expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  }));

test('a one-off Job that starts after the evidence and holds the new token takes nothing from the approval, and is named', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    const { systems } = rotation;
    const job = {
      ...systems.container('app', 'migrate-1'),
      workload: 'Job/short-url-manager-dbmigrate' as const,
    };
    systems.containers.push(job);
    await rotation.approve();
    const report = await rotation.report();
    expect(report).toMatchObject({ outcome: 'rotated', approvals: [{}] });
    expect(report.notes).toContain(
      'app of Job/short-url-manager-dbmigrate (PUBLISHING_API_BEARER_TOKEN) started after the evidence was gathered, and holds the new token',
    );
  }));

test('a one-off Job that was called before the approval and has ended has nothing to lapse', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.awaitingApproval();
      await rotation.pass('61 minutes'); // longer than evidence holds for
      systems.containers = systems.containers.filter(({ pod }) => pod !== 'migrate-1');
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated', approvals: [{}] });
      expect((await rotation.status()).steps.find(({ name }) => name === 'revoke')?.note).toMatch(
        /revoked/,
      );
    },
    {
      prepare: (systems) => {
        systems.containers.push({
          ...systems.container('app', 'migrate-1'),
          workload: 'Job/short-url-manager-dbmigrate',
        });
      },
    },
  ));

test('a run of a CronJob that ends before the repeated smoke calls has nothing to lapse', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.awaitingApproval();
      await rotation.pass('61 minutes'); // longer than evidence holds for
      systems.onCall = (name) => {
        if (name === 'smokeConsumers')
          systems.containers = systems.containers.filter(({ pod }) => pod !== 'nightly-1');
      };
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated', approvals: [{}] });
    },
    {
      prepare: (systems) => {
        systems.containers.push({
          ...systems.container('app', 'nightly-1'),
          workload: 'CronJob/nightly',
        });
      },
    },
  ));

test('a pod of an Argo Workflow that holds the old token in the look before the revoke voids the approval, though it ends while another container starts', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    systems.elsewhere = [
      {
        ...systems.container('app', 'deploy-1'),
        workload: 'Workflow/deploy-1' as never,
        holds: 101,
      },
    ];
    systems.containers.push({ ...systems.container('app', 'a-3'), state: 'starting', holds: 102 });
    systems.onCall = (name) => {
      if (name !== 'awaitRollout') return;
      systems.elsewhere = [];
      for (const container of systems.containers) container.state = 'running';
    };
    await rotation.approve();
    const { waiting } = await rotation.awaitingApproval(1);
    expect(systems.revoked).toEqual([]);
    expect(waiting).toMatchObject({
      evidence: {
        shortfalls: [{ code: 'no-pod-seen', what: expect.stringContaining('Workflow/deploy-1') }],
      },
    });
  }));

test('new pods with the new token change nothing; a new consumer of which nothing runs asks anew', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    const extra = { ...rotation.systems.container('app', 'a-7') };
    rotation.systems.containers.push(extra);
    rotation.systems.idle = [{ ...extra, workload: 'Deployment/draft-short-url-manager' }];
    await rotation.approve();
    const { waiting } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({
      evidence: { consumers: [{ pods: ['a-1', 'a-2', 'a-7'] }, {}, {}] },
    });
    expect((await rotation.status()).notes.join()).toContain('a new consumer appeared');
    rotation.systems.containers.push({ ...extra, pod: 'a-8' });
    await rotation.approve();
    expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  }));

test('a container that does not start keeps the approval waiting, then blocks; retry goes on with the same approval', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.containers.push({
      ...rotation.systems.container('app', 'a-5'),
      state: 'starting',
    });
    await rotation.approve();
    const { step, message } = await rotation.blocked('RolloutIncomplete');
    expect({ step, message }).toEqual({ step: 'revoke', message: 'app in a-5 has not started' });
    rotation.systems.containers.pop();
    await rotation.send('retry', { by: 'grace@example.org' });
    expect(await rotation.report()).toMatchObject({ outcome: 'rotated', approvals: [{}] });
  }));

test('containers started after the sync with the old token bring one more sync, then block', () =>
  rotating(
    async (rotation) => {
      const { message } = await rotation.blocked('SecretNotUpdated');
      expect(message).toContain('app in a-1 holds first101…last0101');
      expect(rotation.systems.calls.filter((call) => call === 'createSyncJob')).toHaveLength(2);
      rotation.systems.onSync = () => rotation.systems.replaceAll();
      await rotation.send('retry', { by: 'grace@example.org' });
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        syncJobs: ['sync-1', 'sync-2', 'sync-3'],
      });
    },
    {
      prepare: (systems) => {
        for (const container of systems.containers) container.startedAt = '2020-01-03T00:00:00Z';
        systems.onSync = () => undefined;
      },
    },
  ));

test('pods that were simply not replaced bring no second sync', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('RolloutIncomplete');
      expect(rotation.systems.calls.filter((call) => call === 'createSyncJob')).toHaveLength(1);
    },
    { prepare: (systems) => (systems.onSync = () => undefined) },
  ));

test('a revoke whose answer was lost for good counts as this rotation’s own after retry', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      await rotation.blocked('RevokeNotSeen');
      await rotation.send('retry', { by: 'grace@example.org' });
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        revoked: [{ authorisationId: 101 }],
      });
    },
    { prepare: (systems) => systems.fail('revokeToken', 'RevokeNotSeen', { after: true }) },
  ));

/** The worker is away for three days when the look before the revoke is due. */
const lookTakesDays = (systems: FakeSystems): void =>
  systems.fail('lookAtConsumers', 'Unreachable', { nonRetryable: false, retriedAfter: '3 days' });

test('smoke calls that grew old while the look before the revoke took days are repeated before anything is revoked', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    const before = systems.calls.length;
    lookTakesDays(systems);
    await rotation.approve();
    await until('the look', () => systems.calls.slice(before).includes('lookAtConsumers'));
    await rotation.pass('4 days');
    await rotation.noted('revoke', /revoked/);
    const after = systems.calls.slice(before);
    expect(after).toContain('smokeConsumers');
    expect(after.indexOf('smokeConsumers')).toBeLessThan(after.indexOf('revokeToken'));
  }));

test('a consumer that is not ready to be called for a moment is waited for, and the approval kept', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    await rotation.pass('2 hours'); // its smoke calls are made again
    const worker = systems.containers.find(({ container }) => container === 'worker')!;
    worker.ready = false; // restarted in place
    systems.onCall = (name) => {
      if (name === 'awaitRollout') worker.ready = true;
    };
    await rotation.approve();
    const { outcome, notes } = await rotation.report();
    expect(outcome).toBe('rotated');
    expect(notes.join()).not.toContain('no longer holds');
  }));

test('what no longer passes after such a look voids the approval', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    const before = systems.calls.length;
    lookTakesDays(systems);
    await rotation.approve();
    await until('the look', () => systems.calls.slice(before).includes('lookAtConsumers'));
    systems.smoke = 'not-tested';
    await rotation.pass('4 days');
    await rotation.awaitingApproval(1);
    expect(systems.revoked).toEqual([]);
    expect((await rotation.status()).notes.join()).toContain(
      'smoke calls that passed no longer do',
    );
  }));

test('a revoke may be sent no later than its look and its smoke calls allow, by the clock of the activity that sends it', () =>
  rotating(
    async (rotation) => {
      const { waiting } = await rotation.awaitingApproval();
      await rotation.approve();
      await rotation.noted('revoke', /revoked/);
      const [notAfter] = rotation.systems.revokesNotAfter;
      const gatheredAt = waiting?.kind === 'approval' ? Date.parse(waiting.evidence.gatheredAt) : 0;
      expect(Date.parse(notAfter!) - gatheredAt).toBeLessThanOrEqual(60_000);
    },
    { settings: { evidenceHoldsFor: '1 minute' } },
  ));

test('a token that somebody else revoked meanwhile asks anew', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      rotation.systems.tokens = rotation.systems.tokens.filter(
        ({ authorisationId }) => authorisationId !== 100,
      );
      await rotation.approve({ revoke: [100, 101] });
      await rotation.awaitingApproval(1);
      expect(rotation.systems.revoked).toEqual([]);
      expect((await rotation.status()).notes.join()).toContain(
        '(authorisation 100) was revoked by somebody',
      );
    },
    {
      prepare: (systems) => {
        const [old] = systems.tokens;
        systems.tokens.unshift({
          ...systems.token(100, 0, 0),
          generated: old!.generated,
          expires: old!.expires,
        });
      },
    },
  ));

test('a failure after the revoke is an incident that blocks and says what to do', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      await rotation.passSoak();
      const { todo } = await rotation.blocked('ConfirmFailed');
      expect(todo).toContain('start a rotation of the pair with force');
      rotation.systems.smoke = 'passed';
      await rotation.send('retry', { by: 'grace@example.org' });
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        revoked: [{ authorisationId: 101 }],
      });
    },
    {
      prepare: (systems) => {
        systems.onCall = (name) => {
          if (name === 'revokeToken') systems.smoke = 'failed';
        };
      },
    },
  ));

/** Once the old token is revoked, this happens to the containers. */
const afterTheRevoke =
  (happens: (systems: FakeSystems) => void) =>
  (systems: FakeSystems): void => {
    systems.onCall = (name) => {
      if (name === 'lookAtConsumers' && systems.revoked.length > 0) happens(systems);
    };
  };
const UNCONFIRMED: [string, (systems: FakeSystems) => void, string, calls?: 'calls'][] = [
  [
    'start no more',
    ({ containers }) => containers.forEach((one) => (one.state = 'starting')),
    'app in a-1 has not started; app in a-2 has not started; worker in w-1 has not started',
  ],
  [
    'are ready no more',
    ({ containers }) => containers.forEach((one) => (one.ready = false)),
    'a smoke call that passed no longer does: app of Deployment/short-url-manager: no ready pod to call from',
    'calls',
  ],
  [
    'can make their call no more',
    (systems) => (systems.smoke = 'not-tested'),
    'a smoke call that passed no longer does: app of Deployment/short-url-manager: lookup_content_id not-tested',
    'calls',
  ],
];

test.each(UNCONFIRMED)(
  'containers that %s after the revoke are an incident, once the limit of a rollout is over',
  (_, happens, said, calls) =>
    rotating(
      async (rotation) => {
        await rotation.approve();
        if (calls) await rotation.passSoak();
        await rotation.noted('confirm', /^waits: /);
        await rotation.pass('61 minutes');
        const { message } = await rotation.blocked('ConfirmFailed');
        expect(message).toContain(said);
        expect(rotation.systems.revoked).toEqual([101]);
      },
      { prepare: afterTheRevoke(happens) },
    ),
);

test('containers that happen to start right after the revoke are waited for', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      await rotation.noted('confirm', /^waits: app in a-1 has not started/);
      rotation.systems.onCall = () => undefined;
      for (const container of rotation.systems.containers) container.state = 'running';
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        revoked: [{ authorisationId: 101 }],
      });
    },
    {
      prepare: afterTheRevoke(({ containers }) =>
        containers.forEach((one) => (one.state = 'starting')),
      ),
    },
  ));

test('a revoke that would come too late after its look looks again, and finds what changed', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      rotation.systems.onCall = (name) => {
        // somebody rolled back meanwhile
        if (name === 'revokeToken') rotation.systems.containers[0]!.holds = 101;
      };
      await rotation.approve();
      await rotation.awaitingApproval(1);
      expect(rotation.systems.revoked).toEqual([]);
      expect((await rotation.status()).notes.join()).toContain('app in a-1 holds first101');
    },
    { prepare: (systems) => systems.fail('revokeToken', 'LookTooOld') },
  ));

test('looks that grow too old again and again block in the end', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      expect(await rotation.blocked('LookTooOld')).toMatchObject({
        tokens: expect.stringMatching(/^Both tokens are live/), // nothing was sent
      });
      expect(rotation.systems.revoked).toEqual([]);
      await rotation.send('retry', { by: 'grace@example.org' });
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    },
    { prepare: (systems) => systems.fail('revokeToken', 'LookTooOld', NOTHING_SENT) },
  ));

test('what was revoked before another revoke failed is confirmed at once: a container that holds it is an incident', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.awaitingApproval();
      systems.onCall = (activity) => {
        if (activity !== 'revokeToken' || systems.revoked.length === 0) return;
        systems.containers[0]!.holds = 101; // it started with its node's old value
        throw ApplicationFailure.nonRetryable('its application was retired', 'CannotTell');
      };
      await rotation.approve();
      expect(await rotation.blocked('ConfirmFailed')).toMatchObject({
        step: 'revoke',
        message: expect.stringContaining('app in a-1 holds'),
      });
      expect(systems.revoked).toEqual([101]);
    },
    { prepare: (systems) => void systems.issueByHand(9) },
  ));

test('where an attempt before may have sent the revoke, the token is perhaps revoked', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      const { tokens } = await rotation.blocked('LookTooOld');
      expect(tokens).toContain('May be revoked, because Signon’s answer was lost: first101');
    },
    { prepare: (systems) => systems.fail('revokeToken', 'LookTooOld', { times: 5 }) },
  ));

test('a lost revoke under evidence that became void still counts, and is confirmed', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      await rotation.blocked('RevokeNotSeen');
      rotation.systems.containers.push({
        ...rotation.systems.containers[0]!,
        pod: 'x-1',
        workload: 'Deployment/draft-short-url-manager',
      });
      await rotation.send('retry', { by: 'grace@example.org' });
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        revoked: [{ authorisationId: 101 }],
      });
      expect(
        rotation.systems.calls.filter((call) => call === 'smokeConsumers').length,
      ).toBeGreaterThanOrEqual(2);
    },
    { prepare: (systems) => systems.fail('revokeToken', 'RevokeNotSeen', { after: true }) },
  ));

test('a workload that begins to mount the Secret as files while a person is waited for blocks', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.mountedBy = ['DaemonSet/collector'];
    await rotation.approve();
    expect((await rotation.blocked('SecretMountedAsFile')).message).toContain(
      'by DaemonSet/collector',
    );
    expect(rotation.systems.revoked).toEqual([]);
  }));

test('a Secret that was put back after the sync was skipped is synced once', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      expect(rotation.systems.calls.filter((call) => call === 'createSyncJob')).toHaveLength(1);
    },
    {
      prepare: (systems) => {
        const { authorisationId } = systems.issueByHand();
        for (const container of systems.containers) container.holds = authorisationId;
        systems.onCall = (name) => {
          if (name === 'awaitRollout' && !systems.calls.includes('createSyncJob'))
            systems.containers[0]!.holds = 101;
        };
      },
    },
  ));

test('a later token that appears between two revokes is proven afresh, and keeps nothing from being confirmed', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      rotation.systems.onCall = (name) => {
        if (name === 'revokeToken' && rotation.systems.revoked.length === 0)
          rotation.systems.issueByHand();
      };
      await rotation.approve({ revoke: [100, 101] });
      await rotation.pass('11 minutes');
      await rotation.awaitingApproval(1);
      expect(rotation.systems.revoked).toEqual([100]);
      expect(rotation.systems.containers.map(({ holds }) => holds)).toEqual([103, 103, 103]);
      await rotation.approve({ revoke: [101, 102] });
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        newToken: { authorisationId: 103 },
      });
    },
    {
      prepare: (systems) => {
        const [old] = systems.tokens;
        systems.tokens.unshift({
          ...systems.token(100, 0, 0),
          generated: old!.generated,
          expires: old!.expires,
        });
      },
    },
  ));

test('what was proven and is revoked by somebody before it is confirmed counts no more: that is an incident', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      const { systems } = rotation;
      let lists = 0;
      systems.onCall = (name) => {
        if (name === 'revokeToken' && systems.revoked.length === 0) systems.issueByHand();
        // The look that voids the approval still lists it; confirm does not.
        if (name === 'listTokens' && systems.revoked.length > 0 && ++lists === 2)
          systems.tokens = systems.tokens.filter(({ authorisationId }) => authorisationId !== 102);
      };
      await rotation.approve({ revoke: [100, 101] });
      const { message } = await rotation.blocked('ConfirmFailed');
      expect(message).toContain('app in a-1 holds first102');
    },
    {
      prepare: (systems) => {
        const [old] = systems.tokens;
        systems.tokens.unshift({
          ...systems.token(100, 0, 0),
          generated: old!.generated,
          expires: old!.expires,
        });
      },
    },
  ));
