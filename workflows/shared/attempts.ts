import { CancellationScope } from '@temporalio/workflow';
import type { ShownFailure } from '../../domain/rotation/index.ts';
import { failureOf } from './failures.ts';

export interface Attempting {
  /** Throws the end, where one is due. */
  endIfDue: () => void;
  /** Ms since the epoch at which whatever is under way is given up; absent where never. */
  endsAt?: number;
  /** Says what blocks, and that a person is asked; or throws, where nobody is. */
  block: (failure: ShownFailure, tries: number) => void;
  goOn: () => void;
  /** Waits for something; the end may come first. */
  until: (happened: () => boolean) => Promise<unknown>;
}

/**
 * What a workflow does outside, until somebody ends it. One mechanism for all: where its retries
 * are spent it blocks until a person sends `retry`, then runs again.
 */
export class Attempts {
  private interrupted: () => void = () => undefined;
  /** A person is asked, and has not answered yet. */
  isBlocked = false;

  constructor(private readonly host: Attempting) {}

  /**
   * Does something, as often as people want it retried. What must not be cut short runs inside
   * `CancellationScope.nonCancellable`.
   */
  async run<T>(act: () => Promise<T>): Promise<T> {
    const { host } = this;
    for (let tries = 1; ; tries++) {
      host.endIfDue();
      const timeout = host.endsAt && Math.max(1, host.endsAt - Date.now());
      const scope = new CancellationScope({ cancellable: true, timeout });
      this.interrupted = () => scope.cancel();
      try {
        return await scope.run(act);
      } catch (error) {
        host.endIfDue();
        host.block(failureOf(error), tries);
        this.isBlocked = true;
        await host.until(() => !this.isBlocked).finally(() => host.goOn());
      }
    }
  }

  /**
   * Continues what is blocked. False where nothing is, e.g. after another retry was accepted.
   */
  retry(): boolean {
    const { isBlocked } = this;
    this.isBlocked = false;
    return isBlocked;
  }

  /** Cancels what is under way: the end is due. */
  interrupt(): void {
    this.interrupted();
  }
}
