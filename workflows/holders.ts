import { condition } from '@temporalio/workflow';
import {
  running,
  workloadsOf,
  type ClusterLook,
  type Consumer,
  type Readers,
  type Workload,
} from '../domain/cluster.ts';
import type { Classify } from '../domain/decisions.ts';
import { findingsOf, isHolder, readInCluster, recipientOf, type Findings } from '../domain/holders.ts';
import type { Assessment, Pair } from '../domain/plan.ts';
import type { RotationRequest } from '../domain/request.ts';
import type { Recipient } from '../domain/settings.ts';
import { listTokens, lookAtConsumers, readLastSync } from './activities.ts';
import { refuseOtherEnvironment, refuseReadInCluster } from './assess.ts';
import { Inbox } from './inbox.ts';
import { refuseUnprovable } from './rollout.ts';
import type { Runbook } from './runbook.ts';

/** Who holds the pair's token. */
export interface Holders {
  readers: Readers;
  look: ClusterLook;
  /** The holder outside the cluster, where there is one. */
  recipient?: Recipient;
  /** Nobody does, as a person says. */
  disused?: true;
}

/** Finds out who holds a token: the workloads that read its Secret, else whoever a search finds, else whom a person names. */
export class HolderDesk {
  private readonly classifications: Inbox<'classify'>;

  constructor(
    private readonly book: Runbook,
    private readonly request: RotationRequest,
  ) {
    this.classifications = new Inbox('classify', book, 'classify not accepted: nothing waits for a classification');
  }

  async find({ settings, pair, tokens, look }: Assessment): Promise<Holders> {
    const { book, request } = this;
    const recipient = recipientOf(settings, pair);
    const everywhere: Readers = { secret: pair.secret, also: [], holding: tokens };
    // Who reads the Secret is known; somebody may have copied the token elsewhere all the same, and holds it then.
    if (running(look).length > 0) return { readers: { ...everywhere, asking: 'copies' }, look, recipient };

    // Nothing that reads the Secret runs: whoever was given the token by another way holds it all the same.
    const searched = await book.step('classify', () => this.search(everywhere, pair, recipient));
    if (searched.consumers.length > 0) {
      const found = workloadsOf(running(searched));
      book.note('classify', found.length > 0 ? `found by a search: ${found.join(', ')}` : 'a search found nobody else');
      return { readers: { ...everywhere, also: searched.consumers }, look: searched, recipient };
    }
    if (request.recipient !== undefined) {
      book.note('classify', `held outside by ${request.recipient}, as the request says`);
      return { readers: everywhere, look: searched, recipient };
    }
    return book.step('classify', async () => {
      const lastSyncedAt = await readLastSync(pair);
      const findings = findingsOf({ pair, settings, tokens, look: searched, lastSyncedAt });
      return this.ask(pair, findings, { readers: everywhere, look: searched, recipient });
    });
  }

  private async search(everywhere: Readers, pair: Pair, recipient: Recipient | undefined): Promise<ClusterLook> {
    const found = await lookAtConsumers(everywhere);
    refuseUnprovable(found, pair);
    refuseOtherEnvironment(found, this.request);
    refuseReadInCluster(found, recipient);
    return found;
  }

  /** Asks a person, until what they say can be believed. */
  private async ask(pair: Pair, findings: Findings, outside: Holders): Promise<Holders> {
    const { book, classifications } = this;
    book.waitFor({ kind: 'classification', findings, since: new Date().toISOString() });
    classifications.open();
    try {
      for (;;) {
        await condition(() => classifications.first() !== undefined);
        const { value } = classifications.first()!;
        const holders = await this.believe(value, pair, findings, outside);
        if (typeof holders === 'object') {
          classifications.answerFirst({ accepted: true, answer: `classified as ${value.as} by ${value.by}` });
          book.note('classify', `${value.as}, says ${value.by}`);
          return holders;
        }
        classifications.answerFirst({ accepted: false, answer: `classify by ${value.by} not accepted: ${holders}` });
      }
    } finally {
      classifications.close();
      book.waitFor(undefined);
    }
  }

  /** The holders that somebody names, or why they are not believed. */
  private async believe(said: Classify, pair: Pair, findings: Findings, outside: Holders): Promise<Holders | string> {
    const { recipient } = findings;
    if (said.as === 'disused') return { ...outside, disused: true };
    if (said.as === 'external')
      return said.recipient === recipient
        ? outside
        : `the settings name ${recipient === undefined ? 'no recipient' : `“${recipient}”`} for this API user, not “${said.recipient}”`;
    const consumer: Consumer = {
      workload: said.workload as Workload,
      container: said.container,
      variable: said.variable,
    };
    const tokens = await listTokens(pair); // days may have passed since they were shown
    const readers: Readers = { ...outside.readers, also: [consumer], holding: tokens };
    const look = await lookAtConsumers(readers);
    if (!isHolder(consumer, look, tokens))
      return `no running ${said.container} of ${said.workload} holds one of the pair’s tokens in ${said.variable}`;
    return readInCluster(outside.recipient, look) ?? { ...outside, readers, look };
  }
}
