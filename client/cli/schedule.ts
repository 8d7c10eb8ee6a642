import { InvalidArgumentError } from 'commander';
import { ScheduleAlreadyRunning, type ScheduleDescription } from '@temporalio/client';
import { whyLeftAlone } from '../../domain/request/index.ts';
import {
  LARGEST_WAVE,
  type SweepTime,
  timeProblems,
  type Weekday,
  WEEKDAYS,
} from '../../domain/sweep/index.ts';
import { minute } from '../../domain/text/index.ts';
import { createSchedule } from '../sweep-schedule.ts';
import type { Context } from './context.ts';
import { CommandEnd, EXIT, type ExitCode } from './exit-codes.ts';
import { sweepId } from '../../domain/names/index.ts';

/** Creates the environment's Schedule; one that is there is left as it is. */
export async function create(
  context: Context,
  time: SweepTime,
  { maxConcurrent }: { maxConcurrent?: number },
): Promise<ExitCode> {
  const { client, environment } = context;
  const leftAlone = whyLeftAlone(environment);
  if (leftAlone) throw new CommandEnd(EXIT.usage, `${leftAlone}.`);
  const problems = timeProblems(time);
  if (problems.length > 0) throw new CommandEnd(EXIT.usage, ...problems);
  const id = sweepId(environment);
  const by = context.who();
  const options = { time, note: `created by ${by}`, maxConcurrent };
  const handle = await createSchedule(client, environment, options).catch((error: unknown) => {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    throw new CommandEnd(
      EXIT.notAccepted,
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
export function daysFrom(text: string): Weekday[] {
  const dayOf = (name: string): number => {
    const at =
      name.length < 3 ? -1 : WEEKDAYS.findIndex((day) => day.startsWith(name.trim().toUpperCase()));
    if (at === -1)
      throw new CommandEnd(EXIT.usage, `${name} is no day of the week, e.g. MON-FRI or TUE,THU.`);
    return at;
  };
  return text.split(',').flatMap((part) => {
    const [first = '', last = first, ...more] = part.split('-');
    if (more.length > 0)
      throw new CommandEnd(EXIT.usage, `${part} is no span of days, e.g. MON-FRI.`);
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
