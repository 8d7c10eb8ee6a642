import type { ActivityOptions } from '@temporalio/workflow';
import type ms from 'ms';

/** How often a step's activities are tried before the rotation blocks, and how long each try may take: side by side, to be compared. */
export const STEPS_OPTIONS = {
  /** Quick questions: reading pages, listing, exec of a digest. About 10 minutes of tries. */
  look: {
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 15 },
  },
  /** Create: the interval is set to Signon's request limit, so that a late effect is seen before another token is made. */
  create: {
    startToCloseTimeout: '3 minutes',
    heartbeatTimeout: '10 seconds',
    retry: { backoffCoefficient: 1, maximumAttempts: 6 },
  },
  /** Revoke: one no longer listed counts as revoked, so a retry is safe. */
  revoke: {
    startToCloseTimeout: '3 minutes',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 10 },
  },
  /** Waits: as long as their own limit, which is passed in; a crash goes on after the heartbeat. */
  wait: {
    startToCloseTimeout: '12 hours',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 20 },
  },
  /** Smoke calls start a Ruby process in each consumer. */
  smoke: {
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 6 },
  },
  /** A look at this run's own pending activities, to show them: not worth a retry. */
  glance: { startToCloseTimeout: '10 seconds', retry: { maximumAttempts: 1 } },
  /** Temporal's own history and the worker's settings. */
  own: {
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 seconds', maximumAttempts: 20 },
  },
} as const satisfies Record<string, ActivityOptions>;

/** How long the outside is waited for before a look at what is tried again, and then between looks: about four hours in all. */
export const WATCH_RETRIES_AFTER: readonly ms.StringValue[] = [
  '30 seconds',
  '2 minutes',
  '5 minutes',
  '10 minutes',
  '20 minutes',
  '40 minutes',
  '80 minutes',
  '80 minutes',
];
