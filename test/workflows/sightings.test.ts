import { expect, test } from '@jest/globals';
import type { Consumer } from '../../domain/cluster.ts';
import type { FakeSystems } from '../support/fake-systems.ts';
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
    expect(waiting.evidence.consumers.at(-1)).toMatchObject({ ...TASK, pods: ['run-1'], smoke: 'passed' });
    expect(await rotation.details()).toMatch(/held `first102…last0102` when it ran/);
    await rotation.approve({}, 1);
    expect(await rotation.report()).toMatchObject({ outcome: 'rotated', syncJobs: ['sync-1'] });
  }, withTask));

test('a run that held another token than the new one brings another sync, and is named', () =>
  rotating(async (rotation) => {
    const { systems } = rotation;
    await rotation.awaitingApproval();
    await watched(systems);
    systems.runOf(TASK, 101);
    const { waiting, notes } = await rotation.awaitingApproval(1);
    expect(waiting).toMatchObject({ evidence: { shortfalls: [{ code: 'no-pod-seen' }] } });
    expect(notes).toContainEqual(expect.stringMatching(/^When it ran: cron-task in run-1 holds first101…last0101/));
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
