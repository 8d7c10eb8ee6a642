import type { Answer, Retry, RetryAccept } from '../../domain/evidence/index.ts';
import { beside, type Waiting, whyNoRetry } from '../../domain/rotation/index.ts';
import { deploymentsOf, type Workload } from '../../domain/cluster/index.ts';

/** What it says and asks of the runbook. */
interface RetryHost {
  waiting: () => Waiting | undefined;
  remark: (text: string) => void;
  /**
   * Continues the blocked step. False where none is, e.g. after another retry was accepted.
   */
  goOn: () => boolean;
  /** Has the evidence that is asked about gathered anew. False where no look can change it. */
  gatherAfresh: () => boolean;
  isAsking: () => boolean;
}

/** What an accepted retry asked for, besides continuing. */
interface Remedy {
  restart?: Workload[];
  sync?: boolean;
}

/** What a person vouches for of one token: it answers one question, and no later one. */
const ANSWERED_ONCE: readonly RetryAccept[] = ['already-handed-over', 'issue-another'];

/**
 * Takes retries: a blocked step is begun again, evidence that a person is asked about is gathered
 * anew.
 */
export class Retries {
  /** What people vouched for. */
  readonly accepted: Set<string>;
  private remedy: Remedy = {};

  constructor(
    private readonly host: RetryHost,
    accepted: readonly string[] = [],
  ) {
    this.accepted = new Set(accepted);
  }

  take(retry: Retry): Answer {
    const { host } = this;
    const { by, restart, sync, accept = [] } = retry;
    if (host.isAsking()) return this.takeForEvidence(retry);
    const waiting = host.waiting();
    if (waiting?.kind !== 'blocked') return no('nothing is blocked');
    const why = whyNoRetry(retry, waiting);
    if (why) return no(why);
    if (!host.goOn()) return no('another retry was accepted just before');
    for (const one of accept) this.accepted.add(one);
    const workloads = restart ? deploymentsOf(waiting.workloads) : undefined;
    this.remedy = { restart: workloads, sync };
    const asked = beside(retry, workloads);
    host.remark([`${by} sent retry in “${waiting.step}”`, ...asked].join(', '));
    return { accepted: true, answer: [`retrying: asked by ${by}`, ...asked].join(', ') };
  }

  /** Drops one-time acceptances, since a step is blocked anew. */
  blockedAnew(): void {
    for (const once of ANSWERED_ONCE) this.accepted.delete(once);
  }

  /** Takes out what the accepted retry asked for. */
  takeRemedy<Kind extends keyof Remedy>(kind: Kind): Remedy[Kind] {
    const { [kind]: remedy } = this.remedy;
    delete this.remedy[kind];
    return remedy;
  }

  /**
   * A retry while an approval is asked for has the evidence gathered anew, e.g. once a smoke call
   * can be made.
   */
  private takeForEvidence({ by, restart, sync, accept }: Retry): Answer {
    if (restart || sync || accept)
      return no('while an approval is asked for, send retry with the field “by” alone');
    if (!this.host.gatherAfresh())
      return no('an approval to issue a token rests on no evidence that another look could change');
    this.host.remark(`${by} had the evidence gathered anew`);
    return { accepted: true, answer: `gathering the evidence anew: asked by ${by}` };
  }
}

function no(why: string): Answer {
  return { accepted: false, answer: `retry not accepted: ${why}` };
}
