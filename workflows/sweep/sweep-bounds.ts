import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import ms from 'ms';
import { type ShownFailure, todoFor } from '../../domain/rotation/index.ts';
import { isOfApiUser, type SweepRequest } from '../../domain/sweep/index.ts';
import {
  type Attempting,
  Attempts,
  HistoryIsLong,
  isHistoryLong,
  Notices,
} from '../shared/index.ts';
import type { SweepTable } from './sweep-table.ts';

/** A sweep ends after this time, unless its settings say sooner. */
const AT_THE_LATEST = '20 hours';

/** Thrown inside a sweep when it is to end: by a person, or since its time is over. */
export class SweepEnd extends Error {
  constructor(
    readonly outcome: 'aborted' | 'out-of-time',
    readonly why: string,
  ) {
    super();
  }
}

/**
 * What a sweep does outside and waits for, until somebody ends it or its time is over. Where
 * retries are spent, a person is asked.
 */
export class SweepBounds implements Attempting {
  /** Ms since the epoch. */
  endsAt: number;
  private stop?: SweepEnd;
  private readonly attempts = new Attempts(this);
  private readonly notices: Notices;

  constructor(
    private readonly request: SweepRequest,
    private readonly table: SweepTable,
    endsAt = Infinity,
  ) {
    this.endsAt = Math.min(endsAt, endOf(AT_THE_LATEST));
    const { environment, requestedBy } = request;
    const apiUser = isOfApiUser(request) ? request.apiUser : 'all API users';
    const about = { environment, requestedBy, apiUser, application: 'all applications' };
    this.notices = new Notices(about, () => undefined);
  }

  /** Sets the end, counted from the start of this history. */
  endAfter(time: ms.StringValue): void {
    this.endsAt = endOf(time);
  }

  end(why: string): void {
    this.stop ??= new SweepEnd('aborted', why);
    this.attempts.interrupt();
  }

  /** The end, where it has come. */
  get due(): SweepEnd | undefined {
    if (this.stop) return this.stop;
    return Date.now() >= this.endsAt ? new SweepEnd('out-of-time', 'its time was over') : undefined;
  }

  endIfDue(): void {
    if (this.due) throw this.due;
  }

  retry(): boolean {
    return this.attempts.retry();
  }

  /**
   * Waits until `happened`, at most `atMost` where given. False where the time is up.
   * @throws the end, or HistoryIsLong, where that comes first
   */
  async until(happened: () => boolean, atMost?: ms.StringValue): Promise<boolean> {
    const left = this.endsAt - Date.now();
    const came = await condition(
      () => happened() || this.stop !== undefined || isHistoryLong(),
      Math.max(1, Math.min(left, atMost === undefined ? left : ms(atMost))),
      { summary: 'Until the rotations that were not heard of are looked up, or the sweep ends' },
    );
    this.endIfDue();
    if (isHistoryLong()) throw new HistoryIsLong();
    return came;
  }

  /**
   * Does something outside. Where its retries are spent, a person is asked, and it is retried on
   * `retry`; a plan ends.
   */
  attempt<T>(act: () => Promise<T>): Promise<T> {
    return this.attempts.run(() => {
      const scope = new CancellationScope();
      return scope.run(act).catch((error: unknown) => {
        scope.cancel(); // what else it does
        throw error;
      });
    });
  }

  block({ failure, message }: ShownFailure, tries: number): void {
    if (this.request.plan) throw new SweepEnd('aborted', `${failure}: ${message}`);
    const blocked = { failure, message, todo: todoFor(failure), since: new Date().toISOString() };
    this.table.show({ blocked });
    const waiting = {
      kind: 'blocked',
      step: 'assess',
      tokens: 'Open rotations continue.',
      tries,
      ...blocked,
    } as const;
    void this.notices.whileNeeded(waiting, () => this.table.progress.blocked === blocked);
  }

  goOn(): void {
    this.table.show({ blocked: undefined });
  }
}

/** When a run that began with this history ends, after so long. */
function endOf(after: ms.StringValue): number {
  return workflowInfo().startTime.getTime() + ms(after);
}
