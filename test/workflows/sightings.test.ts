import { describe, expect, test } from '../support/jest.ts';
import type { Consumer } from '../../domain/cluster/cluster.ts';
import type { FakeSystems } from '../support/fake-systems.ts';
import { gate } from '../support/gate.ts';
import type { Rotation } from '../support/rotations.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';

const { rotating } = useTimeSkipping();
const TASK: Consumer = {
  workload: 'CronJob/short-url-manager-task-1',
  container: 'cron-task',
  variable: 'PUBLISHING_API_BEARER_TOKEN',
};
const withTask = {
  prepare: (systems: FakeSystems): void => {
    systems.idle = [TASK];
    systems.watched = true;
  },
};
const watched = (systems: FakeSystems): Promise<true> =>
  until('somebody to look out for runs', () => systems.isWatched || undefined);

test('a CronJob’s next run, seen while a person is asked, shows that it holds the new token: it need not be accepted any more', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    const first = await rotation.awaitingApproval();
    expect(first.waiting).toMatchObject({ evidence: { shortfalls: [{ code: 'no-pod-seen' }] } });
    await watched(systems);
    systems.runOf(TASK);
    const { waiting } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({ evidence: { round: 2, shortfalls: [] } });
    if (waiting?.kind !== 'approval') throw new Error('nothing waits for approval');
    expect(waiting.evidence.consumers.at(-1)).toMatchObject({
      ...TASK,
      pods: ['run-1'],
      smoke: 'passed',
    });
    expect(await rotation.details()).toMatch(/✓ last run held it/);
    await rotation.approve({}, 1);
    expect(await rotation.report()).toMatchObject({ outcome: 'rotated', syncJobs: ['sync-1'] });
  }, withTask));

test('a run that held another token than the new one brings one more sync; another such run blocks, and is named', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    await watched(systems);
    systems.runOf(TASK, 101);
    const { waiting, notes } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({ evidence: { shortfalls: [{ code: 'no-pod-seen' }] } });
    expect(notes).toContainEqual(
      expect.stringMatching(
        /^A later run does not hold the new token: cron-task in run-1 holds first101…last0101/,
      ),
    );
    expect(systems.calls.filter((call) => call === 'createSyncJob')).toHaveLength(2);
    if (waiting?.kind !== 'approval') throw new Error('nothing waits for approval');
    expect(waiting.evidence.shortfalls[0]!.what).toMatch(/its last run, .*, held another token/);
    await watched(systems);
    systems.runOf(TASK, 101);
    const { message, workloads } = await rotation.blocked('SecretNotUpdated');
    expect(message).toMatch(/after another sync: cron-task in run-1 holds first101…last0101/);
    expect(workloads).toEqual([TASK.workload]);
    await rotation.send('retry', { by: 'grace@example.org' });
    await rotation.awaitingApproval(2);
    expect(systems.calls.filter((call) => call === 'createSyncJob')).toHaveLength(2);
  }, withTask));

test('a rotation that is stopped while it looks out for a run ends at once', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await watched(rotation.systems);
    await rotation.send('abort', { by: 'grace@example.org', reason: 'enough' });
    await rotation.ended();
    expect(await rotation.report()).toMatchObject({ outcome: 'aborted' });
  }, withTask));

test('where nobody can look out, the person who approves accepts what was not seen, as before', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    },
    { prepare: (systems) => void (systems.idle = [TASK]) },
  ));

test('a token that a CronJob held when last seen is not given up: it must be named', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.awaitingApproval();
      await watched(systems);
      systems.runOf(TASK, 101);
      const { waiting } = await rotation.awaitingApproval(1);
      expect(waiting).toMatchObject({
        evidence: { toRevoke: [{ authorisationId: 101, standing: 'holder-unknown' }] },
      });
      await rotation.approve({ revoke: undefined }, 1);
      await rotation.answered(/no token is proven unused/);
      await watched(systems);
      systems.runOf(TASK, 102);
      const again = await rotation.awaitingApproval(2);
      expect(again.waiting).toMatchObject({
        evidence: { toRevoke: [{ standing: 'given-up' }], shortfalls: [] },
      });
      expect(systems.revoked).toEqual([]);
    },
    {
      prepare: (systems) => {
        withTask.prepare(systems);
        systems.containers = [];
      },
    },
  ));

test('a later run that a look shows with another token outweighs the one that was sighted', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    await watched(systems);
    systems.runOf(TASK);
    await rotation.awaitingApproval(1);
    const run = { ...systems.container('app', 'run-2'), ...TASK, holds: 101 };
    const { containers } = systems;
    systems.onCall = (activity) => {
      if (activity === 'lookAtConsumers' && !systems.containers.includes(run))
        systems.containers = [...containers, run];
      else systems.containers = containers;
    };
    await rotation.approve({}, 1);
    const { waiting } = await rotation.awaitingApproval(2);
    expect(waiting).toMatchObject({
      evidence: {
        toRevoke: [{ standing: 'holder-unknown', heldBy: ['cron-task in run-2'] }],
        shortfalls: [
          { code: 'no-pod-seen', what: expect.stringContaining('held another token than') },
        ],
      },
    });
    expect(systems.revoked).toEqual([]);
  }, withTask));

test('a run that is seen while an approval is judged voids that approval', () => {
  const judging = gate();
  return rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    await watched(systems);
    systems.onCall = (activity) => (activity === 'judge' ? judging.stop() : undefined);
    await rotation.approve();
    await judging.reached;
    systems.runOf(TASK, 101);
    await until(
      'it to be known',
      async () =>
        (await rotation.status()).notes.some((note) => note.startsWith('A later run')) || undefined,
    );
    judging.open();
    await rotation.answered(/the evidence has changed meanwhile/);
    await rotation.awaitingApproval(1);
    expect(systems.revoked).toEqual([]);
  }, withTask);
});

describe('once the first of two people has approved', () => {
  const OTHER: Consumer = { ...TASK, workload: 'CronJob/short-url-manager-task-2' };
  const approved = (drive: (rotation: Rotation) => Promise<void>): Promise<void> =>
    rotating(
      async (rotation) => {
        await rotation.awaitingApproval();
        await watched(rotation.systems);
        await rotation.approve({ by: 'grace@example.org', accept: ['no-pod-seen'] });
        await rotation.answered(/1 more approval is needed/);
        await drive(rotation);
      },
      {
        prepare: (systems) => {
          withTask.prepare(systems);
          systems.idle.push(OTHER);
        },
        settings: { approvers: { integration: { who: ['@example.org'], approvals: 2 } } },
      },
    );

  test('a run that holds the new token takes nothing from the first of two approvals', () =>
    approved(async (rotation) => {
      rotation.systems.runOf(TASK);
      await watched(rotation.systems); // for the other: the run was heard of
      await rotation.approve({ by: 'joan@example.org', accept: ['no-pod-seen'] });
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        approvals: [{ by: 'grace@example.org' }, { by: 'joan@example.org' }],
      });
    }));

  test('after the run of one consumer, the run of another with an old token still ends the approval', () =>
    approved(async (rotation) => {
      const { systems } = rotation;
      systems.runOf(TASK);
      await watched(systems);
      systems.runOf(OTHER, 101);
      const { waiting } = await rotation.awaitingApproval(1);
      expect(waiting).toMatchObject({ approvedBy: [] });
      expect(systems.revoked).toEqual([]);
    }));

  test('a run in another environment ends the approval as well', () =>
    approved(async (rotation) => {
      rotation.systems.environment = 'staging';
      rotation.systems.runOf(TASK);
      await rotation.blocked('WrongEnvironment');
      expect(rotation.systems.revoked).toEqual([]);
    }));
});

test('a failed smoke call of a run blocks; after a retry the next run is looked out for', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    await watched(systems);
    systems.smoke = 'failed';
    systems.runOf(TASK);
    expect((await rotation.blocked('SmokeFailed')).message).toMatch(
      /cron-task in run-1: its own call/,
    );
    systems.smoke = 'passed';
    await rotation.send('retry', { by: 'grace@example.org' });
    const { waiting } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({ evidence: { shortfalls: [{ code: 'no-pod-seen' }] } });
    await watched(systems);
    systems.runOf(TASK);
    expect((await rotation.awaitingApproval(2)).waiting).toMatchObject({
      evidence: { shortfalls: [] },
    });
  }, withTask));

test('a run in another environment than the request’s blocks', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    await watched(systems);
    systems.environment = 'production';
    systems.runOf(TASK);
    const { message } = await rotation.blocked('WrongEnvironment');
    expect(message).toMatch(/cron-task in run-1 has GOVUK_ENVIRONMENT "production"/);
  }, withTask));
