import { ApplicationFailure } from '@temporalio/workflow';
import type { ClusterLook, Readers } from '../domain/cluster.ts';
import { gatherHandOver } from '../domain/evidence.ts';
import type { Assessment } from '../domain/plan.ts';
import type { Recipient } from '../domain/settings.ts';
import type { ListedToken } from '../domain/tokens.ts';
import { lookAtConsumers } from './activities.ts';
import type { ApprovalDesk } from './approval.ts';
import { refuseReadInCluster } from './assess.ts';
import { issueToken } from './issue.ts';
import type { Fresh } from './revoke.ts';
import type { Runbook } from './runbook.ts';

/** Brings the new token to its holder outside the cluster: agreed first, and only as the ciphertext of a token that this rotation issued. */
export class Courier {
  private isAgreed = false;
  /** The token that a person says its holder has, though this rotation did not hand it over. */
  private vouchedFor?: number;

  constructor(
    private readonly book: Runbook,
    private readonly desk: ApprovalDesk,
    private readonly assessment: Pick<Assessment, 'settings' | 'pair'> & { readers: Readers },
    private readonly recipient: Recipient,
  ) {}

  /** Asks whether a token may be issued and handed over; once for a rotation. */
  async agreed(look: ClusterLook): Promise<void> {
    if (this.isAgreed) return;
    const { book, desk, recipient } = this;
    const evidence = gatherHandOver({ round: desk.nextRound(), now: Date.now(), recipient, look });
    await book.step('approve plan', async () => {
      await desk.ask(evidence);
      refuseReadInCluster(await lookAtConsumers(this.assessment.readers), recipient); // days may have passed
    });
    this.isAgreed = true;
  }

  /** Makes sure that the new token can be with its holder; issues another where its value is not known, if a person says so. */
  async delivered(now: Fresh): Promise<Fresh> {
    const { book, recipient } = this;
    const said = await book.step('hand over', () => Promise.resolve(this.whether(now.newToken)));
    if (said === 'delivered') return now;
    await this.agreed(now.look);
    const issued = await book.step('issue', () =>
      issueToken(book, { ...this.assessment, tokens: now.tokens }, { kind: 'issue' }, { force: false, recipient }),
    );
    return this.delivered({ ...issued, look: now.look });
  }

  private whether({ authorisationId, masked }: ListedToken): 'delivered' | 'issue-another' {
    const { book, recipient } = this;
    const { name } = recipient;
    const token = `${masked} (authorisation ${authorisationId})`;
    if (book.report.handOver?.authorisationId === authorisationId) {
      book.note('hand over', `${token} is encrypted for ${name}: send it to them`);
      return 'delivered';
    }
    if (book.accepted.delete('already-handed-over')) this.vouchedFor = authorisationId;
    if (this.vouchedFor === authorisationId) {
      book.note('hand over', `${name} has ${token}, as a person says`);
      return 'delivered';
    }
    if (book.accepted.delete('issue-another')) return 'issue-another';
    throw ApplicationFailure.nonRetryable(
      `${token} was not issued by this rotation, or its value was lost: it cannot be encrypted for ${name}`,
      'CannotHandOver',
    );
  }
}
