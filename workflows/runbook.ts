import { allHandlersFinished, CancellationScope, condition, isCancellation, setHandler } from '@temporalio/workflow';
import type { StepName, Waiting } from '../domain/checklist.ts';
import type { Readers, Workload } from '../domain/cluster.ts';
import type { Answer, Retry, RetryAccept } from '../domain/decisions.ts';
import { todoFor } from '../domain/failures.ts';
import { remediesFor } from '../domain/offers.ts';
import type { Outcome } from '../domain/plan.ts';
import { whatLives, type RotationReport } from '../domain/report.ts';
import type { RotationRequest } from '../domain/request.ts';
import { parseSyncAnswer, type SyncAnswer } from '../domain/sync-requests.ts';
import { startOfDay, type ListedToken } from '../domain/tokens.ts';
import { Checklist } from './checklist.ts';
import { onDecision } from './decisions.ts';
import { failureOf, type ShownFailure } from './failure-of.ts';
import { syncAnswered } from './messages.ts';
import { RotationMetrics } from './metrics.ts';
import { Notices } from './notices.ts';
import { watchEnds } from './watch-ends.ts';

/** Thrown inside the runbook when a person stops it: unwinds to the tidy end. */
class Stopped extends Error {}

/** Thrown where a person rejected what they were asked: unwinds to the end of the rotation. */
export class Rejected extends Error {
  constructor(readonly refusal: { by: string; reason: string }) {
    super();
  }
}

/** What a person vouches for of one token: it answers one question, and no later one. */
const ANSWERED_ONCE: readonly RetryAccept[] = ['already-handed-over', 'issue-another'];

/**
 * Carries a rotation through its steps: progress, blocking, retry, and the tidy stop.
 * One mechanism for all steps: a step whose retries are spent blocks until a person sends `retry`, then runs again.
 */
export class Runbook extends Checklist {
  readonly accepted = new Set<string>();
  /** Tokens whose revoke was begun: one of them that is gone was not revoked by somebody else. */
  readonly revokesBegun: ListedToken[] = [];
  readonly notices: Notices;
  private readonly metrics: RotationMetrics;
  /** What became of the syncs that were asked for, by ticket. */
  readonly syncAnswers = new Map<string, SyncAnswer>();
  /** Where the pair's token is read, as far as is known. */
  readers?: Readers;
  private stop?: { by: string; reason: string };
  private interrupt: () => void = () => undefined;
  private resume = false;
  private remedy: { restart?: Workload[]; sync?: boolean } = {};

  constructor(request: RotationRequest) {
    super(request);
    this.metrics = new RotationMetrics(request.environment);
    this.notices = new Notices(request, () => {
      const old = this.oldTokens();
      return old.find(({ expires }) => startOfDay(expires) > Date.now()) ?? old.at(-1);
    });
    this.listen();
  }

  /** Runs one step. A failure blocks it until `retry`; a stop ends it, unless it is inside `CancellationScope.nonCancellable`. */
  async step<T>(name: StepName, act: () => Promise<T>): Promise<T> {
    const begun = Date.now();
    for (let tries = 1; ; tries++) {
      this.stopIfAsked();
      this.begin(name);
      const scope = new CancellationScope();
      this.interrupt = () => scope.cancel();
      try {
        const result = await scope.run(act);
        this.rest();
        this.mark(name, 'done');
        this.metrics.stepDone(name, Date.now() - begun);
        this.stopIfAsked();
        return result;
      } catch (error) {
        this.rest();
        if (error instanceof Rejected) {
          this.mark(name, 'done', `rejected by ${error.refusal.by}`);
          throw error;
        }
        if (error instanceof Stopped || (this.stop && isCancellation(error))) throw new Stopped();
        this.stopIfAsked();
        await this.block(name, failureOf(error), tries);
      }
    }
  }

  /** Says what a person is needed for, and reminds them until it goes on. */
  override waitFor(waiting: Waiting | undefined): void {
    super.waitFor(waiting);
    if (waiting) void this.notices.whileNeeded(waiting, () => this.progress.waiting === waiting);
  }

  close(outcome: Outcome, why: string): RotationReport {
    this.progress.waiting = undefined;
    this.progress.outcome = outcome;
    this.report.outcome = outcome;
    this.metrics.ended(outcome);
    this.report.why = why;
    this.remark(why);
    return this.report;
  }

  /** Ends the rotation here, if somebody asked for it. */
  stopIfAsked(): void {
    if (this.stop) throw new Stopped();
  }

  /** Tokens that were live when last looked at, but the new one; the first to end comes first. */
  oldTokens(): ListedToken[] {
    return this.report.alive
      .filter(({ authorisationId }) => authorisationId !== this.report.newToken?.authorisationId)
      .toSorted((a, b) => (a.expires < b.expires ? -1 : 1));
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
    }
    const { revoked } = this.report;
    if (revoked.length > 0) this.note('revoke', `revoked ${revoked.map(({ masked }) => masked).join(', ')}`);
  }

  /** Asks the rotation to end, as soon as what must not be cut short has run to its end. */
  requestStop(by: string, reason: string): void {
    this.stop ??= { by, reason };
    this.interrupt();
  }

  /** The tidy end after a stop: says what was revoked and what lives on. */
  closeStopped(): RotationReport {
    const { by, reason } = this.stop ?? { by: 'nobody', reason: '' };
    return this.close('aborted', `${by} stopped it (${reason}); ${whatLives(this.report, this.revokesBegun)}`);
  }

  /** The end after a rejection: the old token stays. */
  closeRejected({ by, reason }: { by: string; reason: string }): RotationReport {
    return this.close('rejected', `${by}: ${reason}; ${whatLives(this.report, this.revokesBegun)}`);
  }

  private async block(step: StepName, failure: ShownFailure, tries: number): Promise<void> {
    this.resume = false;
    for (const once of ANSWERED_ONCE) this.accepted.delete(once);
    this.mark(step, 'blocked', failure.type);
    this.metrics.blocked(step, failure.type);
    this.waitFor({
      kind: 'blocked',
      step,
      failure: failure.type,
      message: failure.message,
      todo: todoFor(failure.type),
      ...(failure.tried && { tried: failure.tried }),
      ...(failure.workloads && { workloads: failure.workloads }),
      since: new Date().toISOString(),
      tries,
    });
    await condition(() => this.resume || this.stop !== undefined);
    this.waitFor(undefined);
    this.stopIfAsked();
  }

  private listen(): void {
    setHandler(
      syncAnswered,
      (input) => {
        const answer = parseSyncAnswer(input);
        if (answer) this.syncAnswers.set(answer.ticket, answer);
      },
      { description: 'Sent by sync-tokens, not by people' },
    );
    onDecision('retry', this, (retry) => this.takeRetry(retry));
    onDecision('abort', this, ({ by, reason }) => {
      if (this.progress.outcome) return { accepted: false, answer: 'abort not accepted: the rotation has ended' };
      this.requestStop(by, reason);
      return { accepted: true, answer: `stopping: asked by ${by}` };
    });
  }

  /** What the retry that a step goes on after asked for, once. */
  takeRemedy(): { restart?: Workload[]; sync?: boolean } {
    const { remedy } = this;
    this.remedy = {};
    return remedy;
  }

  private takeRetry({ by, restart, sync, accept }: Retry): Answer {
    const no = (why: string): Answer => ({ accepted: false, answer: `retry not accepted: ${why}` });
    const { waiting } = this.progress;
    if (waiting?.kind !== 'blocked') return no('nothing is blocked');
    if (this.resume) return no('it goes on already');
    const offered = remediesFor(waiting);
    const beside = accept?.find((one) => !offered.accept.includes(one));
    if (beside)
      return no(
        `accept: ${offered.accept.length > 0 ? `expected one of ${offered.accept.join(', ')}` : 'nothing is up for acceptance here'}`,
      );
    if (accept && accept.length > 1 && offered.accept.length > 1) return no('accept: one or the other');
    if (restart && !offered.restart) return no('restart: no Deployment stands in the way here');
    if (sync && !offered.sync) return no('sync: another sync Job would not help here');
    for (const accepted of accept ?? []) this.accepted.add(accepted);
    const restarting = restart ? waiting.workloads : undefined;
    this.remedy = { ...(restarting && { restart: restarting }), ...(sync && { sync }) };
    const asked = [
      ...(restarting ? [`restarting ${restarting.join(', ')}`] : []),
      ...(sync ? ['with another sync Job'] : []),
      ...(accept ? [`accepting ${accept.join(', ')}`] : []),
    ];
    this.remark([`${by} sent retry in “${waiting.step}”`, ...asked].join(', '));
    this.resume = true;
    return { accepted: true, answer: [`retrying: asked by ${by}`, ...asked].join(', ') };
  }
}

/** Opens the runbook for a request and runs its steps to a tidy end, whoever stops it. A cancel is taken as `abort`. */
export async function runbook(
  request: RotationRequest,
  steps: (book: Runbook) => Promise<RotationReport>,
): Promise<RotationReport> {
  const book = new Runbook(request);
  watchEnds(book);
  CancellationScope.current().cancelRequested.catch(() => {
    book.requestStop('a cancel request', 'the workflow was cancelled');
    book.answer('stopping: asked by a cancel request');
  });
  return CancellationScope.nonCancellable(async () => {
    const report = await steps(book).catch((error: unknown) => {
      if (error instanceof Stopped) return book.closeStopped();
      if (error instanceof Rejected) return book.closeRejected(error.refusal);
      throw error;
    });
    const { outcome, why } = report;
    if (outcome !== 'delegated') await book.notices.tell({ kind: 'ended', cause: outcome, text: why });
    await book.sweepTold;
    await condition(allHandlersFinished); // whoever sent a decision as an update gets its answer
    return report;
  });
}
