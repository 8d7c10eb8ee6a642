import tab from '@bomb.sh/tab/commander';
import { InvalidArgumentError, Option } from 'commander';
import { RETRY_ACCEPTS, SHORTFALLS } from '../../domain/evidence/index.ts';
import { approve, approveWaiting, type Named } from './approve.ts';
import { BY, commandsOf, exitCodeOf, newProgram } from './command-line.ts';
import type { Terminal } from './context.ts';
import { classify, end, retry } from './decide.ts';
import { badUsage, type ExitCode } from './exit-codes.ts';
import { addLeak, addSchedule, addSweep } from './fleet-commands.ts';
import { handover } from './handover.ts';
import { inventory } from './inventory.ts';
import { list } from './list.ts';
import { show, UNTIL } from './show.ts';
import { start } from './start.ts';

const AFTER_HELP = `
A rotation issues a new token, brings it to every consumer, proves that each holds it, and waits for a person before it revokes the old one.

  npx signon-rotation start short-url-manager@alphagov.co.uk publishing-api --environment integration --by you@example.org
  npx signon-rotation show  short-url-manager@alphagov.co.uk publishing-api --environment integration --watch
  npx signon-rotation list --waiting --environment integration
  npx signon-rotation sweep start --plan --environment integration --by you@example.org
  npx signon-rotation approve short-url-manager@alphagov.co.uk publishing-api --environment integration --by other@example.org

approve, reject, abort and retry --restart ask first: type the environment's name. Scripts use approve --evidence. With --json or --output yaml, standard output holds values for programs; a failure is one too: {"error": {"code", "message"}}.

Variables:
  ROTATION_ENVIRONMENT  instead of --environment
  ROTATION_BY           instead of --by
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS…  where Temporal is, as its own clients read them
  TEMPORAL_UI_URL       for links
  NO_COLOR              no colours

Completion: source <(signon-rotation completion bash), or zsh, or fish.

Exit codes:
  0  done
  1  Temporal cannot be reached, or something unexpected
  2  wrong usage
  3  no such rotation, or none that waits
  4  not accepted, or approved tokens are not revoked; the output says why
  5  the question was not answered with the environment's name
  6  no worker polls the environment's task queue, so nothing moves
  7  a person is needed: show --watch, start --wait and a leak that is blocked end there`;

/** Runs one command line. @param args what follows the program's name @returns its exit code */
export function run(args: string[], terminal: Terminal): Promise<ExitCode> {
  const program = newProgram(
    'signon-rotation',
    'Rotates API tokens of Signon, and revokes only on proof.',
    terminal,
  ).addHelpText('after', AFTER_HELP);
  const commands = commandsOf(program, terminal);
  const { command, does } = commands;

  command(
    'start <api-user> <application>',
    'start a rotation',
    'start short-url-manager@alphagov.co.uk publishing-api --by you@example.org',
  )
    .addOption(BY)
    .option('--reason <text>', 'why')
    .option('--recipient <name>', 'the holder outside the cluster, as the settings name it')
    .option(
      '--force',
      'rotate although the token is not near its end (a leak); adopts no older token',
    )
    .option(
      '--wait',
      'print the checklist until a person is needed or the rotation ends; with --json, a value each time',
    )
    .action(does(start));

  command('list', 'list open rotations, and what each waits for', 'list --waiting')
    .option('--waiting', 'only what waits for a person')
    .option('--closed', 'closed ones too, as far back as the namespace keeps them')
    .option('--watch', 'print again whenever something changes')
    .action(does(list));

  command(
    'show <pair...>',
    'the checklist of one rotation',
    'show short-url-manager publishing-api --watch',
  )
    .option(
      '--watch',
      'print what changes until a person is needed (exit code 7) or the end; with --json, a value each time',
    )
    .addOption(
      new Option('--until <moment>', 'how long --watch goes on').choices(UNTIL).default('needed'),
    )
    .action(does(show));

  command(
    'approve [pair...]',
    'read the evidence, then revoke the old token',
    'approve short-url-manager publishing-api --by other@example.org',
  )
    .addOption(BY)
    .option('--waiting', 'all that wait: shows the evidence of each, then asks once')
    .option(
      '--accept <shortfall>',
      `what could not be shown: ${SHORTFALLS.join(', ')}; repeat the option for more`,
      oneOf(SHORTFALLS),
      [],
    )
    .option(
      '--revoke <ids>',
      'authorisation ids, e.g. 145,146; needed for tokens whose holder is unknown',
      ids,
    )
    .option(
      '--evidence <code>',
      'for scripts: approve the evidence with this code, without a question',
    )
    .option('--no-wait', 'end once it is accepted, without waiting for the revoke')
    .action(
      does((context, pair, { waiting, ...named }: Named & { waiting?: boolean }) => {
        if ((waiting === true) === pair.length > 0)
          throw badUsage('Name one rotation, or say --waiting.');
        if (waiting && (named.revoke !== undefined || named.evidence !== undefined))
          throw badUsage('--revoke and --evidence need one rotation.');
        return waiting ? approveWaiting(context, named) : approve(context, pair, named);
      }),
    );

  command(
    'handover <pair...>',
    'print the encrypted new token for its holder outside the cluster, and what to tell them',
    'handover mainstream-publisher asset-manager > token.age',
  )
    .addHelpText(
      'after',
      '\nPrints the ciphertext to standard output, and what to tell its holder to standard error.',
    )
    .action(does(handover));

  for (const [name, description] of [
    ['reject', 'keep the old token and end: for a rotation that waits for approval'],
    ['abort', 'end a rotation tidily, wherever it is'],
  ] as const)
    command(
      `${name} <pair...>`,
      description,
      `${name} short-url-manager publishing-api --reason 'not this week' --by you@example.org`,
    )
      .addOption(BY)
      .requiredOption('--reason <text>', 'why')
      .action(
        does((context, pair, { reason }: { reason: string }) => end(context, name, pair, reason)),
      );

  command(
    'retry [pair...]',
    'continue from the blocked step',
    'retry --blocked-by Unreachable --by you@example.org',
  )
    .addOption(BY)
    .option('--blocked-by <failure>', 'all that this failure blocks, e.g. Unreachable')
    .option(
      '--restart',
      'restart the Deployments that the failure names, as kubectl rollout restart does',
    )
    .option('--sync', 'make another sync Job first')
    .option(
      '--accept <what>',
      `what is up for acceptance: ${RETRY_ACCEPTS.join(', ')}`,
      oneOf(RETRY_ACCEPTS),
    )
    .action(does(retry));

  command(
    'classify <pair...>',
    'say who holds a token that no container reads',
    'classify mainstream-publisher asset-manager --as external --recipient smart-answers --by you@example.org',
  )
    .addOption(BY)
    .addOption(
      new Option('--as <class>', 'what the token is')
        .choices(['external', 'disused', 'internal'])
        .makeOptionMandatory(),
    )
    .option('--recipient <name>', 'external: its name in the settings')
    .option('--workload <kind/name>', 'internal: e.g. Deployment/whitehall')
    .option('--container <name>', 'internal')
    .option('--variable <name>', 'internal: the variable that holds the token')
    .action(does(classify));

  command(
    'inventory',
    'what the estate looks like: every pair, when its tokens end, who reads them, what is unexpected',
    'inventory --html > inventory.html',
  )
    .addOption(BY)
    .option('--csv', 'print a line for each pair, for a spreadsheet')
    .option('--html', 'print one HTML page with a timeline: … --html > inventory.html')
    .action(does(inventory));

  addLeak(commands);
  addSweep(program, commands);
  addSchedule(program, commands);
  tab(program, { completionCommandName: 'completion' });

  return exitCodeOf(program, args, terminal, commands.code);
}

/** An option that may be given again, of a few words. */
function oneOf(words: readonly string[]): (value: string, before?: string[]) => string[] {
  return (value, before = []) => {
    if (!words.includes(value))
      throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`);
    return [...before, value];
  };
}

function ids(value: string, before: number[] = []): number[] {
  const given = value.split(',').map(Number);
  if (!given.every((id) => Number.isSafeInteger(id) && id > 0))
    throw new InvalidArgumentError('expected authorisation ids');
  return [...before, ...given];
}
