import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleDescription,
  type ScheduleHandle,
} from '@temporalio/client';
import { STAGING_IS_IGNORED } from '../../domain/plan.ts';
import { scheduleId, WEEKDAYS, type SweepTime, type Weekday } from '../../domain/sweep-schedule.ts';
import { LARGEST_WAVE } from '../../domain/sweep-request.ts';
import { plain } from '../../domain/plain-text.ts';
import { BadSweepTime, createSchedule } from '../sweep-schedule.ts';
import type { Context } from './context.ts';
import { Ended, EXIT, type ExitCode } from './exit-codes.ts';

/** Creates the environment's Schedule; one that is there is left as it is. */
export async function create(
  context: Context,
  time: SweepTime,
  { maxConcurrent }: { maxConcurrent?: number },
): Promise<ExitCode> {
  const { client, environment } = context;
  if (environment === 'staging') throw new Ended(EXIT.usage, `staging is ignored, ${STAGING_IS_IGNORED}.`);
  const id = scheduleId(environment);
  const by = context.who();
  const options = { time, note: `created by ${by}`, ...(maxConcurrent !== undefined && { maxConcurrent }) };
  const handle = await createSchedule(client, environment, options).catch((error: unknown) => {
    if (error instanceof BadSweepTime) throw new Ended(EXIT.usage, error.message);
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    throw new Ended(EXIT.notAccepted, `${id} is there already, and was left as it is: signon-rotation schedule show`);
  });
  const schedule = await handle.describe();
  context.print([`Created ${id}.`, ...scheduleLines(schedule)], { created: true, ...valueOf(schedule) });
  return EXIT.done;
}

/** Prints when the Schedule starts a sweep, and what it started. */
export async function show(context: Context): Promise<ExitCode> {
  const schedule = await described(context);
  context.print(scheduleLines(schedule), valueOf(schedule));
  return EXIT.done;
}

/** Lets it start nothing, or start again. */
export async function turn(context: Context, to: 'pause' | 'resume'): Promise<ExitCode> {
  const by = context.who();
  const { scheduleId: id } = await described(context);
  const handle = handleOf(context);
  if (to === 'pause') await handle.pause(`paused by ${by}`);
  else await handle.unpause(`resumed by ${by}`);
  const schedule = await handle.describe();
  context.print([`${to === 'pause' ? 'Paused' : 'Resumed'} ${id}.`], valueOf(schedule));
  return EXIT.done;
}

/** Deletes it, after a question; sweeps that it started go on. */
export async function remove(context: Context): Promise<ExitCode> {
  const { scheduleId: id } = await described(context);
  await context.confirm(`Delete ${id}? Then no sweep of ${context.environment} begins by itself.`);
  await handleOf(context).delete();
  context.print([`Deleted ${id}.`], { scheduleId: id, deleted: true });
  return EXIT.done;
}

function handleOf({ client, environment }: Context): ScheduleHandle {
  return client.schedule.getHandle(scheduleId(environment));
}

function described(context: Context): Promise<ScheduleDescription> {
  return handleOf(context)
    .describe()
    .catch((error: unknown) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      const { environment } = context;
      const howTo = `Create one: signon-rotation schedule create --environment ${environment}`;
      throw new Ended(EXIT.nothing, `No Schedule starts sweeps of ${environment}. ${howTo}`);
    });
}

function scheduleLines({ state, info, spec, raw }: ScheduleDescription): string[] {
  const jitter = Math.round((spec.jitter ?? 0) / 60_000);
  const zone = raw.schedule?.spec?.timezoneName ?? '';
  return [
    plain(state.paused ? `  PAUSED      ${state.note ?? ''}` : `  runs        ${state.note ?? ''}`),
    ...info.nextActionTimes.slice(0, 3).map((at, index) => {
      const label = index === 0 ? '  next starts ' : '              ';
      return plain(`${label}${minuteOf(at)} UTC${jitter > 0 ? `, jitter of up to ${jitter} minutes included` : ''}`);
    }),
    ...(zone ? [plain(`  time zone   ${zone}`)] : []),
    ...info.recentActions
      .slice(-3)
      .map(({ takenAt, action }) => plain(`  started     ${minuteOf(takenAt)} UTC: ${action.workflow.workflowId}`)),
  ];
}

const minuteOf = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ');

function valueOf({ scheduleId: id, state, info }: ScheduleDescription): object {
  return {
    scheduleId: id,
    paused: state.paused,
    note: state.note,
    nextStarts: info.nextActionTimes.slice(0, 10),
    started: info.recentActions.map(({ takenAt, action }) => ({
      at: takenAt,
      workflowId: action.workflow.workflowId,
    })),
  };
}

/** Days of the week as people write them: `MON-FRI`, `mon,thu`, `SATURDAY`. @throws Ended */
export function daysFrom(text: string): Weekday[] {
  const dayOf = (name: string): number => {
    const at = name.length < 3 ? -1 : WEEKDAYS.findIndex((day) => day.startsWith(name.trim().toUpperCase()));
    if (at === -1) throw new Ended(EXIT.usage, plain(`${name} is no day of the week, e.g. MON-FRI or TUE,THU.`));
    return at;
  };
  return text.split(',').flatMap((part) => {
    const [first = '', last = first, ...more] = part.split('-');
    if (more.length > 0) throw new Ended(EXIT.usage, plain(`${part} is no span of days, e.g. MON-FRI.`));
    const [from, to] = [dayOf(first), dayOf(last)];
    const length = ((to - from + 7) % 7) + 1;
    return Array.from({ length }, (_, at) => WEEKDAYS[(from + at) % 7]!);
  });
}

/** Rotations of one wave. @throws Ended */
export function waveFrom(text: string): number {
  const wave = Number(text);
  if (Number.isInteger(wave) && wave >= 1 && wave <= LARGEST_WAVE) return wave;
  throw new Ended(EXIT.usage, `expected a number from 1 to ${LARGEST_WAVE}`);
}
