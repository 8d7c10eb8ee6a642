import { CancellationScope } from '@temporalio/workflow';
import type { Answer, DecisionId } from '../../domain/evidence/index.ts';
import { activities, type Attempts } from '../shared/index.ts';
import type { Checklist } from './checklist.ts';
import { Stopped } from './ends.ts';

/**
 * Takes aborts and cancels: the first one ends the rotation, as soon as what must not be cut short
 * has run to its end.
 */
export class Stops {
  /** The one that ends the rotation. */
  stop?: { by: string; reason: string };
  /** Settles when it is known of every stop whether it counts. */
  judged: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly checklist: Checklist,
    private readonly attempts: Attempts,
  ) {}

  /**
   * Ends the rotation as somebody asks. What a reset applied again was sent to an earlier run, and
   * counts for nothing.
   */
  async take(sent: DecisionId | 'cancel', by: string, reason: string): Promise<Answer> {
    const before = CancellationScope.nonCancellable(() => activities.wasSentBefore(sent)).catch(
      () => false,
    );
    this.judged = Promise.all([this.judged, before]);
    if (await before) {
      const answer = `not stopped: ${by} asked an earlier run of this rotation, which was reset; send abort to end this one`;
      this.checklist.remark(answer);
      return { accepted: false, answer };
    }
    this.stop ??= { by, reason };
    this.attempts.interrupt();
    return { accepted: true, answer: `stopping: asked by ${by}` };
  }

  stopIfAsked(): void {
    if (this.stop) throw new Stopped();
  }

  /** Ends the rotation here, if somebody asked for it; whoever asked just now is heard first. */
  async stopIfJustAsked(): Promise<void> {
    await this.judged;
    this.stopIfAsked();
  }
}
