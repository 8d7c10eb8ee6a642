import { Option, type Command } from 'commander';
import { OFFICE_HOURS, type SweepDecisions } from '../../domain/sweep/index.ts';
import { BY, type Commands } from './command-line.ts';
import { create, waveFrom } from './schedule.ts';
import { leak } from './leak.ts';
import { decideSweep, idOfSweep, showSweep, startOne } from './sweep.ts';

const ALL = 'show the pairs that are left alone as well';
const WAVES = new Option(
  '--max-concurrent <number>',
  'rotations of one wave; a sync restarts their Deployments',
).argParser(waveFrom);

export function addLeak({ command, does }: Commands): void {
  command(
    'leak [api-user] [applications...]',
    'rotate the tokens of an API user by force, all at once',
    "leak short-url-manager@alphagov.co.uk --reason 'in a public log' --by you@example.org",
  )
    .addOption(BY)
    .requiredOption('--reason <text>', 'what happened')
    .option(
      '--token [ends]',
      'in place of names: the first and last eight characters, e.g. abcdefgh…ijklmnop; alone, it asks for the whole token',
    )
    .option('--wait', 'print the table until each rotation waits for a person or has ended')
    .addHelpText(
      'after',
      '\nThe tokens work until their revokes are approved: npx signon-rotation approve --waiting.',
    )
    .action(does(leak));
}

export function addSweep(program: Command, { command, does }: Commands): void {
  const sweep = program
    .command('sweep')
    .description('rotate every token that expires soon in an environment');
  command(
    'start',
    'start a sweep; does nothing if one is open',
    'sweep start --plan --by you@example.org',
    sweep,
  )
    .addOption(BY)
    .option('--plan', 'only print what would be done with each pair; touches nothing')
    .option('--all', ALL)
    .addOption(WAVES)
    .action(does(startOne));
  command(
    'show [api-user]',
    'where each pair of the sweep stands, or of a leak',
    'sweep show --watch',
    sweep,
  )
    .option('--watch', 'print what changes, to the end; with --json, a value each time')
    .option('--all', ALL)
    .action(
      does((context, [apiUser], options: { watch?: boolean; all?: boolean }) =>
        showSweep(context, idOfSweep(context, apiUser), options),
      ),
    );
  const decides = (name: keyof SweepDecisions, description: string, reason = ''): Command =>
    command(`${name} [api-user]`, description, `sweep ${name} ${reason}--by you@example.org`, sweep)
      .addOption(BY)
      .action(
        does((context, [apiUser], options: { reason?: string }) =>
          decideSweep(context, idOfSweep(context, apiUser), name, options.reason),
        ),
      );
  decides('pause', 'start no further wave; rotations that were started continue');
  decides('resume', 'continue after a pause');
  decides('retry', 'continue from what is blocked');
  decides(
    'abort',
    'end the sweep; rotations that were started continue',
    "--reason 'a freeze' ",
  ).requiredOption('--reason <text>', 'why');
}

export function addSchedule(program: Command, { command, does }: Commands): void {
  const schedule = program
    .command('schedule')
    .description('start sweeps by themselves, on some days of the week');
  const { at, jitterMinutes } = OFFICE_HOURS;
  command(
    'create',
    'create the environment’s Schedule; the Temporal UI shows, pauses and deletes it',
    'schedule create --days MON-FRI --by you@example.org',
    schedule,
  )
    .addOption(BY)
    .option(
      '--at <time>',
      'time of day in London, from 03:00 to 23:24 (earlier with more jitter): Signon renews tokens by night',
      at,
    )
    .option('--days <days>', 'days of the week, e.g. MON-FRI or TUE,THU', 'MON-FRI')
    .option(
      '--jitter <minutes>',
      'delay each start by a random time of up to this',
      String(jitterMinutes),
    )
    .addOption(WAVES)
    .action(does(create));
}
