import { CancellationScope, condition, setHandler, workflowInfo } from '@temporalio/workflow';
import type { RecordedSender } from '../../domain/evidence/index.ts';
import {
  type Carried,
  type CarriedRotation,
  type Done,
  newReport,
  type Outcome,
  type RotationReport,
  type Round,
  type ShownFailure,
  type Situation,
  type StepName,
  todoFor,
  isConfirmedByHolder,
  leftToDo,
  passingFor,
  type WatchState,
  whatWorks,
} from '../../domain/rotation/index.ts';
import type { Readers } from '../../domain/cluster/index.ts';
import { approvalsNeeded, type RotationRequest } from '../../domain/request/index.ts';
import type { Settings } from '../../domain/settings/index.ts';
import { parseSyncAnswer, type SyncAnswer } from '../../domain/sync/index.ts';
import { startOfDay } from '../../domain/tokens/index.ts';
import { Approvals, type Opening } from './approvals.ts';
import { Checklist } from './checklist.ts';
import {
  answerOtherSignals,
  Attempts,
  HistoryIsLong,
  isHistoryLong,
  Notices,
  onDecision,
  syncAnswered,
} from '../shared/index.ts';
import { Rejected } from './ends.ts';
import { Inbox } from './inbox.ts';
import { blocked, ended, started, stepTook } from './metrics.ts';
import { RotationRecord } from './record.ts';
import { Retries } from './retries.ts';
import { Sightings } from './sightings.ts';
import { Stops } from './stops.ts';

/** Runs of consumers that are passed to continue-as-new: the last ones count. */
const SIGHTINGS_CARRIED = 100;

/**
 * Carries a rotation through its steps: progress, blocking, retry, and the tidy stop. One mechanism
 * for all steps: a step whose retries are spent blocks until a person sends `retry`, then runs
 * again.
 */
export class Runbook {
  readonly request: RotationRequest;
  readonly report: RotationReport;
  readonly checklist: Checklist;
  readonly record: RotationRecord;
  readonly notices: Notices;
  readonly approvals: Approvals;
  readonly classifications: Inbox<'classify'>;
  readonly retries: Retries;
  readonly stops: Stops;
  readonly sightings: Sightings;
  /** What became of the syncs that were asked for, by ticket; undefined where one is waited for. */
  readonly syncAnswers = new Map<string, SyncAnswer | undefined>();
  /** Where the pair's token is read, as far as is known. */
  readers?: Readers;
  /** The public key to which a token may be handed over, as a person agreed. */
  agreedKey?: string;
  /**
   * The token that a person says its holder outside has, though this rotation did not hand it over.
   */
  vouchedFor?: number;
  private readonly attempts = new Attempts({
    endIfDue: () => {
      this.stops.stopIfAsked();
      if (isHistoryLong()) throw new HistoryIsLong();
    },
    block: (failure, tries) => this.block(failure, tries),
    goOn: () => this.checklist.waitFor(undefined),
    until: (happened) =>
      condition(() => happened() || this.stops.stop !== undefined || isHistoryLong()),
  });
  /** What is passed to continue-as-new of what is being proven. */
  private situation?: Carried<Situation | Round>;
  private mayRestart = true;

  constructor(opening: Opening) {
    const { request, carried } = opening;
    this.request = request;
    this.report = carried?.report ?? newReport(request);
    this.notices = new Notices(request, () => {
      const old = this.record.oldTokens();
      return old.find(({ expires }) => startOfDay(expires) > Date.now()) ?? old.at(-1);
    });
    const checklist = new Checklist(request, this.report, this.notices, carried?.steps);
    this.checklist = checklist;
    this.record = new RotationRecord(this.report, checklist, carried?.revokesBegun);
    this.sightings = new Sightings(checklist, carried?.sightings);
    this.agreedKey = carried?.agreedKey;
    this.vouchedFor = carried?.vouchedFor;
    this.situation = carried?.situation; // until a fresh look says more: it may be cut again before
    started.add(1, { environment: request.environment });
    this.approvals = new Approvals(checklist, this.record, opening);
    this.classifications = new Inbox(
      'classify',
      checklist,
      'classify not accepted: nothing waits for a classification',
    );
    this.stops = new Stops(checklist, this.attempts);
    this.retries = new Retries(checklist, this.approvals, this.attempts, carried?.accepted);
    this.listen();
    // Whatever a step waits for: the server ends a run whose history grows too long, so this one
    // continues as new before.
    void CancellationScope.nonCancellable(() => condition(isHistoryLong)).then(() =>
      this.attempts.interrupt(),
    );
  }

  /** Keeps what is passed to continue-as-new, and what the next rotation of the pair is to know. */
  keep(situation: Carried<Situation | Round>): void {
    const { look: _, sync: __, ...kept } = situation as Partial<Round>;
    this.situation = kept as Carried<Round>;
    this.readers = situation.readers;
    const { readers, recipient } = situation;
    const passing = passingFor(recipient, readers.passing);
    const { givenUp = [], isPart } = this.report.remembered ?? {};
    this.record.remember({ givenUp, also: readers.also, passing, isPart });
  }

  /** Keeps what a watch over readers came to since the situation was kept. */
  keepWatch(watch: WatchState): void {
    if (this.situation && !('newToken' in this.situation))
      this.situation = { ...this.situation, watch };
  }

  /** What a run with a fresh history goes on from. */
  carry(starter: RecordedSender | undefined): CarriedRotation {
    const { report, record, approvals, retries, situation, agreedKey, vouchedFor } = this;
    if (this.checklist.current === 'revoke')
      this.remark(
        'The rotation went on in a new run before the revoke, for its history was long. Please approve again: the earlier approval no longer counts',
      );
    return {
      report,
      steps: this.checklist.progress.steps,
      starter,
      rounds: approvals.rounds,
      revokesBegun: record.revokesBegun,
      accepted: [...retries.accepted],
      sightings: this.sightings.all.slice(-SIGHTINGS_CARRIED),
      agreedKey,
      vouchedFor,
      situation,
    };
  }

  /**
   * Runs one step. A failure blocks it until `retry`; a stop ends it, unless it is inside
   * `CancellationScope.nonCancellable`.
   */
  async step<T>(name: StepName, act: () => Promise<T>): Promise<T> {
    const begun = Date.now();
    const result = await this.attempts.run(async () => {
      this.checklist.begin(name);
      return act()
        .catch((error: unknown) => {
          // A rejection counts, whatever else ends the rotation.
          if (error instanceof Rejected) return error;
          throw error;
        })
        .finally(() => this.checklist.rest());
    });
    if (result instanceof Rejected) {
      this.checklist.mark(name, 'done', `rejected by ${result.refusal.by}`);
      throw result;
    }
    this.checklist.mark(name, 'done');
    stepTook.record((Date.now() - begun) / 1000, {
      environment: this.request.environment,
      step: name,
    });
    this.stops.stopIfAsked();
    return result;
  }

  /** What this rotation has done by now, as its end says. */
  get done(): Done {
    const { report, vouchedFor } = this;
    const isVouchedFor =
      vouchedFor !== undefined && vouchedFor === report.newToken?.authorisationId;
    const holder = isConfirmedByHolder(report) ? 'uses' : isVouchedFor ? 'has' : undefined;
    return { revoked: report.revoked.length, holder };
  }

  close(outcome: Outcome, why: string): RotationReport {
    Object.assign(this.report, { outcome, why });
    this.checklist.end(this.report);
    ended.add(1, { environment: this.request.environment, outcome });
    this.remark(why);
    return this.report;
  }

  /**
   * Marks the revoke as still to come: the evidence no longer held, so not all was done that the
   * approval covered.
   */
  revokeLeftUndone(): void {
    const { revoked } = this.report;
    this.checklist.mark(
      'revoke',
      'to come',
      revoked.length > 0 ? undefined : 'nothing was revoked: the evidence no longer held',
    );
  }

  /** Shows links into the Temporal UI and the documentation from now on. */
  linkTo({ temporalUiUrl, docsUrl, mayRestart, approvers }: Settings): void {
    this.approvals.needed = approvalsNeeded(approvers ?? {}, this.request.environment);
    this.mayRestart = mayRestart !== false;
    const ui = temporalUiUrl
      ? { url: temporalUiUrl, namespace: workflowInfo().namespace }
      : undefined;
    this.checklist.show({ links: { ui, docs: docsUrl } });
  }

  note(step: StepName, note: string): void {
    this.checklist.note(step, note);
  }

  skip(step: StepName, note: string): void {
    this.checklist.mark(step, 'skipped', note);
  }

  remark(text: string): void {
    this.checklist.remark(text);
  }

  /** The tidy end after a stop: says what was revoked and what lives on. */
  closeStopped(): RotationReport {
    const { by, reason } = this.stops.stop ?? { by: 'nobody', reason: '' };
    return this.close('aborted', `${by} stopped it (${reason}). ${this.whatIsLeft()}`);
  }

  /** The end after a rejection: the old token stays. */
  closeRejected({ by, reason }: { by: string; reason: string }): RotationReport {
    return this.close('rejected', `${by}: ${reason.replace(/\.$/, '')}. ${this.whatIsLeft()}`);
  }

  private whatIsLeft(): string {
    return `${this.whatWorks()}${leftToDo(this.report, Date.now())}`;
  }

  private whatWorks(): string {
    return whatWorks(this.report, this.record.revokesBegun, Date.now());
  }

  private block(failed: ShownFailure, tries: number): void {
    const { failure } = failed;
    const { current: step } = this.checklist;
    this.retries.blockedAnew();
    this.checklist.mark(step, 'blocked', failure);
    blocked.add(1, { environment: this.request.environment, step, failure });
    this.checklist.waitFor({
      ...failed,
      kind: 'blocked',
      step,
      tokens: this.whatWorks(),
      todo: todoFor(failure),
      mayRestart: this.mayRestart ? undefined : false,
      since: new Date().toISOString(),
      tries,
    });
  }

  private listen(): void {
    setHandler(
      syncAnswered,
      (input) => {
        const answer = parseSyncAnswer(input);
        if (answer && this.syncAnswers.has(answer.ticket))
          this.syncAnswers.set(answer.ticket, answer); // else nobody asked
      },
      { description: 'Sent by sync-tokens, not by people' },
    );
    onDecision('retry', this.checklist, (retry) => this.retries.take(retry));
    onDecision('abort', this.checklist, ({ by, reason }, sent) => {
      if (this.checklist.progress.ended)
        return { accepted: false, answer: 'abort not accepted: the rotation has ended' };
      return this.stops.take(sent, by, reason);
    });
    answerOtherSignals(this.checklist);
  }
}
