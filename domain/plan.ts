import { allHold } from './possession.ts';
import type { ClusterLook } from './cluster.ts';
import type { RotationRequest } from './request.ts';
import type { Settings } from './settings.ts';
import { isLive, newestOf, outlives, type ListedToken } from './tokens.ts';

/** The pair as Signon shows it. */
export interface Pair {
  apiUser: { id: number; name: string; email: string; suspended: boolean };
  application: { id: number; name: string };
  /** Name of the Kubernetes Secret that the sync writes. */
  secret: string;
}

/** What was seen before the first act. */
export interface Assessment {
  settings: Settings;
  pair: Pair;
  tokens: ListedToken[];
  look: ClusterLook;
}

/** How a rotation can end. */
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

/** The runbook's reason to leave staging alone. */
export const STAGING_IS_IGNORED = 'since it is overwritten from production every night';

export type Plan =
  { kind: 'stop'; outcome: Outcome; why: string } | { kind: 'adopt'; token: ListedToken } | { kind: 'issue' };

/** What the runbook says of this API user beside its steps, as the settings list it; undefined where nothing. Names are compared as they read, case and blanks apart. */
export function specialCaseOf(
  pair: { apiUser: { name: string } },
  { specialCases }: Settings,
): Extract<Plan, { kind: 'stop' }> | undefined {
  const plain = (name: string): string => name.trim().replace(/\s+/g, ' ').toLowerCase();
  const found = specialCases.find(({ apiUser }) => plain(apiUser) === plain(pair.apiUser.name));
  if (!found) return undefined;
  const { outcome, why, link } = found;
  return { kind: 'stop', outcome, why: `${pair.apiUser.name}: ${why}${link ? `: ${link}` : ''}` };
}

/** What to do with a pair. No access is granted that was not there: a pair without any listed token never gets one. */
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
      why: `the pair’s only live token lives until ${newest.expires} and every running consumer holds it`,
    };
  return { kind: 'adopt', token: newest };
}
