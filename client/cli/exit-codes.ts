import { isGrpcServiceError } from '@temporalio/client';
import type { Parsed } from '../../domain/shape/index.ts';
import { plain } from '../../domain/text/index.ts';

/** What the command's exit code says: `--help` explains each. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  nothing: 3,
  notAccepted: 4,
  declined: 5,
  noWorker: 6,
  needsPerson: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What an error says and, where the SDK names the call alone, what the server said to it. */
export function wordsOf(error: unknown): string {
  if (isGrpcServiceError(error)) return error.details;
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  const said = cause === undefined ? '' : wordsOf(cause);
  return message.includes(said) ? message : `${message}: ${said}`;
}

/** Ends a command with a sentence, or several lines, and an exit code. */
export class CommandEnd extends Error {
  constructor(
    readonly code: ExitCode,
    ...lines: string[]
  ) {
    super(lines.map(plain).join('\n'));
  }
}

/** Makes the ends of a command, each named by what its exit code says. */
const endWith =
  (code: ExitCode) =>
  (...lines: string[]): CommandEnd =>
    new CommandEnd(code, ...lines);
export const failed = endWith(EXIT.failed);
export const badUsage = endWith(EXIT.usage);
export const nothingThere = endWith(EXIT.nothing);
export const notAccepted = endWith(EXIT.notAccepted);
export const declined = endWith(EXIT.declined);
export const noWorker = endWith(EXIT.noWorker);

/** What was parsed. @throws CommandEnd that names each field that is wrong */
export function requestOrEnd<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.request;
  throw badUsage(...parsed.problems);
}
