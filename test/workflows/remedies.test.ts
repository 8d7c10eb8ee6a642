import { expect, test } from '../support/jest.ts';
import type { FakeSystems } from '../support/fake-systems.ts';
import { until } from '../support/until.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating } = useTimeSkipping();
const BY = { by: 'grace@example.org' };

/** Only the worker Deployment is not replaced after a sync. */
function overlooked(systems: FakeSystems): void {
  systems.onSync = () => {
    const before = systems.containers.map(({ holds }) => holds);
    systems.replaceAll();
    systems.containers.forEach((container, at) => {
      if (container.container === 'worker') container.holds = before[at]!;
    });
  };
}

test('pods that were simply not replaced: no second sync; the workloads are named, and a restart of exactly these is offered', () =>
  rotating(
    async (rotation) => {
      const blocked = await rotation.blocked('RolloutIncomplete');
      expect(blocked).toMatchObject({
        step: 'roll out',
        workloads: ['Deployment/short-url-manager-worker'],
      });
      expect(blocked.message).toContain('worker in w-1 holds first101…last0101');
      expect(rotation.systems.calls.filter((call) => call === 'createSyncJob')).toHaveLength(1);
      const details = await rotation.details();
      expect(details).toContain('"restart": true');
      expect(details).toContain('"sync": true');
      await rotation.send('retry', { ...BY, restart: true });
      await rotation.approve();
      const report = await rotation.report();
      expect(report).toMatchObject({ outcome: 'rotated', syncJobs: ['sync-1'] });
      expect(rotation.systems.restarted).toEqual(['Deployment/short-url-manager-worker']);
      expect(report.notes.join()).toContain('restarting Deployment/short-url-manager-worker');
    },
    { prepare: overlooked },
  ));

/** After the sync every container is new; the worker's got the Secret's old value from its node. */
function stale(systems: FakeSystems): void {
  systems.onSync = () => {
    systems.replaceAll();
    for (const container of systems.containers) container.startedAt = '2020-01-03T00:00:00Z';
    systems.containers.find(({ container }) => container === 'worker')!.holds = 101;
  };
}

test('a container that got the Secret’s old value from its node is named at once, without a second sync, and a restart is offered', () =>
  rotating(
    async (rotation) => {
      const blocked = await rotation.blocked('RolloutIncomplete');
      expect(blocked).toMatchObject({
        step: 'roll out',
        workloads: ['Deployment/short-url-manager-worker'],
      });
      expect(blocked.message).toMatch(
        /^started with the Secret’s old value, which their nodes had kept: worker in w-1 holds/,
      );
      expect(rotation.systems.calls.filter((call) => call === 'createSyncJob')).toHaveLength(1);
      await rotation.send('retry', { ...BY, restart: true });
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated', syncJobs: ['sync-1'] });
    },
    { prepare: stale },
  ));

test('where the role may not restart, no restart is offered, one is refused, and the page says how people do it', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('RolloutIncomplete');
      const details = await rotation.details();
      expect(details).not.toContain('"restart":true');
      expect(details).toContain('kubectl rollout restart deployment/short-url-manager-worker');
      await rotation.send('retry', { ...BY, restart: true });
      await rotation.answered(/restart: it is not offered here/);
      expect(rotation.systems.restarted).toEqual([]);
    },
    { prepare: overlooked, settings: { mayRestart: false } },
  ));

test('a restart is done once: the retry after it is a plain one again', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('RolloutIncomplete');
      rotation.systems.fail('awaitRollout', 'ExecIncomplete');
      await rotation.send('retry', { ...BY, restart: true });
      await rotation.blocked('ExecIncomplete');
      await rotation.send('retry', BY);
      await rotation.awaitingApproval();
      expect(rotation.systems.restarted).toHaveLength(1);
    },
    { prepare: overlooked },
  ));

test('retry with sync makes another Job before it looks again', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('RolloutIncomplete');
      rotation.systems.onSync = () => rotation.systems.replaceAll();
      await rotation.send('retry', { ...BY, sync: true });
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        syncJobs: ['sync-1', 'sync-2'],
      });
      expect(rotation.systems.restarted).toEqual([]);
    },
    { prepare: overlooked },
  ));

test('a role that does not allow restarting blocks, naming the right; the plain retry still goes on', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('RolloutIncomplete');
      rotation.systems.fail('restartDeployments', 'NotPermitted');
      await rotation.send('retry', { ...BY, restart: true });
      expect(await rotation.blocked('NotPermitted')).toMatchObject({ step: 'roll out' });
      rotation.systems.replaceAll();
      await rotation.send('retry', BY);
      await rotation.awaitingApproval();
    },
    { prepare: overlooked },
  ));

test('after a revoke, an incident may be mended by restarting what holds another token', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.onCall = (name) => {
      if (name === 'revokeToken') rotation.systems.containers[2]!.holds = 101;
    };
    await rotation.approve();
    expect(await rotation.blocked('ConfirmFailed')).toMatchObject({
      workloads: ['Deployment/short-url-manager-worker'],
    });
    await rotation.send('retry', { ...BY, restart: true });
    expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    expect(rotation.systems.restarted).toEqual(['Deployment/short-url-manager-worker']);
  }));

test.each([
  [{ restart: true }, /restart: it is not offered here/],
  [{ sync: true }, /sync: another sync Job would not help here/],
  [{ restart: 'yes' }, /restart: expected true or false/],
])('what is not on offer is refused: retry %j', (remedy, why) =>
  rotating(
    async (rotation) => {
      await rotation.blocked('UnknownApiUser');
      await rotation.send('retry', { ...BY, ...remedy });
      await rotation.answered(why);
      expect((await rotation.status()).waiting).toMatchObject({ kind: 'blocked', tries: 1 });
    },
    { prepare: (systems) => systems.fail('findPair', 'UnknownApiUser') },
  ),
);

test('after a retry, a rollout is judged by the last sync, not by one that was shown to bring nothing', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.blocked('RolloutIncomplete');
      await rotation.send('retry', BY);
      await until('another wait', () => systems.rolloutsAfter.length > 2 || undefined);
      expect(systems.rolloutsAfter.slice(0, 3)).toEqual(['sync-1', 'sync-2', 'sync-2']);
    },
    {
      prepare: (systems) => {
        systems.onSync = () => {
          const isFirst = !systems.calls.includes('awaitRollout');
          systems.replaceAll();
          for (const one of systems.containers)
            if (isFirst || one.container === 'worker') one.holds = 101;
          if (!isFirst) systems.containers.at(-1)!.startedAt = '2020-01-01T00:00:00Z';
        };
      },
    },
  ));

test('a sync Job that was deleted before its end was seen does not count where nothing else shows that the Secret has the token: another is made', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.awaitingApproval();
      expect(systems.rolloutsAfter).toEqual(['sync-1', 'sync-2']);
    },
    {
      prepare: (systems) => {
        systems.idle = systems.containers.splice(0);
        systems.unseenEnds = 1;
      },
    },
  ));

test('where a container got the token from the Secret, it does', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.awaitingApproval();
      expect(systems.rolloutsAfter).toEqual(['sync-1']);
    },
    { prepare: (systems) => void (systems.unseenEnds = 1) },
  ));

test('a rollout that is waited for, after an unseen end, is no reason for another sync once its answer says since when the Secret had the token, as the version before always did', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.blocked('RolloutIncomplete');
      expect(systems.rolloutsAfter).toEqual(['sync-1']);
    },
    {
      prepare: (systems) => {
        systems.unseenEnds = 1;
        systems.onSync = () => {
          systems.replaceAll();
          systems.containers.at(-1)!.holds = 101;
          systems.containers.at(-1)!.startedAt = '2020-01-01T00:00:00Z';
        };
      },
    },
  ));
