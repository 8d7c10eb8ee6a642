import type { Answer, Retry, RetryAccept } from '../../domain/evidence/index.ts';
import { beside, restartable, whyNoRetry } from '../../domain/rotation/index.ts';
import type { Workload } from '../../domain/cluster/index.ts';
import type { Attempts } from '../shared/index.ts';
import type { Approvals } from './approvals.ts';
import type { Checklist } from './checklist.ts';

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
    private readonly checklist: Checklist,
    private readonly approvals: Approvals,
    private readonly attempts: Attempts,
    accepted: readonly string[] = [],
  ) {
    this.accepted = new Set(accepted);
  }

  take(retry: Retry): Answer {
    const { by, restart, sync, accept = [] } = retry;
    if (this.approvals.isAsking) return this.takeForEvidence(retry);
    const { waiting } = this.checklist.progress;
    if (waiting?.kind !== 'blocked') return no('nothing is blocked');
    const why = whyNoRetry(retry, waiting);
    if (why) return no(why);
    if (!this.attempts.retry()) return no('another retry was accepted just before');
    for (const one of accept) this.accepted.add(one);
    const workloads = restart ? restartable(waiting) : undefined;
    this.remedy = { restart: workloads, sync };
    const asked = beside(retry, workloads);
    this.checklist.remark([`${by} sent retry in “${waiting.step}”`, ...asked].join(', '));
    return { accepted: true, answer: [`retrying: asked by ${by}`, ...asked].join(', ') };
  }

  /** Drops one-time acceptances, since a step is blocked anew. */
  blockedAnew(): void {
    for (const once of ANSWERED_ONCE) this.accepted.delete(once);
  }

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
    if (!this.approvals.gatherAfresh())
      return no('an approval to issue a token rests on no evidence that another look could change');
    this.checklist.remark(`${by} had the evidence gathered anew`);
    return { accepted: true, answer: `gathering the evidence anew: asked by ${by}` };
  }
}

function no(why: string): Answer {
  return { accepted: false, answer: `retry not accepted: ${why}` };
}
