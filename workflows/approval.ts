import { condition } from '@temporalio/workflow';
import type { Delegation } from '../activities/temporal/interface.ts';
import type { Answer, Approve, Sent } from '../domain/decisions.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { RotationRequest } from '../domain/request.ts';
import { endOfDay } from '../domain/tokens.ts';
import { judge } from './activities.ts';
import { onDecision } from './decisions.ts';
import type { Runbook } from './runbook.ts';

export type Decision =
  | { kind: 'approved'; revoke: number[] }
  | { kind: 'rejected'; by: string; reason: string }
  /** A token the evidence named ended meanwhile: the evidence is gathered afresh. */
  | { kind: 'token-ended' };

const NOT_OPEN: Answer = { accepted: false, answer: 'approval not accepted: nothing waits for approval now' };

/** An approval somebody sent, until it is answered. */
interface Received {
  value: Approve;
  sent: Sent;
  answer?: Answer;
}

/** Takes approvals and rejections, from the rotation's first moment: what comes early is answered and counts for nothing. */
export class ApprovalDesk {
  private approvals: Received[] = [];
  private rejection?: { by: string; reason: string };
  private open = false;

  constructor(
    private readonly book: Runbook,
    private readonly request: RotationRequest,
    private readonly delegation: Delegation | undefined,
  ) {
    onDecision('approve', book, async (value, sent) => {
      if (!this.open) return NOT_OPEN;
      const received: Received = { value, sent };
      this.approvals.push(received);
      await condition(() => received.answer !== undefined);
      return received.answer!;
    });
    onDecision('reject', book, (refusal) => {
      if (!this.open)
        return {
          accepted: false,
          answer: 'rejection not accepted: nothing waits for approval; abort ends a rotation',
        };
      this.rejection = refusal;
      return { accepted: true, answer: `rejected by ${refusal.by}` };
    });
  }

  private rejected(): boolean {
    return this.rejection !== undefined;
  }

  /** Waits for a person's decision on this evidence, at most until one of its tokens ends by itself. */
  async ask(evidence: Evidence): Promise<Decision> {
    const { book } = this;
    const ends = Math.min(...evidence.toRevoke.map(({ expires }) => endOfDay(expires)));
    const waiting = { kind: 'approval', evidence, since: new Date().toISOString() } as const;
    book.waitFor(waiting);
    this.open = true;
    try {
      for (;;) {
        const decided = await condition(
          () => this.approvals.length > 0 || this.rejection !== undefined,
          Math.max(1, ends - Date.now()),
          { summary: 'Until the first of the tokens to revoke ends by itself' },
        );
        if (!decided) return { kind: 'token-ended' };
        if (this.rejection) return { kind: 'rejected', ...this.rejection };
        const received = this.approvals[0]!;
        const { value: approval, sent } = received;
        book.waitFor(undefined);
        const { request, delegation } = this;
        const verdict = await judge({ approval, sent, evidence, request, delegation }).catch((error: unknown) => {
          if (this.rejected()) return undefined;
          throw error;
        });
        this.approvals.shift();
        if (!verdict || this.rejected()) {
          received.answer = { accepted: false, answer: `approval by ${approval.by} not accepted: rejected meanwhile` };
          continue; // whoever says no is heard
        }
        if (!verdict.counts) {
          book.waitFor(waiting);
          received.answer = { accepted: false, answer: `approval by ${approval.by} not accepted: ${verdict.why}` };
          continue;
        }
        const { by, sender, revoke } = verdict;
        book.report.approvals.push({ by, sender, revoke, at: new Date().toISOString() });
        received.answer = { accepted: true, answer: `approved by ${by}` };
        book.note('approve', `by ${by}, for ${revoke.join(', ')}`);
        return { kind: 'approved', revoke };
      }
    } finally {
      this.open = false;
      for (const received of this.approvals) received.answer ??= NOT_OPEN;
      this.approvals = [];
      this.rejection = undefined;
      book.waitFor(undefined);
    }
  }
}
