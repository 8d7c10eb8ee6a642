import { condition, setHandler } from '@temporalio/workflow';
import type { Delegation } from '../activities/temporal/interface.ts';
import { shapeApprove, shapeRefusal, type Approve } from '../domain/decisions.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { RotationRequest } from '../domain/request.ts';
import { endOfDay } from '../domain/tokens.ts';
import { judge } from './activities.ts';
import { approve, reject } from './messages.ts';
import type { Runbook } from './runbook.ts';

export type Decision =
  | { kind: 'approved'; revoke: number[] }
  | { kind: 'rejected'; by: string; reason: string }
  /** A token the evidence named ended meanwhile: the evidence is gathered afresh. */
  | { kind: 'token-ended' };

/** Takes approvals and rejections, from the rotation's first moment: what comes early is answered and counts for nothing. */
export class ApprovalDesk {
  private readonly approvals: { value: Approve; ordinal: number }[] = [];
  private rejection?: { by: string; reason: string };
  private received = 0;
  private open = false;

  constructor(
    private readonly book: Runbook,
    private readonly request: RotationRequest,
    private readonly delegation: Delegation | undefined,
  ) {
    setHandler(
      approve,
      (input) => {
        const ordinal = this.received++;
        const shaped = shapeApprove(input);
        if (!shaped.ok) return book.answer(`approval not accepted: ${shaped.why}`);
        if (!this.open) return book.answer('approval not accepted: nothing waits for approval now');
        this.approvals.push({ value: shaped.value, ordinal });
      },
      { description: 'Revoke what the evidence covers: {"by": "you@example.org", "evidence": "code in the details"}' },
    );
    setHandler(
      reject,
      (input) => {
        const shaped = shapeRefusal(input);
        if (!shaped.ok) return book.answer(`rejection not accepted: ${shaped.why}`);
        if (!this.open) return book.answer('rejection not accepted: nothing waits for approval; abort ends a rotation');
        this.rejection = shaped.value;
      },
      { description: 'Keep the old token and end: {"by": "you@example.org", "reason": "…"}' },
    );
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
        );
        if (!decided) return { kind: 'token-ended' };
        if (this.rejection) return { kind: 'rejected', ...this.rejection };
        const { value, ordinal } = this.approvals[0]!;
        book.waitFor(undefined);
        const verdict = await judge({
          approval: value,
          ordinal,
          evidence,
          request: this.request,
          delegation: this.delegation,
        });
        this.approvals.shift();
        if (this.rejected()) continue; // came while the approval was judged: whoever says no is heard
        if (!verdict.counts) {
          book.waitFor(waiting);
          book.answer(`approval by ${value.by} not accepted: ${verdict.why}`);
          continue;
        }
        const { by, sender, revoke } = verdict;
        book.report.approvals.push({ by, sender, revoke, at: new Date().toISOString() });
        book.answer(`approved by ${by}`);
        return { kind: 'approved', revoke };
      }
    } finally {
      this.open = false;
      this.approvals.length = 0;
      this.rejection = undefined;
      book.waitFor(undefined);
    }
  }
}
