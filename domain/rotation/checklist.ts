import type { Workload } from '../cluster/index.ts';
import type { Evidence } from '../evidence/index.ts';
import type { Findings } from './holders.ts';
import type { TemporalUi } from './links.ts';
import type { HandOver, Remembered, RotationReport } from './report.ts';
import type { RotationRequest } from '../request/index.ts';

export const STEPS = [
  'assess',
  'classify',
  'approve plan',
  'issue',
  'hand over',
  'sync',
  'roll out',
  'smoke',
  'approve',
  'revoke',
  'confirm',
] as const;
/** Steps that most rotations do not have: shown once begun. */
export const SELDOM = [
  'classify',
  'approve plan',
  'hand over',
] as const satisfies readonly StepName[];
export type StepName = (typeof STEPS)[number];

export interface StepProgress {
  name: StepName;
  state: 'to come' | 'now' | 'blocked' | 'done' | 'skipped';
  note: string;
}

/** What keeps a workflow from going on, as people are shown it. */
export interface ShownFailure {
  failure: string;
  message: string;
  /** What was tried, and how often, where an activity was. */
  tried?: string;
  /** Workloads whose containers stand in the way: a retry may restart the Deployments among them. */
  workloads?: Workload[];
}

/** What a rotation waits for a person with. */
export type Waiting =
  | (ShownFailure & {
      kind: 'blocked';
      step: StepName;
      /** Which tokens of the pair work now, one sentence. */
      tokens: string;
      todo: string;
      /** False where the worker's role may not restart Deployments. */
      mayRestart?: false;
      since: string;
      /** How often the step was begun. */
      tries: number;
    })
  | {
      kind: 'approval';
      evidence: Evidence;
      since: string;
      /** How many people must approve, where one is not enough, and who has. */
      needed?: number;
      approvedBy?: string[];
    }
  | { kind: 'classification'; findings: Findings; since: string };

/**
 * Where a rotation stands: the `status` query's answer, and what the current details are drawn
 * from.
 */
export interface Progress {
  request: RotationRequest;
  steps: StepProgress[];
  waiting?: Waiting;
  /** The same as in the report, for a rotation that leaves none. */
  remembered?: Remembered;
  /** How the rotation ended: there is nothing left to send. */
  ended?: RotationReport;
  /**
   * Where the Temporal UI and the documentation are, once the settings are known and if they say.
   */
  links: { ui?: TemporalUi; docs?: string };
  /**
   * Activities that are retried: which, how often so far, when next, what failed last; and what is
   * waited for. One sentence each.
   */
  retrying: string[];
  /** ISO: when Signon’s renewal is over, while that is waited for. */
  renewalOver?: string;
  /** The answer to the last decision that somebody sent; `at` in ISO. */
  lastAnswer?: { at: string; text: string };
  /** The new token for a holder outside, encrypted. */
  handOver?: HandOver;
  notes: string[];
}

export const MARKS: Record<StepProgress['state'], string> = {
  'to come': '·',
  now: '▶',
  blocked: '✗',
  done: '✓',
  skipped: '–',
};

export function isSeldom(name: StepName): boolean {
  return (SELDOM as readonly StepName[]).includes(name);
}
