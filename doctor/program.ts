import type { Command } from 'commander';
import { plain } from '../domain/text/index.ts';
import { readFileSync } from 'node:fs';
import { execPolicy, programsOf } from '../activities/kubernetes/exec-policy.ts';
import { DEFAULT_SETTINGS, readSettings } from '../config/settings.ts';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';
import { exitCodeOf, newProgram, withCommonOptions } from '../client/cli/command-line.ts';
import {
  connect,
  environmentOf,
  printAs,
  type CommonOptions,
  type Terminal,
} from '../client/cli/context.ts';
import { EXIT, type ExitCode } from '../client/cli/exit-codes.ts';
import { columns } from '../client/cli/columns.ts';

const SIGNS: Record<Finding['verdict'], string> = { well: '✓', wrong: '✗', 'not checked': '–' };

/** Runs one command line. @param args what follows the program's name @returns its exit code */
export function run(args: string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const about =
    'Checks each thing that a worker needs, and says what to do; run it where the worker runs.';
  const program = withCommonOptions(newProgram('signon-rotation-doctor', about, terminal))
    .addHelpText(
      'after',
      `
Reads only. ✓ is well, ✗ is wrong, – was not checked. Signs in to Signon once, with one code, where a worker is there to count refusals
(in the workflow sign-in-ledger/<environment>).`,
    )
    .option(
      '--fix',
      'register search attributes that Temporal lacks, and keep closed workflows for 15 days',
    )
    .option('--sign-in', 'sign in to Signon even where no worker counts refusals')
    .option('--no-sign-in', 'do not sign in to Signon')
    .option('--slack', 'post one line to Slack')
    .option(
      '--exec-policy',
      'print the admission policy for exec, with the smoke calls of ROTATION_SETTINGS, and check nothing',
    )
    .option(
      '--beside <file>',
      'with --exec-policy: still allow what the policy in this file allows',
    )
    .action(async (_options: unknown, self: Command) => {
      const options = self.opts<CommonOptions & { execPolicy?: boolean; beside?: string }>();
      if (options.execPolicy) printExecPolicy(terminal, options.beside);
      else code = await doctor(options, terminal);
    });
  return exitCodeOf(program, args, terminal, () => code);
}

/** Prints a line for each check: ✓, ✗, or – where it was not made. */
async function doctor(
  options: CommonOptions & { fix?: boolean; signIn?: boolean; slack?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { env } = terminal;
  const environment = environmentOf(options, env);
  let away: string | undefined;
  const client = await connect(env).catch((error: Error) => {
    away = error.message; // that is a finding, whatever it is
    return undefined;
  });
  try {
    const { fix = false, signIn, slack = false } = options;
    const warn = (line: string): void => terminal.err(plain(line));
    const findings = await examine({ environment, env, client, away, fix, signIn, slack, warn });
    printAs(options.output, terminal, lines(findings), findings);
    return findings.some(({ verdict }) => verdict === 'wrong') ? EXIT.failed : EXIT.done;
  } finally {
    await client?.connection.close();
  }
}

/** Prints the manifest for the settings of the worker. @throws CommandEnd where a file cannot be read */
function printExecPolicy(terminal: Terminal, beside: string | undefined): void {
  const { ROTATION_SETTINGS: file } = terminal.env;
  const { smokeCalls } = file ? readSettings(file, true) : DEFAULT_SETTINGS;
  terminal.out(
    execPolicy(
      smokeCalls,
      beside === undefined ? undefined : programsOf(readFileSync(beside, 'utf8')),
    ).trimEnd(),
  );
}

/** A line for each finding, and one below for what to do. */
function lines(findings: readonly Finding[]): string[] {
  const rows = findings.map(({ check, verdict, found }) => [SIGNS[verdict], check, found]);
  const [, ...table] = columns({ head: ['', 'CHECK', 'FOUND'], rows });
  return findings.flatMap(({ todo }, at) => [
    table[at]!,
    ...(todo === undefined ? [] : [`     → ${todo}`]),
  ]);
}
