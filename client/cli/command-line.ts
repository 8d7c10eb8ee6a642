import { Command, CommanderError, Option } from 'commander';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ReadStream, type WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { ENVIRONMENTS } from '../../domain/request/index.ts';
import { plain } from '../../domain/text/index.ts';
import { BadConfiguration } from '../../config/variables.ts';
import packageJson from '../../package.json' with { type: 'json' };
import {
  type CommonOptions,
  Context,
  OUTPUTS,
  printAs,
  type Output,
  type Terminal,
} from './context.ts';
import { CommandEnd, EXIT, type ExitCode, wordsOf } from './exit-codes.ts';

/**
 * A program that writes to a terminal, and ends by an exception where commander would end the
 * process.
 */
export function newProgram(name: string, description: string, terminal: Terminal): Command {
  return new Command(name)
    .description(description)
    .version(packageJson.version, '--version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd().split('\n').map(plain).join('\n')),
    });
}

export const BY = new Option(
  '--by <who>',
  'who you are: a name or e-mail; in production compared with the requester',
);
const PAIR = `
<pair>: the API user’s e-mail and the application, e.g. short-url-manager@alphagov.co.uk publishing-api; or the workflow id.
For an existing rotation, short names are enough if only one has them: short-url-manager publishing-api, or short-url-manager.
`;

export function commandsOf(program: Command, terminal: Terminal) {
  let code: ExitCode = EXIT.done;
  return {
    /** What the command ended with that has run. */
    code: () => code,
    command: (usage: string, description: string, example: string, parent = program): Command =>
      withCommonOptions(parent.command(usage).description(description)).addHelpText(
        'after',
        `${usage.includes('pair...') ? PAIR : ''}\nExample:\n  npx signon-rotation ${example} --environment integration`,
      ),
    /** What a command does, between connecting and closing. */
    does:
      <Options>(act: (context: Context, given: string[], options: Options) => Promise<ExitCode>) =>
      async (...called: unknown[]): Promise<void> => {
        const self = called.at(-1) as Command;
        const options = self.opts<CommonOptions & Options>();
        const context = await Context.open(options, terminal);
        try {
          code = await act(context, self.args, options);
        } finally {
          await context.close();
        }
      },
  };
}
export type Commands = ReturnType<typeof commandsOf>;

export function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-e, --environment <name>', 'which environment')
        .choices(ENVIRONMENTS)
        .argParser((name) => name), // it is checked with ROTATION_ENVIRONMENT
    )
    .addOption(
      new Option('-o, --output <format>', 'how the result is printed')
        .choices(OUTPUTS)
        .default('table'),
    )
    .addOption(new Option('--json', 'the same as --output json').implies({ output: 'json' }));
}

/**
 * Runs one command line.
 * @param code what its command ended with, once it has ended
 * @returns its exit code
 */
export async function exitCodeOf(
  program: Command,
  args: string[],
  terminal: Terminal,
  code: () => ExitCode,
): Promise<ExitCode> {
  const output = outputIn(args);
  const failed = (exit: ExitCode, message: string): ExitCode => {
    if (output === 'json' || output === 'yaml')
      printAs(output, terminal, [], { error: { code: exit, message } });
    return exit;
  };
  try {
    await program.parseAsync(args, { from: 'user' });
    return code();
  } catch (error) {
    if (error instanceof CommanderError)
      // Commander has printed the message.
      return error.exitCode === 0 ? EXIT.done : failed(EXIT.usage, error.message);
    const { code: exit, message } = error instanceof CommandEnd ? error : endOf(error);
    terminal.err(message);
    return failed(exit, message);
  }
}

/** The end of a command that met an error. */
function endOf(error: unknown): CommandEnd {
  const lines = wordsOf(error).split('\n');
  return new CommandEnd(error instanceof BadConfiguration ? EXIT.usage : EXIT.failed, ...lines);
}

/** The format that the arguments name, whether or not they parse. */
function outputIn(args: readonly string[]): Output | undefined {
  if (args.includes('--json')) return 'json';
  return OUTPUTS.find((output) =>
    args.some(
      (arg, at) =>
        [`-o${output}`, `--output=${output}`].includes(arg) ||
        (arg === output && ['-o', '--output'].includes(args[at - 1] ?? '')),
    ),
  );
}

/**
 * The terminal that this process was started in. A question is answered on the terminal itself: a
 * pipe has read nothing.
 */
export function processTerminal(): Terminal {
  return {
    env: process.env,
    out: (line) => process.stdout.write(`${coloured(line, process.stdout)}\n`),
    err: (line) => process.stderr.write(`${coloured(line, process.stderr)}\n`),
    widths: { out: process.stdout.columns, err: process.stderr.columns },
    readLine: () => lineOf(openTerminal(), { isShown: true }),
    readSecret: () => {
      const { stdin } = process;
      return stdin.isTTY
        ? lineOf(openTerminal() ?? stdin, { isShown: false })
        : lineOf(stdin, { isShown: true });
    },
  };
}

/** One line of a stream; undefined where it has none. */
async function lineOf(
  input: ReadStream | NodeJS.ReadStream | undefined,
  { isShown }: { isShown: boolean },
): Promise<string | undefined> {
  if (!input) return undefined;
  // Hides what is typed: the terminal echoes nothing, and readline has no output.
  if (!isShown) input.setRawMode(true);
  try {
    for await (const line of createInterface({ input, terminal: !isShown })) return line;
    return undefined;
  } finally {
    if (!isShown) input.setRawMode(false);
    input.destroy(); // a read that is left open would keep the process
  }
}

const COLOURS = { '✓': 'green', '✗': 'red', '▶': 'yellow' } as const;

/**
 * Colours the marks at the head of a line or of a table's cell, on a terminal that has colours and
 * where `NO_COLOR` is not set.
 */
export function coloured(line: string, stream: Pick<WriteStream, 'isTTY' | 'hasColors'>): string {
  if (!stream.isTTY || !stream.hasColors(16)) return line;
  return line.replace(/(?<=^ *| {2})[✓✗▶](?= )/g, (mark) =>
    styleText(COLOURS[mark as keyof typeof COLOURS], mark, { validateStream: false }),
  );
}

/** The terminal that the process belongs to, if it has one. */
function openTerminal(): ReadStream | undefined {
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return undefined;
  }
}
