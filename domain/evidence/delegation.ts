import { isObject, kind, optional, reader } from '../shape/index.ts';
import type { RecordedSender } from './approval.ts';

/** The run that handed a request over to the canonical id, with who started it. */
export interface Delegation {
  workflowId: string;
  runId: string;
  starter: RecordedSender;
}

const NAME = kind<string>(
  'a text of at most 1000 characters',
  (value) => typeof value === 'string' && value.length <= 1000,
);
const readRun = reader({ workflowId: NAME, runId: NAME });
const readSender = reader({
  identity: NAME,
  principal: optional(NAME),
  schedule: optional(NAME),
});

/** Reads what a start says of its delegation: anybody may start a workflow with any argument. */
export function parseDelegation(given: unknown): Delegation | undefined {
  const starter = isObject(given) && readSender(given.starter);
  const run = readRun(given);
  return run && starter ? { ...run, starter } : undefined;
}
