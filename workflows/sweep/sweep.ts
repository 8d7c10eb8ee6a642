import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { Delegation, RecordedSender } from '../../domain/evidence/index.ts';
import { attributesOf, introduce, pairsOf } from '../../domain/rotation/index.ts';
import type { RotationRequest } from '../../domain/request/index.ts';
import type { Settings } from '../../domain/settings/index.ts';
import {
  type CarriedSweep,
  hear,
  holdsItsPlace,
  introduceSweep,
  isOfApiUser,
  lockOf,
  nextWave,
  openBefore,
  parseCarriedSweep,
  rowId,
  rowsOf,
  rowsOfApiUser,
  SWEEP_DECISIONS,
  type SweepDecisions,
  type SweepReport,
  type SweepRequest,
  type SweepRow,
} from '../../domain/sweep/index.ts';
import {
  activities,
  answerOtherSignals,
  carriedOver,
  failedWith,
  failureOf,
  onMessage,
  startCanonical,
} from '../shared/index.ts';
import { SweepBounds, SweepEnd } from './sweep-bounds.ts';
import { SweepTable } from './sweep-table.ts';
import { WORKFLOW } from '../../domain/names/index.ts';

/** Rows named in a sentence. */
const ROWS_NAMED = 5;
const STARTED_AT_ONCE = 25;

/** A sweep under way: the rotations it starts, and what people send it. */
export class Sweep {
  private readonly table: SweepTable;
  private readonly bounds: SweepBounds;
  private settings?: Settings;
  private starter: RecordedSender = { identity: '' };

  constructor(
    private readonly request: SweepRequest,
    private readonly delegation: Delegation | undefined,
    given: unknown,
  ) {
    const carried = carriedOver(given, parseCarriedSweep);
    this.settings = carried?.settings;
    this.table = new SweepTable(request, carried);
    this.bounds = new SweepBounds(request, this.table, carried?.endsAt);
    this.listen();
  }

  /**
   * Reads the pairs and says what is to be done with each, unless the run before brought that along.
   * @returns why nothing can be done, if so
   */
  async begin(): Promise<string | undefined> {
    const { bounds, table, request } = this;
    this.starter = await bounds.attempt(() => activities.readStarter(this.delegation));
    if (this.settings) return undefined;
    const settings = await bounds.attempt(() => activities.beginRotation(request));
    bounds.endAfter(settings.sweep.endsAfter);
    table.show({
      doing: `Reads the tokens of ${isOfApiUser(request) ? request.apiUser : 'all API users'}.`,
    });
    const { environment } = request;
    const order = {
      pause: settings.sweep.pause,
      ...(isOfApiUser(request) && { apiUser: request.apiUser }),
    };
    const [pairs, open] = await bounds.attempt(() =>
      Promise.all([
        activities.listPairs(order).catch(unlessUnknown),
        activities.listOpen(environment),
      ]),
    );
    if (typeof pairs === 'string') return pairs;
    const { variables, files } = await bounds.attempt(() => activities.listReadings());
    const readings = [...variables, ...files].map(({ secret }) => secret);
    const facts = { settings, environment, open: new Set(open), readings, now: Date.now() };
    const rows = isOfApiUser(request) ? rowsOfApiUser(pairs, request, facts) : rowsOf(pairs, facts);
    table.show({ rows });
    this.settings = settings;
    const isToCome =
      this.nextWave().length > 0 || table.rows.some(({ state }) => state === 'open before');
    if (!isOfApiUser(request) || isToCome) return undefined;
    const why = table.rows
      .slice(0, ROWS_NAMED)
      .map(({ application, what }) => `${application}: ${what}`);
    return `no token of ${request.apiUser} is rotated: ${why.join('; ') || 'Signon lists none'}`;
  }

  /**
   * Hands the request over to the environment's id, which is the lock.
   * @returns what became of it
   */
  async delegate(): Promise<string> {
    const { request, bounds } = this;
    // Refuses a request of another environment here, not in the child.
    await bounds.attempt(() => activities.beginRotation(request));
    const starter = await bounds.attempt(() => activities.readStarter());
    return `the sweep ${await startCanonical(lockOf(request), request, starter, introduceSweep(request))}`;
  }

  atWork(): SweepRow[] {
    return this.table.rows.filter(holdsItsPlace);
  }

  /** What is left to say once every pair had its turn. */
  get outcomeWhy(): string {
    const { length } = this.table.rows.filter(({ state }) => state === 'open before');
    return isOfApiUser(this.request) && length > 0
      ? `${length} rotation${length === 1 ? '' : 's'} of it, open before, may keep a leaked token: abort, and run leak again`
      : 'every pair had its turn; what waits for a person goes on waiting';
  }

  nextWave(): SweepRow[] {
    const all = isOfApiUser(this.request) ? this.table.rows.length : undefined; // one sync for all
    return nextWave(
      this.table.rows,
      all ?? this.request.maxConcurrent ?? this.settings!.sweep.maxConcurrent,
    );
  }

  async untilNotPaused(): Promise<void> {
    const { progress } = this.table;
    if (progress.pausedBy !== undefined) this.table.show({ doing: 'Waits for resume.' });
    while (progress.pausedBy !== undefined)
      await this.bounds.until(() => progress.pausedBy === undefined);
  }

  /** Starts a rotation for each row. One that is open already is left as it is. */
  async start(wave: readonly SweepRow[]): Promise<void> {
    this.table.show({ doing: `Starts ${wave.length} rotations.` });
    for (let at = 0; at < wave.length; at += STARTED_AT_ONCE) {
      this.bounds.endIfDue();
      await Promise.all(wave.slice(at, at + STARTED_AT_ONCE).map((row) => this.startOne(row)));
      this.table.show();
    }
  }

  /**
   * Waits until every rotation of the wave waits for a person or has ended; looks up those that
   * nothing was heard of.
   */
  async untilOver(wave: readonly SweepRow[]): Promise<void> {
    for (;;) {
      const left = wave.filter(holdsItsPlace);
      if (left.length === 0) return;
      const doing = `Waits for ${left.length} of ${wave.length} rotations of this wave.`;
      this.table.show({ doing });
      const { looksEvery } = this.settings!.sweep;
      const heard = await this.bounds.until(() => !wave.some(holdsItsPlace), looksEvery);
      if (!heard) await this.lookUp(wave.filter(holdsItsPlace));
    }
  }

  close(outcome: SweepReport['outcome'], why: string): SweepReport {
    const { environment, requestedBy } = this.request;
    this.table.show({ outcome, doing: `${why}.` });
    return { outcome, why, environment, requestedBy, rows: this.table.rows };
  }

  /** Closes with the end that a person or the time brought. */
  closeEnded(error: unknown): SweepReport {
    if (error instanceof SweepEnd) return this.close(error.outcome, error.why);
    throw error;
  }

  /** Closes where its end came while it was to continue as new. */
  closeIfDue(): SweepReport | undefined {
    const { due } = this.bounds;
    return due && this.close(due.outcome, due.why);
  }

  end(why: string): void {
    this.bounds.end(`${why}; rotations that were started continue`);
  }

  /** What a run with a fresh history goes on from; undefined where it begins anew. */
  carry(): CarriedSweep | undefined {
    const { pausedBy, rows } = this.table.progress;
    const { settings, bounds } = this;
    return settings && { rows, settings, endsAt: bounds.endsAt, pausedBy };
  }

  private async startOne(row: SweepRow): Promise<void> {
    const { request: asked } = this;
    const { environment, requestedBy } = asked;
    const { workflowId, runId, taskQueue } = workflowInfo();
    const { apiUser, application } = row;
    const request: RotationRequest = {
      environment,
      apiUser,
      application,
      requestedBy,
      ...(isOfApiUser(asked)
        ? { reason: asked.reason, force: true }
        : { reason: 'a sweep of expiring tokens' }),
    };
    Object.assign(row, { state: 'preparing', started: true });
    try {
      await startChild(WORKFLOW.rotation, {
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
      Object.assign(row, openBefore(isOfApiUser(asked)));
    }
  }

  /** A rotation that was terminated tells nobody. */
  private async lookUp(rows: readonly SweepRow[]): Promise<void> {
    const { environment } = this.request;
    const before = rows.map(({ state }) => state);
    const stages = await this.bounds.attempt(() =>
      activities.readStages(rows.map((row) => rowId(environment, row))),
    );
    for (const [at, row] of rows.entries())
      // What the rotation itself said meanwhile is newer.
      if (row.state === before[at]) hear(row, stages[at] ?? 'ended');
    this.table.show();
  }

  private listen(): void {
    const { progress } = this.table;
    this.on('pause', ({ by }) => {
      if (progress.pausedBy !== undefined) return 'it is paused already';
      progress.pausedBy = by;
      return { accepted: `paused by ${by}` };
    });
    this.on('resume', ({ by }) => {
      if (progress.pausedBy === undefined) return 'it is not paused';
      delete progress.pausedBy;
      return { accepted: `resumed by ${by}` };
    });
    this.on('retry', ({ by }) =>
      this.bounds.retry() ? { accepted: `retrying: asked by ${by}` } : 'nothing is blocked',
    );
    this.on('abort', ({ by, reason }) => {
      this.end(`${by} ended it (${reason})`);
      return { accepted: `ending: asked by ${by}` };
    });
    answerOtherSignals(this.table, SWEEP_DECISIONS);
  }

  /** @param take says what came of it, or why it is not accepted */
  private on<Name extends keyof SweepDecisions>(
    name: Name,
    take: (given: SweepDecisions[Name]) => string | { accepted: string },
  ): void {
    onMessage(name, SWEEP_DECISIONS[name], this.table, (given) => {
      const taken = take(given);
      return typeof taken === 'string'
        ? { accepted: false, answer: `${name} not accepted: ${taken}` }
        : { accepted: true, answer: taken.accepted };
    });
  }
}

/**
 * What a person mistyped ends a sweep; they start it again.
 * @returns what is wrong
 * @throws any other error
 */
function unlessUnknown(error: unknown): string {
  if (failedWith(error, 'UnknownApiUser')) return failureOf(error).message;
  throw error;
}
