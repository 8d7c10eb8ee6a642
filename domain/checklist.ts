import type { Workload } from './cluster.ts';
import type { Evidence } from './evidence.ts';
import type { Findings } from './holders.ts';
import type { TemporalUi } from './links.ts';
import type { Outcome } from './plan.ts';
import type { HandOver } from './report.ts';
import type { RotationRequest } from './request.ts';

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
export const SELDOM = ['classify', 'approve plan', 'hand over'] as const satisfies readonly StepName[];
export type StepName = (typeof STEPS)[number];

export interface StepProgress {
  name: StepName;
  state: 'to come' | 'now' | 'blocked' | 'done' | 'skipped';
  note: string;
}

/** What a rotation waits for a person with. */
export type Waiting =
  | {
      kind: 'blocked';
      step: StepName;
      failure: string;
      message: string;
      todo: string;
      /** Workloads whose containers stand in the way: a retry may restart the Deployments among them. */
      workloads?: Workload[];
      /** What was tried, and how often, where an activity was. */
      tried?: string;
      since: string;
      /** How often the step was begun. */
      tries: number;
    }
  | { kind: 'approval'; evidence: Evidence; since: string }
  | { kind: 'classification'; findings: Findings; since: string };

/** Where a rotation stands: the `status` query's answer, and what the current details are drawn from. */
export interface Progress {
  request: RotationRequest;
  steps: StepProgress[];
  waiting?: Waiting;
  /** The rotation has ended so: there is nothing left to send. */
  outcome?: Outcome;
  /** Where the Temporal UI and the documentation are, once the settings are known and if they say. */
  links: { ui?: TemporalUi; docs?: string };
  /** Activities that are tried again: which, how often so far, what failed last. One sentence each. */
  retrying: string[];
  /** The answer to the last decision somebody sent. */
  lastAnswer?: string;
  /** The new token for a holder outside, encrypted. */
  handOver?: HandOver;
  notes: string[];
}

/** How a step's state is shown. */
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
