import { shapeBy, shapeRefusal, type Refusal, type Shaped } from '../evidence/index.ts';

/** What people send to a sweep. `by` is who sends it: a name or e-mail. */
export interface SweepDecisions {
  pause: { by: string };
  resume: { by: string };
  retry: { by: string };
  abort: Refusal;
}

/** Every decision: how its input is shaped, and what the UI's forms say of it. */
export const SWEEP_DECISIONS: {
  [Name in keyof SweepDecisions]: {
    shape: (input: unknown) => Shaped<SweepDecisions[Name]>;
    description: string;
  };
} = {
  pause: { shape: shapeBy, description: 'Let no further wave begin: {"by": "you@example.org"}' },
  resume: { shape: shapeBy, description: 'Go on after a pause: {"by": "you@example.org"}' },
  retry: { shape: shapeBy, description: 'Go on from what is blocked: {"by": "you@example.org"}' },
  abort: {
    shape: shapeRefusal,
    description:
      'End the sweep, rotations go on by themselves: {"by": "you@example.org", "reason": "…"}',
  },
};
