import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import type { ScheduleHandle } from '@temporalio/client';
import { taskQueueOf } from '../../domain/request/request.ts';
import type { SweepReport } from '../../domain/sweep/sweep.ts';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { commandLine } from '../support/command-line.ts';
import { REQUEST } from '../support/request.ts';
import { Stage, StagedRotation } from '../support/stage.ts';
import { until } from '../support/until.ts';

const SWEEP = 'sweep/production';
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set({}, {}, { environment: 'production' });
  await stage.worker();
});
afterAll(() => stage.strike());

/** Runs that the Schedule started, each under an id of its own, with what became of them. */
async function scheduledRuns(): Promise<SweepReport[]> {
  const reports: SweepReport[] = [];
  for await (const { workflowId } of stage.client.workflow.list({
    query: `WorkflowType = 'rotateExpiringTokens'`,
  }))
    if (workflowId.startsWith(`${SWEEP}-`))
      reports.push((await stage.client.workflow.getHandle(workflowId).result()) as SweepReport);
  return reports;
}

async function createSchedule(...when: string[]): Promise<ScheduleHandle> {
  const args = ['schedule', 'create', ...when, '-e', 'production', '--by', 'ada@example.org'];
  expect(await commandLine(stage)(args)).toMatchObject({ code: EXIT.done });
  return stage.client.schedule.getHandle(SWEEP);
}

test('the server starts no sweep between 00:50 and 01:40 UTC, summer and winter, at a time that only just is allowed', async () => {
  const handle = await createSchedule('--at', '03:00', '--days', 'MON-SUN', '--jitter', '30');
  const { startTime } = await stage.client.workflowService.listScheduleMatchingTimes({
    namespace: stage.client.options.namespace,
    scheduleId: handle.scheduleId,
    startTime: { seconds: Date.parse('2027-01-01T00:00:00Z') / 1000 },
    endTime: { seconds: Date.parse('2028-01-01T00:00:00Z') / 1000 },
  } as never);
  const starts = startTime.map(({ seconds }) =>
    new Date(Number(seconds) * 1000).toISOString().slice(11, 16),
  );
  expect(starts.length).toBeGreaterThanOrEqual(364);
  expect(starts.filter((clock) => clock >= '00:50' && clock <= '01:40')).toEqual([]);
  expect(starts.some((clock) => clock < '02:31') && starts.some((clock) => clock >= '03:00')).toBe(
    true,
  );
  await handle.delete();
});

test('fired while a sweep runs, it starts nothing; fired after, it sweeps, and any one person may approve', async () => {
  const sweep = await stage.client.workflow.signalWithStart('rotateExpiringTokens', {
    workflowId: SWEEP,
    taskQueue: taskQueueOf('production'),
    args: [{ environment: 'production', requestedBy: 'ada@example.org' }],
    signal: 'pause',
    signalArgs: [{ by: 'ada@example.org' }],
  });
  const schedule = await createSchedule();
  await schedule.trigger();
  await until('the scheduled run', async () => (await scheduledRuns()).length > 0 || undefined);
  expect(await scheduledRuns()).toMatchObject([
    { outcome: 'delegated', why: expect.stringContaining('was already open; nothing was started') },
  ]);
  await sweep.signal('abort', { by: 'ada@example.org', reason: 'made way' });
  expect(await sweep.result()).toMatchObject({
    outcome: 'aborted',
    requestedBy: 'ada@example.org',
  });
  expect(stage.sandbox.world.happened.jobs).toEqual([]);

  await schedule.trigger();
  await until('the second run', async () => (await scheduledRuns()).length === 2 || undefined);
  const swept = (await stage.client.workflow.getHandle(SWEEP).result()) as SweepReport;
  expect(swept).toMatchObject({ outcome: 'swept', requestedBy: 'schedule' });
  const id = `rotate-token/production/${REQUEST.apiUser}/${REQUEST.application}`;
  const rotation = new StagedRotation(stage.client.workflow.getHandle(id), stage.sandbox);
  await rotation.approve(1, { by: 'schedule' }); // nobody asked, so any name will do
  expect(await rotation.report()).toMatchObject({
    outcome: 'rotated',
    approvals: [{ by: 'schedule' }],
  });
  await schedule.delete();
});
