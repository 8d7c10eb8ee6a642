import { condition } from '@temporalio/workflow';
import type { CarriedRotation, RotationReport, Waiting } from '../../domain/rotation/index.ts';
import type { RotationRequest } from '../../domain/request/index.ts';
import type { Delegation, Evidence, Given } from '../../domain/evidence/index.ts';
import { endOfDay } from '../../domain/tokens/index.ts';
import { activities, onDecision } from '../shared/index.ts';
import { Inbox } from './inbox.ts';
import { Rejected } from './ends.ts';
import type { Checklist } from './checklist.ts';
import type { RotationRecord } from './record.ts';

/** One of the approvals that an evidence needs. */
interface CountedApproval {
  given: Given;
  shownBy: string;
  approval: RotationReport['approvals'][number];
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
  /** A person wants the evidence gathered anew. */
  private afresh = false;
  needed = 1;
  /** Rounds of evidence so far. */
  rounds: number;
  /**
   * The approvals of one evidence that count. Reported once they are complete: what one of two
   * people approved may lapse.
   */
  private judged?: { evidence: Evidence; counted: CountedApproval[] };

  constructor(
    private readonly checklist: Checklist,
    private readonly record: RotationRecord,
    private readonly opening: Opening,
  ) {
    this.rounds = opening.carried?.rounds ?? 0;
    this.approvals = new Inbox(
      'approve',
      checklist,
      'approval not accepted: nothing waits for approval now',
    );
    onDecision('reject', checklist, (refusal) => {
      if (!this.isAsking)
        return {
          accepted: false,
          answer:
            'rejection not accepted: no approval is asked for now. To end the rotation, send abort',
        };
      this.rejection = refusal;
      return { accepted: true, answer: `rejected by ${refusal.by}` };
    });
  }

  /** Whether a person is asked, or an answer of theirs is being judged. */
  get isAsking(): boolean {
    return this.approvals.isOpen;
  }

  /** The number of the evidence to be gathered next: no two of one run have the same code. */
  nextRound(): number {
    return ++this.rounds;
  }

  /**
   * Has the evidence that is asked about gathered anew. False where nothing is asked, or nothing
   * that a look can change.
   */
  gatherAfresh(): boolean {
    this.afresh = this.isAsking && this.judged?.evidence.asks === 'revoke';
    return this.afresh;
  }

  private rejected(): boolean {
    return this.rejection !== undefined;
  }

  /**
   * Waits for a person’s decision on this evidence, at most until one of its tokens ends by itself
   * or it is outdated otherwise.
   * @param outdated is told whether an approval counts already or is being judged: then news that
   * only supports the evidence does not outdate it
   * @returns the ids to revoke; undefined where what the evidence rests on has changed
   * @throws Rejected, which ends the rotation
   */
  async ask(
    evidence: Evidence,
    outdated: (isApproved: boolean) => boolean = () => false,
  ): Promise<number[] | undefined> {
    const { checklist } = this;
    const ends = evidence.toRevoke.map(({ expires }) => endOfDay(expires));
    // The same evidence is asked about again where a verdict could not be had.
    if (this.judged?.evidence !== evidence) this.judged = { evidence, counted: [] };
    const { counted } = this.judged;
    const asked = { kind: 'approval', evidence, since: new Date().toISOString() } as const;
    const waiting = (): Waiting =>
      this.needed > 1
        ? { ...asked, needed: this.needed, approvedBy: counted.map(({ shownBy }) => shownBy) }
        : asked;
    let shown = waiting();
    const first = () => this.approvals.first();
    const isOutdated = (): boolean =>
      this.afresh || outdated(counted.length > 0 || first() !== undefined);
    checklist.waitFor(shown);
    this.approvals.open();
    try {
      for (;;) {
        const decided = await before(
          () => first() !== undefined || this.rejection !== undefined || isOutdated(),
          ends.length > 0 ? Math.min(...ends) : undefined,
        );
        if (this.rejection) throw new Rejected(this.rejection);
        if (!decided || isOutdated()) return undefined;
        const { value: approval, sent } = first()!;
        checklist.waitFor(undefined);
        const { request, delegation, carried } = this.opening;
        const verdict = await activities
          .judge({
            approval,
            sent,
            evidence,
            request,
            delegation,
            starter: carried?.starter,
            given: counted.map(({ given }) => given),
          })
          .catch((error: unknown) => {
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
        if (isOutdated()) {
          refuse('the evidence has changed meanwhile');
          continue;
        }
        if (!verdict.counts) {
          checklist.waitFor(shown);
          refuse(verdict.why);
          continue;
        }
        const { by, sender, revoke, names, missing, authenticated } = verdict;
        counted.push({
          given: { names, revoke },
          shownBy: authenticated ? by : `${by} (not authenticated)`,
          approval: {
            asks: evidence.asks,
            by,
            sender,
            evidence: approval.evidence,
            newToken: evidence.newToken?.authorisationId,
            revoke,
            accept: approval.accept,
            at: new Date().toISOString(),
            ...(authenticated ? {} : { authenticated }),
          },
        });
        if (missing > 0) {
          this.needed = counted.length + missing;
          shown = waiting();
          checklist.waitFor(shown);
          const more = `${missing} more approval${missing === 1 ? ' is' : 's are'} needed, by other people`;
          this.approvals.answerFirst({ accepted: true, answer: `approved by ${by}; ${more}` });
          continue;
        }
        this.approvals.answerFirst({ accepted: true, answer: `approved by ${by}` });
        for (const one of counted) this.record.approved(one.approval);
        const all = counted.map(({ shownBy }) => shownBy).join(' and ');
        if (evidence.asks === 'hand-over') checklist.note('approve plan', `by ${all}`);
        else checklist.note('approve', `by ${all}, for ${revoke.join(', ')}`);
        return revoke;
      }
    } finally {
      this.approvals.close();
      this.afresh = false;
      this.rejection = undefined;
      checklist.waitFor(undefined);
    }
  }
}

/** Waits for something, at most until a moment, if there is one. False where it did not come. */
async function before(happened: () => boolean, moment: number | undefined): Promise<boolean> {
  if (moment === undefined) return condition(happened).then(() => true);
  const summary = 'Until the first of the tokens to revoke ends by itself';
  return condition(happened, Math.max(1, moment - Date.now()), { summary });
}
