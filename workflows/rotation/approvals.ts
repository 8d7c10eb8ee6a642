import { condition } from '@temporalio/workflow';
import type { Delegation } from '../../activities/temporal/interface.ts';
import type {
  CarriedRotation,
  RotationReport,
  StepName,
  Waiting,
} from '../../domain/rotation/index.ts';
import type { RotationRequest } from '../../domain/request/index.ts';
import type { Evidence, Given } from '../../domain/evidence/index.ts';
import { endOfDay } from '../../domain/tokens/index.ts';
import { judge, onDecision } from '../shared/index.ts';
import { Inbox } from './inbox.ts';
import { Rejected } from './ends.ts';
import type { RotationRecord } from './record.ts';

/** What it says and asks of the runbook. */
interface Book {
  rounds: number;
  answer: (text: string) => void;
  note: (step: StepName, note: string) => void;
  waitFor: (waiting: Waiting | undefined) => void;
  record: Pick<RotationRecord, 'approved'>;
}

/** What a run of a rotation is started with. */
export interface Opening {
  request: RotationRequest;
  delegation: Delegation | undefined;
  /** What the run before handed on. */
  carried: CarriedRotation | undefined;
}

/**
 * Takes approvals and rejections, from the rotation's first moment: what comes early is answered
 * and counts for nothing.
 */
export class Approvals {
  private readonly approvals: Inbox<'approve'>;
  private rejection?: { by: string; reason: string };
  private asks: Evidence['asks'] = 'revoke';
  private open = false;
  /** Whether a person is asked, or an answer of theirs is being judged. */
  get isAsking(): boolean {
    return this.open;
  }

  /** A person wants the evidence gathered anew. */
  private afresh = false;
  needed = 1;

  constructor(
    private readonly book: Book,
    private readonly opening: Opening,
  ) {
    this.approvals = new Inbox(
      'approve',
      book,
      'approval not accepted: nothing waits for approval now',
    );
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

  /** The number of the evidence to be gathered next: no two of one run have the same code. */
  nextRound(): number {
    return ++this.book.rounds;
  }

  /**
   * Has the evidence that is asked about gathered anew. False where nothing is asked, or nothing
   * that a look can change.
   */
  gatherAfresh(): boolean {
    this.afresh = this.open && this.asks === 'revoke';
    return this.afresh;
  }

  private rejected(): boolean {
    return this.rejection !== undefined;
  }

  /**
   * Waits for a person's decision on this evidence, at most until one of its tokens ends by itself
   * or it is outdated otherwise.
   * @returns the ids to revoke; undefined where what the evidence rests on has changed
   * @throws Rejected, which ends the rotation
   */
  async ask(
    evidence: Evidence,
    outdated: () => boolean = () => false,
  ): Promise<number[] | undefined> {
    const { book } = this;
    const ends = evidence.toRevoke.map(({ expires }) => endOfDay(expires));
    const given: Given[] = [];
    const approvedBy: string[] = [];
    /** Reported once they are complete: what one of two people approved may lapse. */
    const approvals: RotationReport['approvals'] = [];
    const asked = { kind: 'approval', evidence, since: new Date().toISOString() } as const;
    const waiting = (): Waiting =>
      this.needed > 1 ? { ...asked, needed: this.needed, approvedBy: [...approvedBy] } : asked;
    book.waitFor(waiting());
    this.open = true;
    this.asks = evidence.asks;
    this.approvals.open();
    try {
      for (;;) {
        const decided = await before(
          () =>
            this.approvals.first() !== undefined ||
            this.rejection !== undefined ||
            this.afresh ||
            outdated(),
          ends.length > 0 ? Math.min(...ends) : undefined,
        );
        if (this.rejection) throw new Rejected(this.rejection);
        if (!decided || this.afresh || outdated()) return undefined;
        const received = this.approvals.first()!;
        const { value: approval, sent } = received;
        book.waitFor(undefined);
        const { request, delegation, carried } = this.opening;
        const starter = carried?.starter;
        const verdict = await judge({
          approval,
          sent,
          evidence,
          request,
          delegation,
          starter,
          given,
        }).catch((error: unknown) => {
          if (this.rejected()) return undefined;
          throw error;
        });
        const refuse = (why: string): void =>
          this.approvals.answerFirst({
            accepted: false,
            answer: `approval${approval.by ? ` by ${approval.by}` : ''} not accepted: ${why}`,
          });
        if (!verdict || this.rejected()) {
          refuse('rejected meanwhile');
          continue; // whoever says no is heard
        }
        if (this.afresh || outdated()) {
          refuse('the evidence has changed meanwhile');
          continue;
        }
        if (!verdict.counts) {
          book.waitFor(waiting());
          refuse(verdict.why);
          continue;
        }
        const { by, sender, revoke, names, missing, authenticated } = verdict;
        const { evidence: code, accept } = approval;
        approvals.push({
          asks: evidence.asks,
          by,
          sender,
          evidence: code,
          newToken: evidence.newToken?.authorisationId,
          revoke,
          accept,
          at: new Date().toISOString(),
          ...(authenticated ? {} : { authenticated }),
        });
        const shownBy = authenticated ? by : `${by} (not authenticated)`;
        if (missing > 0) {
          given.push({ names, revoke });
          approvedBy.push(shownBy);
          this.needed = given.length + missing;
          book.waitFor(waiting());
          const more = `${missing} more approval${missing === 1 ? ' is' : 's are'} needed, by other people`;
          this.approvals.answerFirst({ accepted: true, answer: `approved by ${by}; ${more}` });
          continue;
        }
        this.approvals.answerFirst({ accepted: true, answer: `approved by ${by}` });
        for (const one of approvals) book.record.approved(one);
        const all = [...approvedBy, shownBy].join(' and ');
        if (evidence.asks === 'hand-over') book.note('approve plan', `by ${all}`);
        else book.note('approve', `by ${all}, for ${revoke.join(', ')}`);
        return revoke;
      }
    } finally {
      this.open = false;
      this.afresh = false;
      this.approvals.close();
      this.rejection = undefined;
      book.waitFor(undefined);
    }
  }
}

/** Waits for something, at most until a moment, if there is one. False where it did not come. */
async function before(happened: () => boolean, moment: number | undefined): Promise<boolean> {
  if (moment === undefined) return condition(happened).then(() => true);
  const summary = 'Until the first of the tokens to revoke ends by itself';
  return condition(happened, Math.max(1, moment - Date.now()), { summary });
}
