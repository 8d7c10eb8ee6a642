import { CancellationScope } from '@temporalio/workflow';
import type { Evidence, Sighting } from '../domain/evidence.ts';
import { parameterize } from '../domain/parameterize.ts';
import { describeOthers, holds } from '../domain/possession.ts';
import { awaitSighting } from './activities.ts';
import type { Expected } from './rollout.ts';
import type { Runbook } from './runbook.ts';

/** Looks out for consumers of which nothing runs, while a person is asked: a CronJob's next run shows what the Secret holds for it. */
export class Sightings {
  readonly all: Sighting[] = [];
  /** Those of the last question. */
  private recent: Sighting[] = [];

  constructor(private readonly book: Runbook) {}

  /** Asks, and tells the question once one of them was seen. */
  async whileAsking<T>(
    evidence: Evidence,
    { readers, settings, pair, tokens, newToken }: Expected,
    ask: (seen: () => boolean) => Promise<T>,
  ): Promise<T> {
    this.recent = [];
    const unseen = evidence.consumers.filter(({ pods }) => pods.length === 0);
    if (unseen.length === 0) return ask(() => false);
    const application = parameterize(pair.application.name);
    const consumers = unseen.map(({ workload, container, variable }) => ({ workload, container, variable }));
    const watch = new CancellationScope();
    void watch
      .run(() => awaitSighting({ readers, consumers, application, call: settings.smokeCalls[application] }))
      .then((seen) => {
        const others = seen.map(({ container }) => container).filter((container) => !holds(container, newToken));
        if (others.length > 0) this.book.remark(`When it ran: ${describeOthers(others, tokens)}`);
        this.all.push(...seen);
        this.recent = seen;
      })
      .catch(() => undefined); // whoever cannot be seen is accepted by name, as before
    try {
      return await ask(() => this.recent.length > 0);
    } finally {
      watch.cancel();
    }
  }

  /** Whether a run that was just seen held another token: the Secret may not have been updated. */
  sawOther({ newToken }: Pick<Expected, 'newToken'>): boolean {
    return this.recent.some(({ container }) => !holds(container, newToken));
  }
}
