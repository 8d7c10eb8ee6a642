import { CancellationScope, condition, isCancellation, setHandler } from '@temporalio/workflow';
import type { StepName } from '../domain/checklist.ts';
import { shapeRefusal, shapeRetry } from '../domain/decisions.ts';
import { todoFor } from '../domain/failures.ts';
import type { Outcome } from '../domain/plan.ts';
import { whatLives, type RotationReport } from '../domain/report.ts';
import type { RotationRequest } from '../domain/request.ts';
import type { ListedToken } from '../domain/tokens.ts';
import { Checklist } from './checklist.ts';
import { failureOf } from './failure-of.ts';
import { abort, retry } from './messages.ts';

/** Thrown inside the runbook when a person stops it: unwinds to the tidy end. */
class Stopped extends Error {}

/**
 * Carries a rotation through its steps: progress, blocking, retry, and the tidy stop.
 * One mechanism for all steps: a step whose retries are spent blocks until a person sends `retry`, then runs again.
 */
export class Runbook extends Checklist {
  readonly accepted = new Set<string>();
  /** Tokens whose revoke was begun: one of them that is gone was not revoked by somebody else. */
  readonly revokesBegun: ListedToken[] = [];
  private stop?: { by: string; reason: string };
  private interrupt: () => void = () => undefined;
  private resume = false;

  constructor(request: RotationRequest) {
    super(request);
    this.listen();
  }

  /** Runs one step. A failure blocks it until `retry`; a stop ends it, unless it is inside `CancellationScope.nonCancellable`. */
  async step<T>(name: StepName, act: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      this.stopIfAsked();
      this.begin(name);
      const scope = new CancellationScope();
      this.interrupt = () => scope.cancel();
      try {
        const result = await scope.run(act);
        this.rest();
        this.mark(name, 'done');
        this.stopIfAsked();
        return result;
      } catch (error) {
        this.rest();
        if (error instanceof Stopped || (this.stop && isCancellation(error))) throw new Stopped();
        this.stopIfAsked();
        await this.block(name, failureOf(error), tries);
      }
    }
  }

  close(outcome: Outcome, why: string): RotationReport {
    this.progress.waiting = undefined;
    this.progress.ended = true;
    this.report.outcome = outcome;
    this.report.why = why;
    this.remark(`Ended as ${outcome}: ${why}`);
    return this.report;
  }

  /** Ends the rotation here, if somebody asked for it. */
  stopIfAsked(): void {
    if (this.stop) throw new Stopped();
  }

  hasRevoked(id: number): boolean {
    return this.report.revoked.some(({ authorisationId }) => authorisationId === id);
  }

  /** Keeps for the report what was revoked: what is known to be, and what was begun and is no longer listed. */
  countRevoked(listed: readonly ListedToken[], known: readonly ListedToken[] = this.revokesBegun): void {
    for (const token of known) {
      const { authorisationId } = token;
      if (this.hasRevoked(authorisationId) || listed.some((still) => still.authorisationId === authorisationId))
        continue;
      this.report.revoked.push(token);
      this.report.alive = this.report.alive.filter((alive) => alive.authorisationId !== authorisationId);
      this.note('revoke', `revoked ${this.report.revoked.map(({ masked }) => masked).join(', ')}`);
    }
  }

  /** Asks the rotation to end, as soon as what must not be cut short has run to its end. */
  requestStop(by: string, reason: string): void {
    this.stop ??= { by, reason };
    this.answer(`stopping: asked by ${by}`);
    this.interrupt();
  }

  /** The tidy end after a stop: says what was revoked and what lives on. */
  closeStopped(): RotationReport {
    const { by, reason } = this.stop ?? { by: 'nobody', reason: '' };
    return this.close('aborted', `${by} stopped it (${reason}); ${whatLives(this.report, this.revokesBegun)}`);
  }

  private async block(step: StepName, failure: { type: string; message: string }, tries: number): Promise<void> {
    this.resume = false;
    this.mark(step, 'blocked', `${failure.type}: ${failure.message}`);
    this.waitFor({
      kind: 'blocked',
      step,
      failure: failure.type,
      message: failure.message,
      todo: todoFor(failure.type),
      since: new Date().toISOString(),
      tries,
    });
    await condition(() => this.resume || this.stop !== undefined);
    this.waitFor(undefined);
    this.stopIfAsked();
  }

  private listen(): void {
    setHandler(
      retry,
      (input) => {
        const shaped = shapeRetry(input);
        if (!shaped.ok) return this.answer(`retry not accepted: ${shaped.why}`);
        if (this.progress.waiting?.kind !== 'blocked') return this.answer('retry not accepted: nothing is blocked');
        if (shaped.value.accept && this.progress.waiting.failure !== 'UnlistedToken')
          return this.answer('retry not accepted: accept: nothing is up for acceptance here');
        for (const accepted of shaped.value.accept ?? []) this.accepted.add(accepted);
        const accepting = shaped.value.accept ? `, accepting ${shaped.value.accept.join(', ')}` : '';
        this.remark(`${shaped.value.by} sent retry in “${this.progress.waiting.step}”${accepting}`);
        this.answer(`retrying: asked by ${shaped.value.by}`);
        this.resume = true;
      },
      { description: 'Go on from the blocked step: {"by": "you@example.org"}' },
    );
    setHandler(
      abort,
      (input) => {
        const shaped = shapeRefusal(input);
        if (!shaped.ok) return this.answer(`abort not accepted: ${shaped.why}`);
        this.requestStop(shaped.value.by, shaped.value.reason);
      },
      { description: 'End here, tidily: {"by": "you@example.org", "reason": "…"}' },
    );
  }
}

/** Opens the runbook for a request and runs its steps to a tidy end, whoever stops it. A cancel is taken as `abort`. */
export async function runbook(
  request: RotationRequest,
  steps: (book: Runbook) => Promise<RotationReport>,
): Promise<RotationReport> {
  const book = new Runbook(request);
  CancellationScope.current().cancelRequested.catch(() =>
    book.requestStop('a cancel request', 'the workflow was cancelled'),
  );
  return CancellationScope.nonCancellable(async () => {
    try {
      return await steps(book);
    } catch (error) {
      if (error instanceof Stopped) return book.closeStopped();
      throw error;
    }
  });
}
