import { allHold, type ClusterLook, holdersOf } from '../cluster/index.ts';
import type { RotationRequest } from '../request/index.ts';
import type { Settings } from '../settings/index.ts';
import { isLive, newestOf, outlives, type ListedToken } from '../tokens/index.ts';

/** The pair as Signon shows it. */
export interface Pair {
  apiUser: { id: number; name: string; email: string; suspended: boolean };
  application: { id: number; name: string };
  /** Name of the Kubernetes Secret that the sync writes. */
  secret: string;
}

/** A pair, and what was seen of it last. */
export interface Assessment {
  settings: Settings;
  pair: Pair;
  /** As last listed. */
  tokens: ListedToken[];
  /** The last look. */
  look: ClusterLook;
}

export const OUTCOMES = [
  'rotated',
  'revoked-disused',
  'handed-over',
  'old-token-expired',
  'ignored',
  'referred',
  'nothing-to-do',
  'delegated',
  'rejected',
  'aborted',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A rotation that is to touch nothing. */
export interface Stop {
  kind: 'stop';
  outcome: Outcome;
  why: string;
}

export type Plan = Stop | { kind: 'adopt'; token: ListedToken } | { kind: 'issue' };

/**
 * What the runbook says of this API user beside its steps, as the settings list it; undefined where
 * nothing. Names are compared as they read, case and blanks apart.
 */
export function specialCaseOf(
  pair: { apiUser: { name: string } },
  { specialCases }: Settings,
): Stop | undefined {
  const plain = (name: string): string => name.trim().replace(/\s+/g, ' ').toLowerCase();
  const found = specialCases.find(({ apiUser }) => plain(apiUser) === plain(pair.apiUser.name));
  if (!found) return undefined;
  const { outcome, why, link } = found;
  return { kind: 'stop', outcome, why: `${pair.apiUser.name}: ${why}${link ? `: ${link}` : ''}` };
}

/**
 * What to do with a pair. No access is granted that was not there: a pair without any listed token
 * never gets one.
 */
export function planFor(assessment: Assessment, request: RotationRequest, now: number): Plan {
  const { tokens, look, settings } = assessment;
  const newest = newestOf(tokens);
  if (!newest)
    return {
      kind: 'stop',
      outcome: 'nothing-to-do',
      why: 'Signon lists no token for this pair, live or expired; none is issued',
    };
  if (request.force || !outlives(newest, now, settings.window)) return { kind: 'issue' };
  const others = tokens.filter((token) => token !== newest && isLive(token, now));
  if (others.length === 0 && allHold(look, newest))
    return {
      kind: 'stop',
      outcome: 'nothing-to-do',
      why: `the pair’s only live token lives until ${newest.expires}, and ${holdersOf(look, 'it')}`,
    };
  return { kind: 'adopt', token: newest };
}
