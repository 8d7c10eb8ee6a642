import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  TemporalFailure,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { currentCode, drawChecklist, STEPS, type Progress, type StepName } from '../domain/checklist.ts';
import { shapeRefusal, shapeRetry } from '../domain/decisions.ts';
import { todoFor } from '../domain/failures.ts';
import type { Outcome } from '../domain/plan.ts';
import type { RotationReport } from '../domain/report.ts';
import type { ListedToken } from '../domain/tokens.ts';
import { parseRequest, type RotationRequest } from '../domain/request.ts';
import { readRetries } from './activities.ts';
import { abort, retry, status } from './messages.ts';
import { WATCH_RETRIES_AFTER } from './steps.ts';

/** Parses the input, or fails the workflow naming each field that is wrong. */
export function requestOrFail(input: unknown): RotationRequest {
  const parsed = parseRequest(input);
  if (parsed.ok) return parsed.request;
  throw ApplicationFailure.nonRetryable(parsed.problems.join('; '), 'InvalidRequest');
}

/** Thrown inside the runbook when a person stops it: unwinds to the tidy end. */
class Stopped extends Error {}

/**
 * Carries a rotation through its steps: progress, blocking, retry, and the tidy stop.
 * One mechanism for all steps: a step whose retries are spent blocks until a person sends `retry`, then runs again.
 */
export class Runbook {
  readonly report: RotationReport;
  readonly accepted = new Set<string>();
  /** Tokens whose revoke was begun: one of them that is gone was not revoked by somebody else. */
  readonly revokesBegun: ListedToken[] = [];
  private readonly progress: Progress;
  private stop?: { by: string; reason: string };
  private interrupt: () => void = () => undefined;
  private resume = false;
  /** A step is under way. */
  private active = false;
  private watching = false;

  constructor(request: RotationRequest) {
    const { environment, apiUser, application } = request;
    const named = { environment, apiUser, application };
    this.report = {
      outcome: 'aborted',
      why: '',
      ...named,
      createsLost: false,
      revoked: [],
      alive: [],
      approvals: [],
      syncJobs: [],
      notes: [],
    };
    this.progress = {
      request,
      steps: STEPS.map((name) => ({ name, state: 'to come', note: '' })),
      retrying: [],
      notes: this.report.notes,
    };
    this.listen();
    this.show();
  }

  /** Runs one step. A failure blocks it until `retry`; a stop ends it, unless it is inside `CancellationScope.nonCancellable`. */
  async step<T>(name: StepName, act: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      this.stopIfAsked();
      this.mark(name, 'now');
      const scope = new CancellationScope();
      this.interrupt = () => scope.cancel();
      try {
        this.active = true;
        this.watchRetries();
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

  /** While activities are tried again and again, says so: which, how often, and what failed last. Ends when a person is waited for. */
  private watchRetries(): void {
    if (this.watching) return;
    this.watching = true;
    void (async () => {
      for (const pause of WATCH_RETRIES_AFTER) {
        await sleep(pause);
        if (!this.watched()) break;
        const retrying = await readRetries().catch(() => []);
        if (!this.watched()) break;
        this.progress.retrying = retrying;
        this.show();
      }
      this.watching = false;
    })();
  }

  /** Whether it is the outside that is waited for, not a person. */
  private watched(): boolean {
    return this.active && this.progress.waiting === undefined;
  }

  /** No step is under way any more, so nothing is tried again. */
  private rest(): void {
    this.active = false;
    this.progress.retrying = [];
  }

  /** Marks a step as not needed. */
  skip(name: StepName, note: string): undefined {
    this.mark(name, 'skipped', note);
    return undefined;
  }

  /** Says what a step did, in the checklist. */
  note(name: StepName, note: string): void {
    this.mark(name, this.stateOf(name).state, note);
  }

  /** Keeps a remark for details and report. */
  remark(note: string): void {
    if (!this.report.notes.includes(note)) this.report.notes.push(note);
    this.show();
  }

  /** Says what the rotation waits for a person with; undefined when it goes on. */
  waitFor(waiting: Progress['waiting']): void {
    this.progress.waiting = waiting;
    this.show();
    if (!waiting) this.watchRetries();
  }

  /** Answers a decision somebody sent. */
  answer(text: string): void {
    this.progress.lastAnswer = text;
    this.show();
  }

  close(outcome: Outcome, why: string): RotationReport {
    this.progress.waiting = undefined;
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
    const { revoked, newToken } = this.report;
    const stopped = this.stop ?? { by: 'nobody', reason: '' };
    const named = (tokens: readonly ListedToken[]): string =>
      tokens.map(({ masked, authorisationId }) => `${masked} (authorisation ${authorisationId})`).join(', ');
    const unknown = this.revokesBegun.filter(({ authorisationId }) => !this.hasRevoked(authorisationId));
    if (unknown.length > 0)
      this.remark(`A revoke was begun and its answer lost, so it may have been revoked: ${named(unknown)}`);
    const after =
      revoked.length > 0 || unknown.length > 0
        ? `revoked before: ${named(revoked) || 'none for certain'}${unknown.length > 0 ? `; perhaps: ${named(unknown)}` : ''}`
        : newToken
          ? 'nothing was revoked: the new and the old token both live, and a later rotation adopts the new one'
          : this.report.createsLost
            ? 'nothing was revoked; a create’s answer was lost, so Signon may list a token of the pair that nobody holds: a later rotation adopts it'
            : 'no token was issued and nothing was revoked: the old token lives';
    return this.close('aborted', `${stopped.by} stopped it (${stopped.reason}); ${after}`);
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
    setHandler(status, () => ({ ...this.progress, code: currentCode(this.progress, workflowInfo().runId) }), {
      description: 'Where this rotation stands',
    });
    setHandler(
      retry,
      (input) => {
        const shaped = shapeRetry(input);
        if (!shaped.ok) return this.answer(`retry not accepted: ${shaped.why}`);
        if (this.progress.waiting?.kind !== 'blocked') return this.answer('retry not accepted: nothing is blocked');
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

  private stateOf(name: StepName): Progress['steps'][number] {
    return this.progress.steps.find((step) => step.name === name)!;
  }

  private mark(name: StepName, state: Progress['steps'][number]['state'], note?: string): void {
    const step = this.stateOf(name);
    step.state = state;
    if (note !== undefined) step.note = note;
    else if (state === 'now') step.note = '';
    this.show();
  }

  private show(): void {
    setCurrentDetails(drawChecklist(this.progress, workflowInfo().runId));
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

/** The failure to show. Anything that is not a failure of the outside is a defect and fails the workflow task, which tries again after a deploy. */
function failureOf(error: unknown): { type: string; message: string } {
  if (!(error instanceof TemporalFailure)) throw error;
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    if (cause.type === 'InvalidRequest') throw ApplicationFailure.nonRetryable(cause.message, 'InvalidRequest');
    return { type: cause.type ?? 'Unexpected', message: cause.message };
  }
  if (cause instanceof TimeoutFailure)
    return { type: 'Unreachable', message: `no answer in time (${cause.timeoutType})` };
  return { type: 'Unexpected', message: cause?.message ?? error.message };
}
