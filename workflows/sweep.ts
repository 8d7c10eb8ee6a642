import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import ms from 'ms';
import type { Delegation } from '../activities/temporal/interface.ts';
import type { RecordedSender } from '../domain/approval.ts';
import { introduce } from '../domain/details.ts';
import { todoFor } from '../domain/failures.ts';
import type { Settings } from '../domain/settings.ts';
import type { RotationRequest } from '../domain/request.ts';
import { attributesOf } from '../domain/stage.ts';
import { drawSweep, introduceSweep, type SweepProgress } from '../domain/sweep-details.ts';
import { SWEEP_DECISIONS, type SweepDecisions } from '../domain/sweep-decisions.ts';
import {
  hear,
  holdsItsPlace,
  nextWave,
  parseStageReport,
  rowId,
  rowsOf,
  sweepId,
  type SweepReport,
  type SweepRequest,
  type SweepRow,
} from '../domain/sweep.ts';
import { beginRotation, listOpen, listPairs, readStages, readStarter } from './activities.ts';
import { answerOtherSignals, onMessage } from './decisions.ts';
import { failureOf } from './failure-of.ts';
import { stageReported, sweepStatus } from './messages.ts';
import { Notices } from './notices.ts';
import { handOver } from './delegate.ts';
import type { rotateExpiringTokens } from './rotate-expiring-tokens.ts';
import { pairsOf } from './search-attributes.ts';

/** A sweep ends after so long, until its settings say when. */
const UNLESS_SET = '20 hours';
/** Rotations started at once. */
const STARTED_AT_ONCE = 25;

/** What a cut history hands on. */
export interface CarriedSweep {
  rows: SweepRow[];
  settings: Settings;
  /** Ms since the epoch. */
  endsAt: number;
  pausedBy?: string;
}

/** Thrown inside a sweep when it is to end: by a person, or since its time is over. */
class Ended extends Error {
  constructor(
    readonly outcome: 'aborted' | 'out-of-time',
    readonly why: string,
  ) {
    super();
  }
}

/** A sweep under way: its table, what people send it, and the rotations it starts. */
export class Sweep {
  private readonly progress: SweepProgress;
  private readonly notices: Notices;
  private known?: CarriedSweep;
  private starter: RecordedSender = { identity: '' };
  /** Ms since the epoch. */
  private endsAt: number;
  private stop?: Ended;
  private retried = false;
  private interrupt: () => void = () => undefined;
  private rowsById?: Map<string, SweepRow>;
  /** The details are to be drawn, once for all that happens at a time. */
  private stale = false;

  constructor(
    private readonly request: SweepRequest,
    private readonly delegation: Delegation | undefined,
    given: CarriedSweep | undefined,
  ) {
    const carried = isCarried(given) ? given : undefined;
    this.known = carried;
    this.endsAt = carried?.endsAt ?? endOf(UNLESS_SET);
    this.progress = {
      request,
      rows: carried?.rows ?? [],
      doing: 'Begins.',
      ...(carried?.pausedBy !== undefined && { pausedBy: carried.pausedBy }),
    };
    const { environment, requestedBy } = request;
    this.notices = new Notices(
      { environment, requestedBy, apiUser: 'the sweep', application: 'all pairs' },
      () => undefined,
    );
    this.listen();
    this.show();
  }

  /** Reads every pair of Signon and says what is to be done with it; nothing where a cut history brought that along. */
  async begin(): Promise<void> {
    this.starter = await this.attempt(() => readStarter(this.delegation));
    if (this.known) return;
    const settings = await this.attempt(() => beginRotation(this.request));
    this.endsAt = endOf(settings.sweep.endsAfter);
    this.say('Reads the tokens of all API users.');
    const [pairs, open] = await this.attempt(() =>
      Promise.all([listPairs({ pause: settings.sweep.pause }), listOpen(this.request.environment)]),
    );
    const { environment } = this.request;
    const rows = rowsOf(pairs, { settings, environment, open: new Set(open), now: Date.now() });
    this.progress.rows = rows;
    this.rowsById = undefined;
    this.known = { rows, settings, endsAt: this.endsAt };
    this.show();
  }

  /** Hands the request over to the environment's id, which is the lock. @returns what became of it */
  async delegate(): Promise<string> {
    const { request } = this;
    await this.attempt(() => beginRotation(request)); // another environment's request is refused here, not in the child
    const starter = await this.attempt(() => readStarter());
    return `the sweep ${await handOver(sweepId(request.environment), request, starter, introduceSweep(request))}`;
  }

  atWork(): SweepRow[] {
    return this.progress.rows.filter(holdsItsPlace);
  }

  nextWave(): SweepRow[] {
    const { settings } = this.known!;
    return nextWave(this.progress.rows, this.request.maxConcurrent ?? settings.sweep.maxConcurrent);
  }

  async untilNotPaused(): Promise<void> {
    if (this.progress.pausedBy !== undefined) this.say('Waits for resume.');
    while (this.progress.pausedBy !== undefined) await this.wait(() => this.progress.pausedBy === undefined);
  }

  /** Starts a rotation for each row. One that is open already is left as it is. */
  async start(wave: readonly SweepRow[]): Promise<void> {
    this.say(`Starts ${wave.length} rotations.`);
    for (let at = 0; at < wave.length; at += STARTED_AT_ONCE) {
      this.endIfDue();
      await Promise.all(wave.slice(at, at + STARTED_AT_ONCE).map((row) => this.startOne(row)));
      this.show();
    }
  }

  /** Waits until every rotation of the wave waits for a person or has ended; looks up those that nothing was heard of. */
  async untilOver(wave: readonly SweepRow[]): Promise<void> {
    const { settings } = this.known!;
    for (;;) {
      const left = wave.filter(holdsItsPlace);
      if (left.length === 0) return;
      this.say(`Waits for ${left.length} of ${wave.length} rotations of this wave.`);
      const cut = (): boolean => workflowInfo().continueAsNewSuggested;
      const heard = await this.wait(() => !wave.some(holdsItsPlace) || cut(), settings.sweep.looksEvery);
      if (cut()) await this.goOnAfresh();
      if (!heard) await this.lookUp(wave.filter(holdsItsPlace));
    }
  }

  close(outcome: SweepReport['outcome'], why: string): SweepReport {
    const { rows } = this.progress;
    this.progress.outcome = outcome;
    this.say(`${why}.`);
    const { environment, requestedBy } = this.request;
    return { outcome, why, environment, requestedBy, rows };
  }

  /** The end that a person or the time brought. */
  closeEnded(error: unknown): SweepReport {
    if (error instanceof Ended) return this.close(error.outcome, error.why);
    if (this.stop && isCancellation(error)) return this.close(this.stop.outcome, this.stop.why);
    throw error;
  }

  end(why: string): void {
    this.stop ??= new Ended('aborted', why);
    this.interrupt();
  }

  answer(text: string): void {
    this.progress.lastAnswer = text;
    this.show();
  }

  /** Goes on with a fresh history; the children go on, and tell this id. */
  private async goOnAfresh(): Promise<void> {
    await condition(allHandlersFinished);
    this.endIfDue();
    const { pausedBy, rows } = this.progress;
    await continueAsNew<typeof rotateExpiringTokens>(this.request, this.delegation, { ...this.known!, rows, pausedBy });
  }

  private async startOne(row: SweepRow): Promise<void> {
    const { environment, requestedBy } = this.request;
    const { workflowId, runId, taskQueue } = workflowInfo();
    const { apiUser, application } = row;
    const request: RotationRequest = {
      environment,
      apiUser,
      application,
      requestedBy,
      reason: 'a sweep of expiring tokens',
    };
    Object.assign(row, { state: 'preparing', started: true });
    try {
      await startChild('rotateToken', {
        workflowId: rowId(environment, row),
        taskQueue,
        args: [request, { workflowId, runId, starter: this.starter }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        typedSearchAttributes: pairsOf(attributesOf(request)),
        ...introduce(request),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      delete row.started;
      Object.assign(row, { state: 'open before', what: 'its rotation is open already' });
    }
  }

  /** A rotation that was terminated tells nobody. */
  private async lookUp(rows: readonly SweepRow[]): Promise<void> {
    const { environment } = this.request;
    const before = rows.map(({ state }) => state);
    const stages = await this.attempt(() => readStages(rows.map((row) => rowId(environment, row))));
    for (const [at, row] of rows.entries()) if (row.state === before[at]) hear(row, stages[at] ?? 'ended'); // what it said itself meanwhile is newer
    this.show();
  }

  /** Waits for something, at most for so long, where said; the end comes first. False where it did not come. */
  private async wait(happened: () => boolean, atMost?: ms.StringValue): Promise<boolean> {
    const left = this.endsAt - Date.now();
    const came = await condition(
      () => happened() || this.stop !== undefined,
      Math.max(1, Math.min(left, atMost === undefined ? left : ms(atMost))),
      { summary: 'Until the rotations that were not heard of are looked up, or the sweep ends' },
    );
    this.endIfDue();
    return came;
  }

  private endIfDue(): void {
    if (this.stop) throw this.stop;
    if (Date.now() >= this.endsAt) throw new Ended('out-of-time', 'its time was over');
  }

  /** Does something outside. Where its retries are spent, a person is asked, and it is tried again on `retry`. */
  private async attempt<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      this.endIfDue();
      const scope = new CancellationScope({ cancellable: true, timeout: Math.max(1, this.endsAt - Date.now()) });
      this.interrupt = () => scope.cancel();
      try {
        return await scope.run(act);
      } catch (error) {
        scope.cancel(); // what else it does
        this.endIfDue();
        const { type, message } = failureOf(error);
        if (this.request.plan) throw new Ended('aborted', `${type}: ${message}`);
        await this.block(type, message);
      }
    }
  }

  private async block(failure: string, message: string): Promise<void> {
    const since = new Date().toISOString();
    const todo = todoFor(failure);
    const blocked = { failure, message, todo, since };
    this.retried = false;
    this.progress.blocked = blocked;
    this.show();
    const waiting = { kind: 'blocked', step: 'assess', tries: 1, ...blocked } as const;
    void this.notices.whileNeeded(waiting, () => this.progress.blocked === blocked);
    await this.wait(() => this.retried).finally(() => delete this.progress.blocked);
    this.show();
  }

  private rowOf(workflowId: string): SweepRow | undefined {
    const { environment } = this.request;
    this.rowsById ??= new Map(this.progress.rows.map((row) => [rowId(environment, row), row]));
    return this.rowsById.get(workflowId);
  }

  private say(doing: string): void {
    this.progress.doing = doing;
    this.show();
  }

  private show(): void {
    if (this.stale) return;
    this.stale = true;
    void Promise.resolve().then(() => {
      this.stale = false;
      setCurrentDetails(drawSweep(this.progress));
    });
  }

  private listen(): void {
    setHandler(sweepStatus, () => this.progress, { description: 'Where this sweep stands' });
    setHandler(
      stageReported,
      (input) => {
        const report = parseStageReport(input);
        const row = report && this.rowOf(report.workflowId);
        if (!row) return;
        hear(row, report.stage);
        this.show();
      },
      { description: 'Sent by rotations, not by people' },
    );
    this.on('pause', ({ by }) => {
      if (this.progress.pausedBy !== undefined) return 'it is paused already';
      this.progress.pausedBy = by;
      return { accepted: `paused by ${by}` };
    });
    this.on('resume', ({ by }) => {
      if (this.progress.pausedBy === undefined) return 'it is not paused';
      delete this.progress.pausedBy;
      return { accepted: `resumed by ${by}` };
    });
    this.on('retry', ({ by }) => {
      if (!this.progress.blocked || this.retried) return 'nothing is blocked';
      this.retried = true;
      return { accepted: `retrying: asked by ${by}` };
    });
    this.on('abort', ({ by, reason }) => {
      this.end(`${by} ended it (${reason}); rotations that were started go on`);
      return { accepted: `ending: asked by ${by}` };
    });
    answerOtherSignals(this, SWEEP_DECISIONS);
  }

  /** @param take says what came of it, or why it is not accepted */
  private on<Name extends keyof SweepDecisions>(
    name: Name,
    take: (given: SweepDecisions[Name]) => string | { accepted: string },
  ): void {
    onMessage(name, SWEEP_DECISIONS[name], this, (given) => {
      const taken = take(given);
      return typeof taken === 'string'
        ? { accepted: false, answer: `${name} not accepted: ${taken}` }
        : { accepted: true, answer: taken.accepted };
    });
  }
}

/** Whether a history that was cut handed this on: what somebody starts a sweep with is not believed. */
function isCarried(given: CarriedSweep | undefined): given is CarriedSweep {
  return (
    workflowInfo().continuedFromExecutionRunId !== undefined &&
    Array.isArray(given?.rows) &&
    typeof given.settings?.sweep === 'object' &&
    typeof given.endsAt === 'number'
  );
}

/** When a run that began with this history ends, after so long. */
function endOf(after: ms.StringValue): number {
  return workflowInfo().startTime.getTime() + ms(after);
}

/** Runs a sweep to a tidy end, whoever ends it. A cancel is taken as `abort`. */
export async function sweep(
  request: SweepRequest,
  delegation: Delegation | undefined,
  carried: CarriedSweep | undefined,
  steps: (run: Sweep) => Promise<SweepReport>,
): Promise<SweepReport> {
  const run = new Sweep(request, delegation, carried);
  CancellationScope.current().cancelRequested.catch(() =>
    run.end('the workflow was cancelled; rotations that were started go on'),
  );
  return CancellationScope.nonCancellable(async () => {
    const report = await steps(run).catch((error: unknown) => run.closeEnded(error));
    await condition(allHandlersFinished); // whoever sent a decision as an update gets its answer
    return report;
  });
}
