import { ScheduleOverlapPolicy, type Client, type ScheduleHandle } from '@temporalio/client';
import { SCHEDULE } from '../domain/evidence/index.ts';
import { taskQueueOf, type Environment } from '../domain/request/index.ts';
import {
  CATCH_UP_MINUTES,
  HAND_OVER_MINUTES,
  introduceSweep,
  minuteOfDay,
  type SweepRequest,
  type SweepTime,
  TIME_ZONE,
} from '../domain/sweep/index.ts';
import { WORKFLOW, sweepId } from '../domain/names/index.ts';

/**
 * Creates an environment's Schedule. Each start has an id of its own, hands over to the
 * environment's sweep, and ends: a sweep that runs for hours keeps no later start from finding it
 * open.
 * @param time one without `timeProblems`
 * @throws ScheduleAlreadyRunning where there is one
 */
export async function createSchedule(
  client: Client,
  environment: Environment,
  { time, maxConcurrent, note }: { time: SweepTime; maxConcurrent?: number; note?: string },
): Promise<ScheduleHandle> {
  const request: SweepRequest = {
    environment,
    requestedBy: SCHEDULE,
    maxConcurrent,
  };
  const minute = minuteOfDay(time.at)!;
  return client.schedule.create({
    scheduleId: sweepId(environment),
    spec: {
      calendars: [{ hour: Math.floor(minute / 60), minute: minute % 60, dayOfWeek: time.days }],
      timezone: TIME_ZONE,
      ...(time.jitterMinutes > 0 && { jitter: `${time.jitterMinutes} minutes` }),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: `${CATCH_UP_MINUTES} minutes` },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW.sweep,
      workflowId: sweepId(environment),
      taskQueue: taskQueueOf(environment),
      args: [request],
      // The sweep that it hands over to outlives it.
      workflowExecutionTimeout: `${HAND_OVER_MINUTES} minutes`,
      ...introduceSweep(request),
    },
    state: note === undefined ? undefined : { note },
  });
}
