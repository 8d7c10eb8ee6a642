/** What the command's exit code says; `--help` lists them. */
export const EXIT = {
  done: 0,
  /** Temporal cannot be reached, or something unexpected. */
  failed: 1,
  usage: 2,
  /** No such rotation, or nothing that waits. */
  nothing: 3,
  /** A rotation did not accept the decision, and says why. */
  notAccepted: 4,
  /** The question was not answered with the environment's name. */
  declined: 5,
  /** No worker polls the environment's task queue, so nothing moves. */
  noWorker: 6,
  /** A rotation that was watched waits for a person. */
  needsPerson: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a sentence and an exit code. */
export class CommandEnd extends Error {
  constructor(
    readonly code: ExitCode,
    message: string,
  ) {
    super(message);
  }
}
