import { ALERT } from '../evidence/index.ts';
import type { Outcome } from '../rotation/index.ts';
import {
  ENVIRONMENTS,
  parseRequest,
  whyLeftAlone,
  type Environment,
  type RotationRequest,
} from '../request/index.ts';

/** The alert that says that a pair's longest-lived token is about to end. */
export const ALERT_NAME = 'SignonApiUserTokenExpirySoon';

/** One alert as Alertmanager sends it. */
export interface Alert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  /** RFC 3339. */
  startsAt: string;
}

/** What an alert asks for; or why it asks for nothing. */
export type AlertVerdict =
  | { kind: 'start'; request: RotationRequest; startsAt: string }
  | { kind: 'ignored' | 'refused'; why: string };

/** What an alert asks the receiver of an environment for, before anything is looked up. */
export function askedBy({ labels, status, startsAt }: Alert, serves: Environment): AlertVerdict {
  const { alertname, environment, api_user: apiUser, application } = labels;
  if (alertname !== ALERT_NAME) return { kind: 'ignored', why: 'another alert' };
  if (status === 'resolved') return { kind: 'ignored', why: 'resolved' };
  const leftAlone =
    ENVIRONMENTS.includes(environment as Environment) && whyLeftAlone(environment as Environment);
  if (leftAlone) return { kind: 'ignored', why: leftAlone };
  const parsed = parseRequest({
    environment,
    apiUser,
    application,
    requestedBy: ALERT,
    reason: `alert of ${startsAt}`,
  });
  if (!parsed.ok) return { kind: 'refused', why: parsed.problems.join('; ') };
  if (environment !== serves) return { kind: 'refused', why: 'other environment' };
  return { kind: 'start', request: parsed.request, startsAt: new Date(startsAt).toISOString() };
}

/** A rotation of the pair that the server remembers. */
export interface PastRotation {
  open: boolean;
  /** Ms since the epoch. */
  closedAt?: number;
  outcome?: Outcome;
  /** The `startsAt` of the alert that started it. */
  startsAt?: string;
}

/**
 * The expiry metric lags by an hour, and the rule waits another: an alert may fire on for so long
 * after its token was replaced.
 */
const QUIET_AFTER_HOURS = 3;
/** Outcomes that a person or the settings chose: the same alert brings the same question. */
const ANSWERED: readonly Outcome[] = ['rejected', 'aborted', 'referred', 'ignored'];

/** Why an alert starts no rotation, given those of its pair; undefined where it starts one. */
export function whyNot(
  rotations: readonly PastRotation[],
  startsAt: string,
  now: number,
): { kind: 'already running' } | { kind: 'ignored'; why: string } | undefined {
  if (rotations.some(({ open }) => open)) return { kind: 'already running' };
  const closed = rotations.map(({ closedAt }) => closedAt ?? -Infinity);
  const minutesAgo = Math.floor((now - Math.max(-Infinity, ...closed)) / 60_000);
  if (minutesAgo < QUIET_AFTER_HOURS * 60)
    return {
      kind: 'ignored',
      why: `its last rotation closed ${Math.max(0, minutesAgo)} minutes ago, and the metric lags`,
    };
  const answered = rotations.find(
    (one) => one.startsAt === startsAt && one.outcome && ANSWERED.includes(one.outcome),
  );
  if (!answered) return undefined;
  return { kind: 'ignored', why: `a rotation for this very alert ended as ${answered.outcome}` };
}
