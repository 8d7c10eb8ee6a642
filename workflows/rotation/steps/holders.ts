import { condition } from '@temporalio/workflow';
import type { ClusterLook, Consumer, Readers, Workload } from '../../../domain/cluster/index.ts';
import type { Classify } from '../../../domain/evidence/index.ts';
import {
  type Assessment,
  type Findings,
  findingsOf,
  isHolder,
  type Pair,
  readersAfter,
  readInCluster,
  recipientOf,
} from '../../../domain/rotation/index.ts';
import type { Recipient } from '../../../domain/settings/index.ts';
import { activities } from '../../shared/index.ts';
import type { Runbook } from '../runbook.ts';

/** Who holds the pair's token. */
export interface Holders {
  readers: Readers;
  look: ClusterLook;
  /** The holder outside the cluster, where there is one. */
  recipient?: Recipient;
  /** Nobody does, as a person says. */
  disused?: true;
}

/** Finds out who holds a token: the consumers of the first look, else whom a person names. */
export async function findHolders(book: Runbook, assessment: Assessment): Promise<Holders> {
  const { settings, pair, look, readers } = assessment;
  const holders: Holders = { readers, look, recipient: recipientOf(settings, pair) };
  if (look.consumers.length > 0) return holders;
  if (book.request.recipient !== undefined) {
    book.note('classify', `held outside by ${book.request.recipient}, as the request says`);
    return holders;
  }
  return book.step('classify', () => ask(book, pair, findingsOf(assessment), holders));
}

/** Asks a person, until what they say can be believed. */
async function ask(
  book: Runbook,
  pair: Pair,
  findings: Findings,
  outside: Holders,
): Promise<Holders> {
  const { classifications } = book;
  book.waitFor({ kind: 'classification', findings, since: new Date().toISOString() });
  classifications.open();
  try {
    for (;;) {
      await condition(() => classifications.first() !== undefined);
      const { value } = classifications.first()!;
      const holders = await believe(value, pair, findings, outside);
      if (typeof holders === 'object') {
        classifications.answerFirst({
          accepted: true,
          answer: `classified as ${value.as} by ${value.by}`,
        });
        book.note('classify', `${value.as}, says ${value.by}`);
        return holders;
      }
      classifications.answerFirst({
        accepted: false,
        answer: `classify by ${value.by} not accepted: ${holders}`,
      });
    }
  } finally {
    classifications.close();
    book.waitFor(undefined);
  }
}

/** The holders that somebody names, or why they are not believed. */
async function believe(
  said: Classify,
  pair: Pair,
  findings: Findings,
  outside: Holders,
): Promise<Holders | string> {
  const { recipient } = findings;
  if (said.as === 'disused') return { ...outside, disused: true };
  if (said.as === 'external') {
    const named = recipient === undefined ? 'no recipient' : `“${recipient}”`;
    return said.recipient === recipient
      ? outside
      : `the settings name ${named} for this API user, not “${said.recipient}”`;
  }
  const { workload, container, variable } = said;
  const consumer: Consumer = { workload: workload as Workload, container, variable };
  const tokens = await activities.listTokens(pair); // days may have passed since they were shown
  const look = await activities.lookAtConsumers(
    readersAfter(outside.readers, tokens, outside.look),
  );
  if (!isHolder(consumer, look, tokens))
    return `no running ${container} of ${workload} holds one of the pair’s tokens in ${variable}`;
  const both = readInCluster(outside.recipient, look);
  return both ?? { ...outside, readers: readersAfter(outside.readers, tokens, look), look };
}
