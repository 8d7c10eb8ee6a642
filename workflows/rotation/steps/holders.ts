import { condition } from '@temporalio/workflow';
import { type Consumer, isHolder, type Workload } from '../../../domain/cluster/index.ts';
import type { Classify } from '../../../domain/evidence/index.ts';
import {
  findingsOf,
  readersAfter,
  readInCluster,
  type Situation,
} from '../../../domain/rotation/index.ts';
import { activities } from '../../shared/index.ts';
import type { Runbook } from '../runbook.ts';

/** What is known once somebody said who holds the pair's token; nobody, where `disused`. */
type Held = Situation & { disused?: true };

/** Finds out who holds a token: the consumers of the first look, else whom a person names. */
export async function findHolders(book: Runbook, assessed: Situation): Promise<Held> {
  if (assessed.look.consumers.length > 0) return assessed;
  const { recipient } = book.request;
  if (recipient === undefined) return book.step('classify', () => ask(book, assessed));
  book.note('classify', `held outside by ${recipient}, as the request says`);
  return assessed;
}

/** Asks a person, until what they say can be believed. */
async function ask(book: Runbook, assessed: Situation): Promise<Held> {
  const { classifications } = book;
  const findings = findingsOf(assessed);
  book.checklist.waitFor({ kind: 'classification', findings, since: new Date().toISOString() });
  classifications.open();
  try {
    for (;;) {
      await condition(() => classifications.first() !== undefined);
      const { value } = classifications.first()!;
      const held = await believe(value, assessed);
      if (typeof held === 'object') {
        classifications.answerFirst({
          accepted: true,
          answer: `classified as ${value.as} by ${value.by}`,
        });
        book.note('classify', `${value.as}, says ${value.by}`);
        return held;
      }
      classifications.answerFirst({
        accepted: false,
        answer: `classify by ${value.by} not accepted: ${held}`,
      });
    }
  } finally {
    classifications.close();
    book.checklist.waitFor(undefined);
  }
}

/** The holders that somebody names, or why they are not believed. */
async function believe(said: Classify, assessed: Situation): Promise<Held | string> {
  if (said.as === 'disused') return { ...assessed, disused: true };
  const { pair, readers, recipient } = assessed;
  if (said.as === 'external') {
    const named = recipient === undefined ? 'no recipient' : `“${recipient.name}”`;
    return said.recipient === recipient?.name
      ? assessed
      : `the settings name ${named} for this API user, not “${said.recipient}”`;
  }
  const { workload, container, variable } = said;
  const consumer: Consumer = { workload: workload as Workload, container, variable };
  const tokens = await activities.listTokens(pair); // days may have passed since they were shown
  const look = await activities.lookAtConsumers(readersAfter(readers, tokens, assessed.look));
  if (!isHolder(consumer, look, tokens))
    return `no running ${container} of ${workload} holds one of the pair’s tokens in ${variable}`;
  const both = readInCluster(recipient, look);
  return both ?? { ...assessed, readers: readersAfter(readers, tokens, look), look };
}
