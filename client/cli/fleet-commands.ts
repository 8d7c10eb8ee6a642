import { Option, type Command } from 'commander';
import { OFFICE_HOURS } from '../../domain/sweep/index.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { create, daysFrom, waveFrom } from './schedule.ts';
import { leak } from './leak.ts';
import { decideSweep, idOfSweep, showSweep, startOne } from './sweep.ts';

/** How commands are made. */
export interface CommandTools {
  program: Command;
  /** A command with the options that all take. */
  command: (usage: string, description: string, example: string, parent?: Command) => Command;
  bySomebody: (one: Command) => Command;
  /** What a command does, between connecting and closing. */
  does: (
    act: (context: Context, given: string[], options: Record<string, unknown>) => Promise<ExitCode>,
  ) => (...called: unknown[]) => Promise<void>;
}

/** Adds what concerns many tokens: `leak`, `sweep` and `schedule`. */
export function addFleetCommands(tools: CommandTools): void {
  addLeak(tools);
  addSweep(tools);
  addSchedule(tools);
}

const ALL = 'show the pairs that are left alone as well';

function addLeak({ command, bySomebody, does }: CommandTools): void {
  const made = command(
    'leak [api-user] [applications...]',
    'rotate the tokens of an API user by force, all at once',
    "leak short-url-manager@alphagov.co.uk --reason 'in a public log' --by you@example.org",
  );
  bySomebody(made)
    .requiredOption('--reason <text>', 'what happened')
    .option(
      '--token [ends]',
      'in place of names: the first and last eight characters, e.g. abcdefgh…ijklmnop; alone, it asks for the whole token',
    )
    .option('--wait', 'print the table until each rotation waits for a person or has ended')
    .addHelpText(
      'after',
      '\nThe tokens work until their revokes are approved: signon-rotation approve --waiting.',
    )
    .action(does((context, names, options) => leak(context, names, options as { reason: string })));
}

function addSweep({ program, command, bySomebody, does }: CommandTools): void {
  const sweep = program
    .command('sweep')
    .description('rotate every token of an environment that is about to end');
  bySomebody(
    command(
      'start',
      'start a sweep; one that is open goes on as it is',
      'sweep start --plan --by you@example.org',
      sweep,
    ),
  )
    .option('--plan', 'only print what would be done with each pair; touches nothing')
    .option('--all', ALL)
    .addOption(waves())
    .action(does((context, _, options) => startOne(context, options)));
  command(
    'show [api-user]',
    'where each pair of the sweep stands, or of a leak',
    'sweep show --watch',
    sweep,
  )
    .option('--watch', 'go on printing what changes, to the end; with --json, a value each time')
    .option('--all', ALL)
    .action(
      does((context, [apiUser], options) =>
        showSweep(context, idOfSweep(context, apiUser), options),
      ),
    );
  for (const [name, description] of [
    ['pause', 'let no further wave begin; rotations that were started go on'],
    ['resume', 'go on after a pause'],
    ['retry', 'go on from what is blocked'],
  ] as const)
    bySomebody(
      command(`${name} [api-user]`, description, `sweep ${name} --by you@example.org`, sweep),
    ).action(
      does((context, [apiUser]) =>
        decideSweep(context, idOfSweep(context, apiUser), name, { by: context.who() }),
      ),
    );
  bySomebody(
    command(
      'abort [api-user]',
      'end the sweep; rotations that were started go on',
      "sweep abort --reason 'a freeze' --by you@example.org",
      sweep,
    ),
  )
    .requiredOption('--reason <text>', 'why')
    .action(
      does((context, [apiUser], { reason }) =>
        decideSweep(context, idOfSweep(context, apiUser), 'abort', {
          by: context.who(),
          reason: String(reason),
        }),
      ),
    );
}

function addSchedule({ program, command, bySomebody, does }: CommandTools): void {
  const schedule = program
    .command('schedule')
    .description('start sweeps by themselves, on some days of the week');
  const { at, jitterMinutes } = OFFICE_HOURS;
  bySomebody(
    command(
      'create',
      'create the environment’s Schedule; the Temporal UI shows, pauses and deletes it',
      'schedule create --days MON-FRI --by you@example.org',
      schedule,
    ),
  )
    .option(
      '--at <time>',
      'time of day in London, from 03:00 to midnight: Signon renews tokens by night',
      at,
    )
    .option('--days <days>', 'days of the week, e.g. MON-FRI or TUE,THU', 'MON-FRI')
    .option(
      '--jitter <minutes>',
      'delay each start by a random time of up to this',
      String(jitterMinutes),
    )
    .addOption(waves())
    .action(
      does((context, _, options) => {
        const { at: time, days, jitter, maxConcurrent } = options as Record<string, string>;
        const when = { at: time!, days: daysFrom(days!), jitterMinutes: Number(jitter) };
        return create(context, when, { maxConcurrent } as { maxConcurrent?: number });
      }),
    );
}

function waves(): Option {
  return new Option(
    '--max-concurrent <number>',
    'rotations of one wave; a sync restarts their Deployments',
  ).argParser(waveFrom);
}
