import { metricMeter } from '@temporalio/workflow';

// Names of people, pairs and tokens stay out of the labels: these are few, and bounded.
export const started = metricMeter.createCounter(
  'signon_rotation_started',
  'rotations',
  'Rotations that began',
);
export const ended = metricMeter.createCounter(
  'signon_rotation_ended',
  'rotations',
  'Rotations that ended, by outcome',
);
export const blocked = metricMeter.createCounter(
  'signon_rotation_blocked',
  'times',
  'Times that a rotation was blocked, by step and failure',
);
export const stepTook = metricMeter.createHistogram(
  'signon_rotation_step',
  'float',
  'seconds',
  'Time from the beginning of a step to its end, waits for a person included',
);
