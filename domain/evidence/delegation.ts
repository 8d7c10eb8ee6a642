import { isObject, kind, optional, type Read, reader } from '../shape/index.ts';

const NAME = kind<string>(
  'a text of at most 1000 characters',
  (value) => typeof value === 'string' && value.length <= 1000,
);

const SENDER = {
  /** What the client said of itself. */
  identity: NAME,
  /** The server's own word, where it has an authorizer. */
  principal: optional(NAME),
  /** The Schedule that started it, if one did. */
  schedule: optional(NAME),
};
/** Who sent or started something, as the server recorded it. */
export type RecordedSender = Read<typeof SENDER>;
const readSender = reader(SENDER);

const RUN = { workflowId: NAME, runId: NAME };
const readRun = reader(RUN);
/** The run that handed a request over to the canonical id, with who started it. */
export type Delegation = Read<typeof RUN> & { starter: RecordedSender };

/** Reads what a start says of its delegation: anybody may start a workflow with any argument. */
export function parseDelegation(given: unknown): Delegation | undefined {
  const starter = isObject(given) && readSender(given.starter);
  const run = readRun(given);
  return run && starter ? { ...run, starter } : undefined;
}
