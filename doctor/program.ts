import type { Command } from 'commander';
import { plain } from '../domain/text/index.ts';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';
import { exitCodeOf, newProgram, withCommonOptions } from '../client/cli/command-line.ts';
import { connect, environmentOf, type CommonOptions, type Terminal } from '../client/cli/context.ts';
import { EXIT, type ExitCode } from '../client/cli/exit-codes.ts';
import { columns } from '../client/cli/print.ts';

const SIGNS: Record<Finding['verdict'], string> = { well: '✓', wrong: '✗', 'not checked': '–' };

/** Runs one command line. @param args what follows the program's name @returns its exit code */
export function run(args: string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const about = 'Checks each thing that a worker needs, and says what to do; run it where the worker runs.';
  const program = withCommonOptions(newProgram('signon-rotation-doctor', about, terminal))
    .addHelpText(
      'after',
      `
Reads only. ✓ is well, ✗ is wrong, – was not checked. Signs in to Signon once, with one code, where a worker is there to count refusals
(in the workflow sign-in-ledger/<environment>).`,
    )
    .option('--fix', 'register search attributes that Temporal lacks, and keep closed workflows for 15 days')
    .option('--sign-in', 'sign in to Signon even where no worker counts refusals')
    .option('--no-sign-in', 'do not sign in to Signon')
    .option('--slack', 'post one line to Slack')
    .action(async (_options: unknown, self: Command) => {
      code = await doctor(self.opts(), terminal);
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
  const client = await connect(env).catch(() => undefined); // that is a finding, whatever it is
  try {
    const { fix = false, signIn, slack = false } = options;
    const warn = (line: string): void => terminal.err(plain(line));
    const findings = await examine({ environment, env, client, fix, signIn, slack, warn });
    if (options.json) terminal.out(JSON.stringify(findings, undefined, 2));
    else for (const line of lines(findings)) terminal.out(line);
    return findings.some(({ verdict }) => verdict === 'wrong') ? EXIT.failed : EXIT.done;
  } finally {
    await client?.connection.close();
  }
}

/** A line for each finding, and one below for what to do. */
function lines(findings: readonly Finding[]): string[] {
  const rows = findings.map(({ check, verdict, found }) => [SIGNS[verdict], check, found]);
  const [, ...table] = columns(['', 'CHECK', 'FOUND'], rows);
  return findings.flatMap(({ todo }, at) => [table[at]!, ...(todo === undefined ? [] : [plain(`     → ${todo}`)])]);
}
