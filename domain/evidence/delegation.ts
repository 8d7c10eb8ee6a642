import { type Fields, isObject, kind, optional, readAs } from '../shape/index.ts';
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
const SENDER: Fields<RecordedSender> = {
  identity: NAME,
  principal: optional(NAME),
  schedule: optional(NAME),
};

/** Reads what a start says of its delegation: anybody may start a workflow with any argument. */
export function parseDelegation(given: unknown): Delegation | undefined {
  const starter = isObject(given) && readAs(given.starter, SENDER);
  const run = readAs(given, { workflowId: NAME, runId: NAME });
  return run && starter ? { ...run, starter } : undefined;
}
