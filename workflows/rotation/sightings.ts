import { CancellationScope } from '@temporalio/workflow';
import type { Evidence, Sighting } from '../../domain/evidence/index.ts';
import {
  describeContainer,
  describeOthers,
  disagreements,
  distinctConsumers,
  holds,
  running,
  sameConsumer,
} from '../../domain/cluster/index.ts';
import { parameterize } from '../../domain/text/index.ts';
import type { Round } from '../../domain/rotation/index.ts';
import type { ListedToken } from '../../domain/tokens/index.ts';
import { activities, blocks, failureOf } from '../shared/index.ts';
import type { Checklist } from './checklist.ts';

/**
 * Looks out for consumers of which nothing runs, while a person is asked: a CronJob's next run
 * shows what the Secret holds for it.
 */
export class Sightings {
  /** Those of the last question. */
  private recent: Sighting[] = [];
  /** The new token that a run did not hold, and that was therefore synced again. */
  private syncedAgainFor?: number;

  constructor(
    private readonly checklist: Checklist,
    public all: Sighting[] = [],
  ) {}

  /**
   * Asks a person, and watches meanwhile for a first run of each consumer. The question is outdated
   * once one runs; where somebody has approved, only by a run that speaks against the evidence.
   */
  async whileAsking<T>(
    evidence: Evidence,
    { readers, settings, pair, tokens, newToken }: Round,
    ask: (outdated: (isApproved: boolean) => boolean) => Promise<T>,
  ): Promise<T> {
    this.recent = [];
    const unseen = evidence.consumers.filter(({ pods }) => pods.length === 0);
    if (unseen.length === 0) return ask(() => false);
    const application = parameterize(pair.application.name);
    const call = settings.smokeCalls[application];
    let consumers = distinctConsumers(unseen);
    const watch = new CancellationScope();
    let over = false;
    const watchAll = async (): Promise<void> => {
      while (consumers.length > 0) {
        const seen = await activities.awaitSighting({ readers, consumers, application, call });
        const containers = seen.map(({ container }) => container);
        const others = containers.filter((container) => !holds(container, newToken));
        if (others.length > 0)
          this.checklist.remark(
            `A later run does not hold the new token: ${describeOthers(others, tokens)}`,
          );
        this.all.push(...seen);
        this.recent.push(...seen);
        const left = consumers.filter((one) => !containers.some((ran) => sameConsumer(one, ran)));
        if (left.length === consumers.length) return; // none of them was seen: it gave up
        consumers = left;
      }
    };
    void watch.run(watchAll).catch((error: unknown) => {
      // Whoever cannot be seen is accepted by name, as before.
      if (!over)
        this.checklist.remark(`No longer watching for further runs: ${failureOf(error).message}`);
    });
    try {
      return await ask((isApproved) =>
        this.recent.some((seen) => !isApproved || this.isAgainst(seen, newToken)),
      );
    } finally {
      over = true;
      watch.cancel();
    }
  }

  /**
   * Keeps what a look shows of consumers that were sighted before: the last run counts, should it
   * hold another token.
   */
  noticed({ look, newToken }: Round): void {
    for (const container of running(look)) {
      const last = this.all.findLast((one) => sameConsumer(one.container, container))?.container;
      if (last && !holds(container, newToken) && last.token !== container.token)
        this.all.push({ at: look.at, container });
    }
  }

  /**
   * Whether a run that was just seen held another token, for the first time: the Secret may not
   * have been updated, so one more sync may help.
   */
  wantsSync({ newToken }: Round): boolean {
    if (this.syncedAgainFor === newToken.authorisationId || this.others(newToken).length === 0)
      return false;
    this.syncedAgainFor = newToken.authorisationId;
    this.recent = [];
    return true;
  }

  /**
   * Blocks on what must not be seen: another token after that sync, another environment, a failed
   * smoke call. Blocks once: after a retry, only new runs count.
   */
  refuseWhatWasSeen({ newToken, tokens }: Round): void {
    const { recent } = this;
    const others = this.others(newToken);
    const containers = recent.map(({ container }) => container);
    const environment = this.otherEnvironments(containers);
    const failed = recent.filter(({ smoke }) => smoke?.verdict === 'failed');
    this.recent = [];
    this.all = this.all.filter((sighting) => !failed.includes(sighting));
    if (environment.length > 0) throw blocks('WrongEnvironment', environment.join('; '));
    if (others.length > 0)
      throw blocks(
        'SecretNotUpdated',
        `after another sync: ${describeOthers(others, tokens)}`,
        others,
      );
    if (failed.length > 0)
      throw blocks(
        'SmokeFailed',
        failed
          .map(({ container, smoke }) => `${describeContainer(container)}: ${smoke?.detail ?? ''}`)
          .join('; '),
      );
  }

  private others(newToken: ListedToken): Sighting['container'][] {
    return this.recent
      .map(({ container }) => container)
      .filter((container) => !holds(container, newToken));
  }

  /** Whether what a run showed speaks against the evidence. */
  private isAgainst({ container, smoke }: Sighting, newToken: ListedToken): boolean {
    return (
      !holds(container, newToken) ||
      smoke?.verdict === 'failed' ||
      this.otherEnvironments([container]).length > 0
    );
  }

  private otherEnvironments(containers: Sighting['container'][]): string[] {
    const seen = { containers, census: { environments: [] } };
    return disagreements(seen, this.checklist.progress.request.environment).environment;
  }
}
