import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import ms from 'ms';
import type { WatchState } from '../../domain/rotation/index.ts';
import type { Readers, SeenReader } from '../../domain/cluster/index.ts';
import type { Watched } from '../../domain/evidence/index.ts';
import type { Settings } from '../../domain/settings/index.ts';
import { activities, failureOf } from '../shared/index.ts';

/**
 * Watches every pod of the namespace while a pair is given up: one that reads its Secret, however
 * short it lives, shows that somebody uses it. A look alone sees what runs at that moment.
 */
export class DisusedWatch {
  seen?: SeenReader;
  /** Pods were watched for long enough. */
  enough = false;
  private why?: string;
  private over = false;
  private readonly scope = new CancellationScope();

  /** Whose Secret a pod read is being asked: it may be this pair's. */
  private isAsking = false;
  /** ISO: when it ended. */
  private until?: string;
  /** ISO: since when without a gap. */
  private since: string;

  /** @param before what the watch came to in the run before this one, after continue-as-new */
  constructor(
    private readonly readers: Readers,
    private readonly wanted: Settings['disusedWatch'],
    { since: before, until, seen }: WatchState = {},
  ) {
    const now = new Date().toISOString();
    this.since = before ?? now;
    if (ms(wanted) === 0) return;
    this.run(() => this.count());
    this.seen = seen;
    if (seen) return;
    this.run(() => this.watch(before === undefined ? now : (until ?? before)));
  }

  /** Watches from now on, where a pod was seen or nobody watches any more. */
  startAnew(): void {
    if (this.seen === undefined && this.why === undefined) return;
    delete this.seen;
    delete this.why;
    this.since = new Date().toISOString();
    if (this.enough) this.run(() => this.count());
    this.enough = false;
    this.run(() => this.watch(this.since));
  }

  /** What a run with a fresh history goes on from. */
  get state(): WatchState {
    const { since, until, seen, why } = this;
    const isKnown = why === undefined && !this.isAsking;
    return { since: isKnown ? since : undefined, until, seen };
  }

  /** What an approver is told of it. */
  get watched(): Watched {
    const { wanted, why, since } = this;
    return { wanted, ...(why === undefined ? { since } : { why }) };
  }

  /**
   * Whether the watch differs from what an approver was shown. That it is long enough by now takes
   * nothing from an approval.
   */
  changedSince(before: Watched, wasEnough: boolean, isApproved: boolean): boolean {
    const isLonger = this.enough && !wasEnough;
    return this.seen !== undefined || this.wasInterruptedSince(before) || (isLonger && !isApproved);
  }

  /** Waits until it is known whose Secret the pod read that it was told of, if it was. */
  async untilKnown(): Promise<void> {
    await condition(() => !this.isAsking);
  }

  /** Whether there was a time since then when nobody watched. */
  wasInterruptedSince(before: Watched): boolean {
    return this.watched.why !== before.why || this.watched.since !== before.since;
  }

  end(): void {
    this.over = true;
    this.until ??= new Date().toISOString();
    this.scope.cancel();
  }

  /** Waits until the watch is long enough; starts over when the watch does. */
  private async count(): Promise<void> {
    for (;;) {
      const left = Date.parse(this.since) + ms(this.wanted) - Date.now();
      this.enough = left <= 0;
      if (this.enough) return;
      await sleep(left, { summary: 'Until every pod was watched for long enough' });
    }
  }

  /** Watches until a reader is seen. A gap, e.g. since no worker ran, makes it begin anew. */
  private async watch(from: string): Promise<void> {
    const { secret } = this.readers;
    let { ofOtherPairs } = this.readers;
    let version: string | undefined;
    for (;;) {
      const seen = await activities.awaitReader({ secret, ofOtherPairs, from, version });
      if (!('interrupted' in seen)) {
        this.isAsking = true;
        const isOther = seen.secret !== secret && (await this.isOfNoInterest(seen.secret));
        if (!isOther) this.seen = seen;
        this.isAsking = false;
        if (this.seen) return;
        ofOtherPairs = [...ofOtherPairs, seen.secret];
        ({ version } = seen); // nothing that came meanwhile is missed
        continue;
      }
      version = undefined;
      from = seen.interrupted; // by the clock that the next look compares it with
      this.since = new Date().toISOString();
      if (this.enough) this.run(() => this.count());
      this.enough = false;
    }
  }

  /**
   * Whether a Secret is another pair's; or a left-over of none, which running containers told to
   * hold none of this pair's tokens.
   */
  private async isOfNoInterest(secret: string): Promise<boolean> {
    if ((await activities.secretsOfPairs([secret])).length > 0) return true;
    const { census } = await activities.lookAtConsumers(this.readers);
    return census.withoutToken?.includes(secret) === true;
  }

  private run(act: () => Promise<void>): void {
    void this.scope.run(act).catch((error: unknown) => {
      if (this.over) return;
      this.why = failureOf(error).message;
      this.isAsking = false;
    });
  }
}
