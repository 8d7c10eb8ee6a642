import { metricMeter } from '@temporalio/workflow';
import type { Outcome, StepName } from '../../domain/rotation/index.ts';

const started = metricMeter.createCounter(
  'signon_rotation_started',
  'rotations',
  'Rotations that began',
);
const ended = metricMeter.createCounter(
  'signon_rotation_ended',
  'rotations',
  'Rotations that ended, by outcome',
);
const blocked = metricMeter.createCounter(
  'signon_rotation_blocked',
  'times',
  'Times that a rotation was blocked, by step and failure',
);
const stepTook = metricMeter.createHistogram(
  'signon_rotation_step',
  'float',
  'seconds',
  'Time from the beginning of a step to its end, waits for a person included',
);

/**
 * What Prometheus is told of one rotation. Names of people, pairs and tokens stay out: labels are
 * few, and bounded.
 */
export class RotationMetrics {
  constructor(private readonly environment: string) {
    started.add(1, { environment });
  }

  blocked(step: StepName, failure: string): void {
    blocked.add(1, { environment: this.environment, step, failure });
  }

  /** @param took ms */
  stepDone(step: StepName, took: number): void {
    stepTook.record(took / 1000, { environment: this.environment, step });
  }

  ended(outcome: Outcome): void {
    ended.add(1, { environment: this.environment, outcome });
  }
}
