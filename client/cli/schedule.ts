import { InvalidArgumentError } from 'commander';
import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type ScheduleDescription,
} from '@temporalio/client';
import { SCHEDULE } from '../../domain/evidence/index.ts';
import { taskQueueOf, whyLeftAlone } from '../../domain/request/index.ts';
import {
  CATCH_UP_MINUTES,
  HAND_OVER_MINUTES,
  introduceSweep,
  LARGEST_WAVE,
  minuteOfDay,
  type SweepRequest,
  type SweepTime,
  TIME_ZONE,
  timeProblems,
  type Weekday,
  WEEKDAYS,
} from '../../domain/sweep/index.ts';
import { minute } from '../../domain/text/index.ts';
import type { Context } from './context.ts';
import { badUsage, notAccepted, EXIT, type ExitCode } from './exit-codes.ts';
import { sweepId, WORKFLOW } from '../../domain/names/index.ts';

/**
 * Creates the environment's Schedule; one that is there is left as it is. Each start has an id of
 * its own, hands over to the environment's sweep, and ends: a sweep that runs for hours keeps no
 * later start from finding it open.
 */
export async function create(
  context: Context,
  _: string[],
  when: { at: string; days: string; jitter: string; maxConcurrent?: number },
): Promise<ExitCode> {
  const { at, maxConcurrent } = when;
  const time: SweepTime = { at, days: daysFrom(when.days), jitterMinutes: Number(when.jitter) };
  const { client, environment } = context;
  const leftAlone = whyLeftAlone(environment);
  if (leftAlone) throw badUsage(`${leftAlone}.`);
  const problems = timeProblems(time);
  if (problems.length > 0) throw badUsage(...problems);
  const id = sweepId(environment);
  const by = context.who();
  const request: SweepRequest = { environment, requestedBy: SCHEDULE, maxConcurrent };
  const startsAt = minuteOfDay(at)!;
  const creating = client.schedule.create({
    scheduleId: id,
    spec: {
      calendars: [{ hour: Math.floor(startsAt / 60), minute: startsAt % 60, dayOfWeek: time.days }],
      timezone: TIME_ZONE,
      ...(time.jitterMinutes > 0 && { jitter: `${time.jitterMinutes} minutes` }),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: `${CATCH_UP_MINUTES} minutes` },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW.sweep,
      workflowId: id,
      taskQueue: taskQueueOf(environment),
      args: [request],
      // The sweep that it hands over to outlives it.
      workflowExecutionTimeout: `${HAND_OVER_MINUTES} minutes`,
      ...introduceSweep(request),
    },
    state: { note: `created by ${by}` },
  });
  const handle = await creating.catch((error: unknown) => {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    throw notAccepted(
      `${id} is there already, and was left as it is: see Schedules in the Temporal UI`,
    );
  });
  const schedule = await handle.describe();
  const value = {
    created: true,
    scheduleId: id,
    nextStarts: schedule.info.nextActionTimes.slice(0, 10),
  };
  context.print([`Created ${id}.`, ...scheduleLines(schedule)], value);
  return EXIT.done;
}

function scheduleLines({ state, info }: ScheduleDescription): string[] {
  return [
    `  runs        ${state.note ?? ''}`,
    ...info.nextActionTimes.slice(0, 3).map((at, index) => {
      const label = index === 0 ? '  next starts ' : '              ';
      return `${label}${minute(at.toISOString())}, jitter included`;
    }),
  ];
}

/** Days of the week as people write them: `MON-FRI`, `mon,thu`, `SATURDAY`. @throws CommandEnd */
function daysFrom(text: string): Weekday[] {
  const dayOf = (name: string): number => {
    const at =
      name.length < 3 ? -1 : WEEKDAYS.findIndex((day) => day.startsWith(name.trim().toUpperCase()));
    if (at === -1) throw badUsage(`${name} is no day of the week, e.g. MON-FRI or TUE,THU.`);
    return at;
  };
  return text.split(',').flatMap((part) => {
    const [first = '', last = first, ...more] = part.split('-');
    if (more.length > 0) throw badUsage(`${part} is no span of days, e.g. MON-FRI.`);
    const [from, to] = [dayOf(first), dayOf(last)];
    const length = ((to - from + 7) % 7) + 1;
    return Array.from({ length }, (_, at) => WEEKDAYS[(from + at) % 7]!);
  });
}

/**
 * Rotations of one wave.
 * @throws InvalidArgumentError, to which commander adds the option's name
 */
export function waveFrom(text: string): number {
  const wave = Number(text);
  if (Number.isInteger(wave) && wave >= 1 && wave <= LARGEST_WAVE) return wave;
  throw new InvalidArgumentError(`expected a number from 1 to ${LARGEST_WAVE}`);
}
