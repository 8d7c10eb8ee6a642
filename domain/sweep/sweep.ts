import { parameterize, tokenSecretName } from '../text/index.ts';
import {
  OPEN_STAGES,
  OUTCOMES,
  recipientOf,
  specialCaseOf,
  type Stage,
} from '../rotation/index.ts';
import { rotationId, type Environment } from '../request/index.ts';
import { ANY_TEXT, oneOf, reader } from '../shape/index.ts';
import type { Settings } from '../settings/index.ts';
import { isLive, newestOf, outlives, type Day } from '../tokens/index.ts';

/** One API user's tokens for one application, as Signon lists them. */
export interface SignonPair {
  apiUser: { name: string; email: string; suspended: boolean };
  /** The application's name, as Signon shows it. */
  application: string;
  tokens: { authorisationId: number; masked: string; expires: Day }[];
}

/** Where a row stands: from what needs a person to what needs nobody. */
export const RANK = [
  ...OPEN_STAGES,
  /** Its wave has not begun. */
  'to come',
  /** Its rotation was open before this sweep: listed, not started. */
  'open before',
  /** Its rotation is closed, and nobody said how. */
  'ended',
  ...OUTCOMES,
  /** Nothing is to be done. */
  'left alone',
] as const;
export type RowState = (typeof RANK)[number];

/** One line of a sweep's table. */
export interface SweepRow {
  /** The API user's e-mail. */
  apiUser: string;
  /** Parameterized. */
  application: string;
  /** The first day on which one of its live tokens ends; absent where none is live. */
  ends?: Day;
  state: RowState;
  /** What is or would be done, and why. */
  what: string;
  /** This sweep started its rotation. */
  started?: true;
  /**
   * Its rotation has waited for a person or ended: its place in the wave is free, whatever it does
   * then.
   */
  hadItsTurn?: true;
}

export interface SweepReport {
  outcome:
    'swept' | 'planned' | 'ignored' | 'delegated' | 'nothing-to-do' | 'aborted' | 'out-of-time';
  why: string;
  environment: Environment;
  requestedBy: string;
  rows: SweepRow[];
}

export function rowId(environment: Environment, { apiUser, application }: SweepRow): string {
  return rotationId({ environment, apiUser, application });
}

/** What a sweep knows beside the pairs. */
export interface SweepFacts {
  settings: Settings;
  environment: Environment;
  /** Ids of rotations that are open already. */
  open: ReadonlySet<string>;
  /** Secrets that the namespace's containers read, once for each reading. */
  readings: readonly string[];
  now: number;
  /** The pairs' tokens are rotated whenever they end. */
  leaked?: boolean;
}

/**
 * Makes a row of every pair, the first to end first. A pair is rotated if any live token of it ends
 * inside the window, even where a longer-lived one exists: pods may still hold the older one, and
 * nothing else reports it.
 */
export function rowsOf(pairs: readonly SignonPair[], facts: SweepFacts): SweepRow[] {
  return pairs.map((pair) => rowOf(pair, facts)).toSorted(firstToEndFirst);
}

/** Sorts rows by the day on which access ends; by code units, so the same on every machine. */
export function firstToEndFirst(a: Ending, b: Ending): number {
  const order = ({ ends, apiUser, application }: Ending): string =>
    [ends ?? '9999', apiUser, application].join(' ');
  return order(a) < order(b) ? -1 : 1;
}
type Ending = Pick<SweepRow, 'ends' | 'apiUser' | 'application'>;

/** The Secret that Signon's sync writes for a pair. */
export function secretOf({ apiUser, application }: SignonPair): string {
  return tokenSecretName(apiUser.name, application);
}

/** How often the namespace's containers read a pair's Secret. */
export function readingsOf(pair: SignonPair, { readings }: SweepFacts): number {
  const secret = secretOf(pair);
  return readings.filter((read) => read === secret).length;
}

/** A rotation that was open before a leak may adopt the leaked token: it is not forced. */
export function openBefore(leaked = false): Pick<SweepRow, 'state' | 'what'> {
  const what = leaked
    ? 'its open rotation may adopt a token from before the leak: abort it, and run leak again'
    : 'its rotation is open already';
  return { state: 'open before', what };
}

export function rowOf(pair: SignonPair, facts: SweepFacts): SweepRow {
  const apiUser = pair.apiUser.email;
  const application = parameterize(pair.application);
  const [ends] = pair.tokens
    .filter((token) => isLive(token, facts.now))
    .map(({ expires }) => expires)
    .toSorted();
  const row = { apiUser, application, ends };
  if (facts.open.has(rotationId({ ...row, environment: facts.environment })))
    return { ...row, ...openBefore(facts.leaked) };
  const leftAlone = whyRowIsLeftAlone(pair, ends, facts);
  return leftAlone === undefined
    ? { ...row, state: 'to come', what: intentFor(pair, facts) }
    : { ...row, state: 'left alone', what: leftAlone };
}

function whyRowIsLeftAlone(
  { apiUser }: SignonPair,
  ends: Day | undefined,
  { settings, now, leaked }: SweepFacts,
): string | undefined {
  const special = specialCaseOf({ apiUser }, settings);
  if (special) return `${special.outcome}: ${special.why}`;
  if (ends === undefined) return 'it has no live token';
  if (leaked) return undefined;
  if (outlives({ expires: ends }, now, settings.window))
    return `no live token expires within ${settings.window}`;
  return apiUser.suspended ? 'its API user is suspended in Signon: the sync skips it' : undefined;
}

function intentFor(pair: SignonPair, facts: SweepFacts): string {
  const { settings, now, leaked } = facts;
  if (readingsOf(pair, facts) === 0)
    return !leaked && recipientOf(settings, pair)
      ? 'ask to approve a hand-over: its holder is outside the cluster'
      : 'ask a person: who holds the token? No workload reads its Secret';
  if (leaked) return 'issue a token, roll it out, then ask to revoke every older one';
  const newest = newestOf(pair.tokens)!; // one is live
  return outlives(newest, now, settings.window)
    ? `roll out the token that expires ${newest.expires}, then ask to revoke the older one`
    : 'issue a token, roll it out, then ask to revoke the old one';
}

/** The rows of the wave that is next; empty where none is left. */
export function nextWave(rows: readonly SweepRow[], atMost: number): SweepRow[] {
  return rows.filter(({ state }) => state === 'to come').slice(0, atMost);
}

/**
 * Whether a row keeps its wave from being over: its rotation is at work, and has neither waited for
 * a person nor ended so far.
 */
export function holdsItsPlace({
  state,
  hadItsTurn,
}: Pick<SweepRow, 'state' | 'hadItsTurn'>): boolean {
  return hadItsTurn === undefined && (state === 'preparing' || state === 'revoking');
}

/** Records a rotation's stage in its row; ignores a rotation that this sweep did not start. */
export function hear(row: SweepRow, state: Stage | 'ended'): void {
  if (!row.started) return;
  row.state = state;
  if (!holdsItsPlace(row)) row.hadItsTurn = true;
}

/** Reads what a rotation that a sweep started tells it. */
export const parseStageReport = reader({
  workflowId: ANY_TEXT,
  stage: oneOf([...OPEN_STAGES, ...OUTCOMES]),
});

/** How many rows stand where, those that people can do something about first. */
export function countByState(rows: readonly SweepRow[]): { state: RowState; count: number }[] {
  const states = [...new Set(rows.map(({ state }) => state))];
  return states
    .toSorted((a, b) => RANK.indexOf(a) - RANK.indexOf(b))
    .map((state) => ({ state, count: rows.filter((row) => row.state === state).length }));
}
