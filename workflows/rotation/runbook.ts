import { CancellationScope, condition, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Answer, RecordedSender, Retry, RetryAccept, Sent } from '../../domain/evidence/index.ts';
import {
  type Carried,
  type CarriedRotation,
  type HandOver,
  newReport,
  type Outcome,
  type Remembered,
  remediesFor,
  type RotationReport,
  type Round,
  type Situation,
  type StepName,
  todoFor,
  type Waiting,
  whatLives,
  whatWorks,
} from '../../domain/rotation/index.ts';
import { type Consumer, describeConsumer, type Readers, type Workload } from '../../domain/cluster/index.ts';
import { approvalsNeeded, type RotationRequest } from '../../domain/request/index.ts';
import type { Settings } from '../../domain/settings/index.ts';
import { parseSyncAnswer, type SyncAnswer } from '../../domain/sync/index.ts';
import { isLive, isToken, startOfDay, type ListedToken } from '../../domain/tokens/index.ts';
import { Approvals, type Opening } from './approvals.ts';
import { Checklist } from './checklist.ts';
import {
  answerOtherSignals,
  Attempts,
  Notices,
  onDecision,
  type ShownFailure,
  syncAnswered,
  wasSentBefore,
} from '../shared/index.ts';
import { HistoryIsLong, Rejected, Stopped } from './ends.ts';
import { Inbox } from './inbox.ts';
import { RotationMetrics } from './metrics.ts';
import { Sightings } from './sightings.ts';

/** What a person vouches for of one token: it answers one question, and no later one. */
const ANSWERED_ONCE: readonly RetryAccept[] = ['already-handed-over', 'issue-another'];

/** Consumers that joined, named in the report. */
const MOST_JOINED = 100;

/** What the retry that a step goes on after asked for. */
interface Remedy {
  restart?: Workload[];
  sync?: boolean;
}

/**
 * Carries a rotation through its steps: progress, blocking, retry, and the tidy stop.
 * One mechanism for all steps: a step whose retries are spent blocks until a person sends `retry`, then runs again.
 */
export class Runbook {
  readonly request: RotationRequest;
  readonly report: RotationReport;
  readonly accepted = new Set<string>();
  /** Tokens whose revoke was begun: one of them that is gone was not revoked by somebody else. */
  readonly revokesBegun: ListedToken[] = [];
  readonly notices: Notices;
  readonly approvals: Approvals;
  readonly classifications: Inbox<'classify'>;
  readonly sightings = new Sightings(this);
  /** What became of the syncs that were asked for, by ticket; undefined where one is waited for. */
  readonly syncAnswers = new Map<string, SyncAnswer | undefined>();
  /** Where the pair's token is read, as far as is known. */
  readers?: Readers;
  /** A person agreed that a token is issued and handed over. */
  handOverIsAgreed = false;
  /** The token that a person says its holder outside has, though this rotation did not hand it over. */
  vouchedFor?: number;
  /** Rounds of evidence so far. */
  rounds: number;
  private readonly checklist: Checklist;
  private readonly metrics: RotationMetrics;
  private stop?: { by: string; reason: string };
  /** Settles when it is known of every stop whether it counts. */
  private stopsJudged: Promise<unknown> = Promise.resolve();
  private readonly attempts = new Attempts({
    endIfDue: () => {
      this.stopIfAsked();
      if (isHistoryLong()) throw new HistoryIsLong();
    },
    block: (failure, tries) => this.block(failure, tries),
    goOn: () => this.waitFor(undefined),
    until: (happened) => condition(() => happened() || this.stop !== undefined || isHistoryLong()),
  });
  /** What a cut history hands on of what is being proven. */
  private situation?: Carried<Situation | Round>;
  private remedy: Remedy = {};
  /** Whether a restart can be offered. */
  private mayRestart = true;

  constructor(opening: Opening) {
    const { request, carried } = opening;
    this.request = request;
    this.report = carried?.report ?? newReport(request);
    this.checklist = new Checklist(request, this.report, carried?.steps);
    this.rounds = carried?.rounds ?? 0;
    this.situation = carried?.situation; // until a fresh look says more: it may be cut again before
    for (const accepted of carried?.accepted ?? []) this.accepted.add(accepted);
    this.revokesBegun.push(...(carried?.revokesBegun ?? []));
    this.metrics = new RotationMetrics(request.environment);
    this.notices = new Notices(request, () => {
      const old = this.oldTokens();
      return old.find(({ expires }) => startOfDay(expires) > Date.now()) ?? old.at(-1);
    });
    this.approvals = new Approvals(this, opening);
    this.classifications = new Inbox('classify', this, 'classify not accepted: nothing waits for a classification');
    this.listen();
    // Whatever a step waits for: the server ends a run whose history grows without end, so this one is cut before.
    void CancellationScope.nonCancellable(() => condition(isHistoryLong)).then(() => this.attempts.interrupt());
  }

  /** Keeps what a cut history hands on. */
  keep(situation: Carried<Situation | Round>): void {
    const { look: _, sync: __, ...kept } = situation as Partial<Round>;
    this.situation = kept as Carried<Round>;
    this.readers = situation.readers;
  }

  /** What a run with a fresh history goes on from. */
  carry(starter: RecordedSender | undefined): CarriedRotation {
    const { report, checklist, rounds, revokesBegun, accepted, situation } = this;
    const { steps } = checklist.progress;
    return { report, steps, starter, rounds, revokesBegun, accepted: [...accepted], situation };
  }

  /** Runs one step. A failure blocks it until `retry`; a stop ends it, unless it is inside `CancellationScope.nonCancellable`. */
  async step<T>(name: StepName, act: () => Promise<T>): Promise<T> {
    const begun = Date.now();
    const result = await this.attempts.run(async () => {
      this.checklist.begin(name);
      return act()
        .catch((error: unknown) => {
          if (error instanceof Rejected) return error; // whoever says no is heard, whatever else ends it
          throw error;
        })
        .finally(() => this.checklist.rest());
    });
    if (result instanceof Rejected) {
      this.checklist.mark(name, 'done', `rejected by ${result.refusal.by}`);
      throw result;
    }
    this.checklist.mark(name, 'done');
    this.metrics.stepDone(name, Date.now() - begun);
    this.stopIfAsked();
    return result;
  }

  /** Says what a person is needed for, and reminds them until it goes on. */
  waitFor(waiting: Waiting | undefined): void {
    this.checklist.waitFor(waiting);
    if (waiting) void this.notices.whileNeeded(waiting, () => this.checklist.progress.waiting === waiting);
  }

  close(outcome: Outcome, why: string): RotationReport {
    Object.assign(this.report, { outcome, why });
    this.checklist.end(this.report);
    this.metrics.ended(outcome);
    this.remark(why);
    return this.report;
  }

  /** Whether somebody asked for the end. */
  isStopping(): boolean {
    return this.stop !== undefined;
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

  /** Marks a step as not needed. */
  skip(step: StepName, note: string): void {
    this.checklist.mark(step, 'skipped', note);
  }

  /** Marks the revoke as still to come: the evidence no longer held, so not all was done that the approval covered. */
  revokeLeftUndone(): void {
    const { revoked } = this.report;
    this.checklist.mark(
      'revoke',
      'to come',
      revoked.length > 0 ? undefined : 'nothing was revoked: the evidence no longer held',
    );
  }

  /** Says what a step did, in the checklist. */
  note(step: StepName, note: string): void {
    this.checklist.note(step, note);
  }

  /** Keeps a remark for details and report. */
  remark(text: string): void {
    this.checklist.remark(text);
  }

  /** Shows the answer to what somebody sent. */
  answer(text: string): void {
    if (!this.checklist.progress.ended) this.checklist.show({ lastAnswer: { at: new Date().toISOString(), text } });
  }

  /** Keeps what a later rotation of the pair need not find out anew. */
  remember(remembered: Remembered): void {
    this.report.remembered = remembered;
    this.checklist.show({ remembered });
  }

  /** Says that Signon's renewal is waited for, until then (ISO); undefined when it is over. */
  awaitRenewal(over: string | undefined): void {
    this.checklist.show({ renewalOver: over });
  }

  /** Shows links into the Temporal UI and the documentation from now on. */
  linkTo({ temporalUiUrl, docsUrl, mayRestart, approvers }: Settings): void {
    this.approvals.needed = approvalsNeeded(approvers ?? {}, this.request.environment);
    this.mayRestart = mayRestart !== false;
    const ui = temporalUiUrl && { url: temporalUiUrl, namespace: workflowInfo().namespace };
    this.checklist.show({ links: { ...(ui && { ui }), ...(docsUrl && { docs: docsUrl }) } });
  }

  /** A create may have taken effect, and its answer was lost. */
  createLost(): void {
    this.report.createsLost = true;
  }

  /** A token is the new one, and came about so. */
  issued(token: ListedToken, origin: RotationReport['origin']): void {
    Object.assign(this.report, { newToken: token, origin });
  }

  /** The new token is on its way to a holder outside, encrypted. */
  handOver(sealed: HandOver): void {
    this.report.handOver = sealed;
    this.checklist.show({ handOver: sealed });
  }

  /** A Job synced for this rotation. */
  synced(job: string): void {
    if (!this.report.syncJobs.includes(job)) this.report.syncJobs.push(job);
  }

  /** Tokens were listed: which are live is known, and of those whose revoke was begun, which are gone. */
  observed(listed: readonly ListedToken[]): void {
    this.report.alive = listed.filter((token) => isLive(token, Date.now()));
    for (const token of this.revokesBegun) if (!listed.some(isToken(token))) this.revoked(token);
  }

  /** Consumers came after the evidence, and hold the new token: they void nothing. */
  joined(consumers: readonly Consumer[]): void {
    const { report } = this;
    const news = consumers.map(describeConsumer).filter((one) => !report.joined.includes(one));
    report.joined.push(...news.slice(0, MOST_JOINED - report.joined.length));
    for (const one of news.filter((joined) => report.joined.includes(joined)))
      this.remark(`${one} started after the evidence was gathered, and holds the new token`);
  }

  approved(approval: RotationReport['approvals'][number]): void {
    this.report.approvals.push(approval);
  }

  revokeBegins(token: ListedToken): void {
    this.revokesBegun.push(token);
  }

  revoked(token: ListedToken): void {
    const { report } = this;
    if (!this.hasRevoked(token)) report.revoked.push(token);
    report.alive = report.alive.filter((alive) => !isToken(token)(alive));
    this.note('revoke', `revoked ${report.revoked.map(({ masked }) => masked).join(', ')}`);
  }

  hasRevoked(token: Pick<ListedToken, 'authorisationId'>): boolean {
    return this.report.revoked.some(isToken(token));
  }

  /** Whether something was revoked that nothing has confirmed yet. */
  hasUnconfirmed({ confirmedRevokes }: Round): boolean {
    return this.report.revoked.length > confirmedRevokes;
  }

  /** Settles when a sweep has been told all there was. */
  sweepTold(): Promise<unknown> {
    return this.checklist.sweepTold;
  }

  /**
   * Ends the rotation as somebody asks, as soon as what must not be cut short has run to its end. What a reset applied again was sent to
   * an earlier run, and counts for nothing.
   */
  async stopFor(sent: Sent | 'cancel', by: string, reason: string): Promise<Answer> {
    const before = CancellationScope.nonCancellable(() => wasSentBefore(sent)).catch(() => false);
    this.stopsJudged = Promise.all([this.stopsJudged, before]);
    if (await before) {
      const answer = `not stopped: ${by} asked an earlier run of this rotation, which was reset; send abort to end this one`;
      this.remark(answer);
      return { accepted: false, answer };
    }
    this.stop ??= { by, reason };
    this.attempts.interrupt();
    return { accepted: true, answer: `stopping: asked by ${by}` };
  }

  /** Ends the rotation here, if somebody asked for it; whoever asked just now is heard first. */
  async stopIfJustAsked(): Promise<void> {
    await this.stopsJudged;
    this.stopIfAsked();
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

  private block({ type, message, tried, workloads }: ShownFailure, tries: number): void {
    const { step } = this.checklist;
    for (const once of ANSWERED_ONCE) this.accepted.delete(once);
    this.checklist.mark(step, 'blocked', type);
    this.metrics.blocked(step, type);
    const offered = this.mayRestart ? workloads : undefined;
    const tokens = whatWorks(this.report, this.revokesBegun, Date.now());
    const failure = { step, failure: type, message, tokens, todo: todoFor(type), tried, workloads: offered, tries };
    this.waitFor({ kind: 'blocked', ...failure, since: new Date().toISOString() });
  }

  private listen(): void {
    setHandler(
      syncAnswered,
      (input) => {
        const answer = parseSyncAnswer(input);
        if (answer && this.syncAnswers.has(answer.ticket)) this.syncAnswers.set(answer.ticket, answer); // else nobody asked
      },
      { description: 'Sent by sync-tokens, not by people' },
    );
    onDecision('retry', this, (retry) => this.takeRetry(retry));
    onDecision('abort', this, ({ by, reason }, sent) => {
      if (this.checklist.progress.ended)
        return { accepted: false, answer: 'abort not accepted: the rotation has ended' };
      return this.stopFor(sent, by, reason);
    });
    answerOtherSignals(this);
  }

  /** What the retry that a step goes on after asked for, once. */
  takeRemedy<Kind extends keyof Remedy>(kind: Kind): Remedy[Kind] {
    const { [kind]: remedy } = this.remedy;
    delete this.remedy[kind];
    return remedy;
  }

  /** A retry while an approval is asked for has the evidence gathered anew, e.g. once a smoke call can be made. */
  private takeRetryOfEvidence({ by, restart, sync, accept }: Retry): Answer {
    const no = (why: string): Answer => ({ accepted: false, answer: `retry not accepted: ${why}` });
    if (restart || sync || accept) return no('while an approval is asked for, it takes by alone');
    if (!this.approvals.gatherAfresh()) return no('the plan of a hand-over has no evidence to gather anew');
    this.remark(`${by} had the evidence gathered anew`);
    return { accepted: true, answer: `gathering the evidence anew: asked by ${by}` };
  }

  private takeRetry({ by, restart, sync, accept }: Retry): Answer {
    const no = (why: string): Answer => ({ accepted: false, answer: `retry not accepted: ${why}` });
    const { waiting } = this.checklist.progress;
    if (this.approvals.isAsking) return this.takeRetryOfEvidence({ by, restart, sync, accept });
    if (waiting?.kind !== 'blocked') return no('nothing is blocked');
    if (!this.attempts.isBlocked) return no('another retry was accepted just before');
    const offered = remediesFor(waiting);
    const beside = accept?.find((one) => !offered.accept.includes(one));
    if (beside)
      return no(
        `accept: ${offered.accept.length > 0 ? `expected one of ${offered.accept.join(', ')}` : 'nothing is up for acceptance here'}`,
      );
    if (accept && accept.length > 1 && offered.accept.length > 1) return no('accept: only one of them');
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
    this.attempts.retry();
    this.remark([`${by} sent retry in “${waiting.step}”`, ...asked].join(', '));
    return { accepted: true, answer: [`retrying: asked by ${by}`, ...asked].join(', ') };
  }
}

/** Whether the server says that this run's history should be cut: well before it warns. */
function isHistoryLong(): boolean {
  return workflowInfo().continueAsNewSuggested;
}
