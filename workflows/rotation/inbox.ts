import type { Answer, DecisionName, Decisions, DecisionId } from '../../domain/evidence/index.ts';
import { onDecision, type Shows } from '../shared/index.ts';

interface PendingDecision<T> {
  value: T;
  sent: DecisionId;
  answer: (answer: Answer) => void;
}

/**
 * Decisions of one name, taken one after the other while a step asks for them; at any other time
 * they are answered and count for nothing.
 */
export class Inbox<Name extends DecisionName> {
  private waiting: PendingDecision<Decisions[Name]>[] = [];
  /** Whether a step asks for them. */
  isOpen = false;

  constructor(
    name: Name,
    shows: Shows,
    /** The answer to what comes while nobody asks. */
    private readonly closed: string,
  ) {
    onDecision(name, shows, (value, sent) => {
      if (!this.isOpen) return this.notOpen();
      return new Promise<Answer>((answer) => this.waiting.push({ value, sent, answer }));
    });
  }

  open(): void {
    this.isOpen = true;
  }

  first(): PendingDecision<Decisions[Name]> | undefined {
    return this.waiting[0];
  }

  answerFirst(answer: Answer): void {
    this.waiting.shift()?.answer(answer);
  }

  /** Answers whatever is left: nobody asks any more. */
  close(): void {
    this.isOpen = false;
    for (const { answer } of this.waiting.splice(0)) answer(this.notOpen());
  }

  private notOpen(): Answer {
    return { accepted: false, answer: this.closed };
  }
}
