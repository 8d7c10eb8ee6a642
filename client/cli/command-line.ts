import { Command, CommanderError } from 'commander';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ReadStream } from 'node:tty';
import { ENVIRONMENTS } from '../../domain/request/index.ts';
import { plain } from '../../domain/text/index.ts';
import type { Terminal } from './context.ts';
import { Ended, EXIT, type ExitCode } from './exit-codes.ts';

/** A program that writes to a terminal, and ends by an exception where commander would end the process. */
export function newProgram(name: string, description: string, terminal: Terminal): Command {
  return new Command(name)
    .description(description)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
}

/** Adds the options that every command takes. */
export function withCommonOptions(command: Command): Command {
  return command.option('-e, --environment <name>', ENVIRONMENTS.join(', ')).option('--json', 'print one JSON value');
}

/** Runs one command line. @param code what its command ended with, once it has ended @returns its exit code */
export async function exitCodeOf(
  program: Command,
  args: string[],
  terminal: Terminal,
  code: () => ExitCode,
): Promise<ExitCode> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return code();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof Ended) {
      terminal.err(error.message);
      return error.code;
    }
    terminal.err(plain(error instanceof Error ? error.message : String(error)));
    return EXIT.failed;
  }
}

/** The terminal that this process was started in. A question is answered on the terminal itself: a pipe has read nothing. */
export function processTerminal(): Terminal {
  return {
    env: process.env,
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    readLine: () =>
      new Promise((answer) => {
        const terminal = openTerminal();
        if (!terminal) return answer(undefined);
        const lines = createInterface({ input: terminal });
        lines.once('line', (line) => {
          answer(line);
          lines.close();
        });
        lines.once('close', () => {
          answer(undefined);
          terminal.destroy(); // a read that is left open would keep the process
        });
      }),
  };
}

/** The terminal that the process belongs to, if it has one. */
function openTerminal(): ReadStream | undefined {
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return undefined;
  }
}
