import { setTimeout as after } from 'node:timers/promises';

/**
 * A read that somebody waits for begins after a pause as long as the last read took, at most this.
 */
const REST_AT_MOST_MS = 1000;

interface Begun<T> {
  /** By `performance.now()`. */
  at: number;
  value: Promise<T>;
  state: 'under way' | 'ended' | 'failed';
}

/**
 * Coalesces concurrent reads, into two at most. No caller gets data older than its request, or
 * than the `since` that it passes.
 */
export class SharedRead<T> {
  /** The last that was begun. */
  private begun?: Begun<T>;
  /** The one that begins when that has ended. */
  private next?: Promise<T>;

  constructor(private readonly read: () => Promise<T>) {}

  /**
   * @param since a read begun at this moment of `performance.now()` or later will do; now where
   * absent
   */
  get(since = performance.now()): Promise<T> {
    if (this.begun && this.begun.at >= since && this.begun.state !== 'failed')
      return this.begun.value;
    this.next ??= this.begin(this.begun);
    return this.next;
  }

  private async begin(last: Begun<T> | undefined): Promise<T> {
    const inARow = last?.state === 'under way';
    await last?.value.catch(() => undefined);
    if (inARow)
      await after(Math.min(performance.now() - last.at, REST_AT_MOST_MS), undefined, {
        ref: false,
      });
    const begun: Begun<T> = { at: performance.now(), value: this.read(), state: 'under way' };
    begun.value.then(
      () => (begun.state = 'ended'),
      () => (begun.state = 'failed'), // whoever asked is told of it, who asks after it is not
    );
    this.begun = begun;
    this.next = undefined;
    return begun.value;
  }
}
