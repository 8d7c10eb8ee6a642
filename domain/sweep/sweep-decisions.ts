import { type DecisionTable, shapeBy, shapeRefusal, type Refusal } from '../evidence/index.ts';

/** What people send to a sweep. `by` is who sends it: a name or e-mail. */
export interface SweepDecisions {
  pause: { by: string };
  resume: { by: string };
  retry: { by: string };
  abort: Refusal;
}

export const SWEEP_DECISIONS: DecisionTable<SweepDecisions> = {
  pause: { shape: shapeBy, description: 'Let no further wave begin: {"by": "you@example.org"}' },
  resume: { shape: shapeBy, description: 'Go on after a pause: {"by": "you@example.org"}' },
  retry: { shape: shapeBy, description: 'Go on from what is blocked: {"by": "you@example.org"}' },
  abort: {
    shape: shapeRefusal,
    description:
      'End the sweep, rotations continue by themselves: {"by": "you@example.org", "reason": "…"}',
  },
};
