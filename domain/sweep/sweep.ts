import { parameterize, tokenSecretName } from '../text/index.ts';
import { OUTCOMES, specialCaseOf, type Stage, WAITS_FOR_PERSON } from '../rotation/index.ts';
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

export type RowState =
  | Stage
  /** Its wave has not begun. */
  | 'to come'
  /** Its rotation was open before this sweep: listed, not started. */
  | 'open before'
  /** Its rotation is closed, and nobody said how. */
  | 'ended'
  /** Nothing is to be done. */
  | 'left alone';

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

/** The rotation of a row. */
export function rowId(environment: Environment, { apiUser, application }: SweepRow): string {
  return rotationId({ environment, apiUser, application });
}

/**
 * Makes a row of every pair, the first to end first. A pair is rotated if any live token of it ends
 * inside the window, even where a longer-lived one exists: pods may still hold the older one, and
 * nothing else reports it.
 */
export function rowsOf(
  pairs: readonly SignonPair[],
  facts: SweepFacts & {
    /** Secrets that something in the namespace reads. */
    secretsRead: ReadonlySet<string>;
  },
): SweepRow[] {
  const { settings, secretsRead, now } = facts;
  return pairs
    .map((pair) => {
      const isRead = secretsRead.has(tokenSecretName(pair.apiUser.name, pair.application));
      return rowFor(pair, facts, (ends) => intentFor(pair, ends, settings, isRead, now));
    })
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1)); // by code units: the same on every machine
}

/** What a sweep knows beside the pairs. */
export interface SweepFacts {
  settings: Settings;
  environment: Environment;
  /** Ids of rotations that are open already. */
  open: ReadonlySet<string>;
  now: number;
}

/**
 * One pair's row.
 * @param intent what is to be done, where its rotation is not open; given the first day on which a
 * live token ends
 */
export function rowFor(
  pair: SignonPair,
  { environment, open, now }: SweepFacts,
  intent: (ends: Day | undefined) => Pick<SweepRow, 'state' | 'what'>,
): SweepRow {
  const apiUser = pair.apiUser.email;
  const application = parameterize(pair.application);
  const [ends] = pair.tokens
    .filter((token) => isLive(token, now))
    .map(({ expires }) => expires)
    .toSorted();
  const isOpen = open.has(rotationId({ environment, apiUser, application }));
  const what = isOpen
    ? ({ state: 'open before', what: 'its rotation is open already' } as const)
    : intent(ends);
  return { apiUser, application, ends, ...what };
}

function order({ ends, apiUser, application }: SweepRow): string {
  return [ends ?? '9999', apiUser, application].join(' ');
}

function intentFor(
  { apiUser, tokens }: SignonPair,
  ends: Day | undefined,
  settings: Settings,
  isRead: boolean,
  now: number,
): Pick<SweepRow, 'state' | 'what'> {
  const leave = (what: string): Pick<SweepRow, 'state' | 'what'> => ({ state: 'left alone', what });
  const special = specialCaseOf({ apiUser }, settings);
  if (special) return leave(`${special.outcome}: ${special.why}`);
  const newest = newestOf(tokens);
  if (!newest || ends === undefined) return leave('no token of it is live');
  if (outlives({ expires: ends }, now, settings.window))
    return leave(`no live token of it ends within ${settings.window}`);
  if (apiUser.suspended) return leave('its API user is suspended in Signon: the sync skips it');
  if (!isRead)
    return {
      state: 'to come',
      what: settings.recipients.some(
        (recipient) => recipient.apiUser.trim().toLowerCase() === apiUser.email,
      )
        ? 'ask to approve a hand-over: its holder is outside the cluster'
        : 'ask a person who holds the token: no workload reads its Secret',
    };
  return {
    state: 'to come',
    what: outlives(newest, now, settings.window)
      ? `roll out the token that expires ${newest.expires}, then ask to revoke the older one`
      : 'issue a token, roll it out, then ask to revoke the old one',
  };
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
  stage: oneOf<Stage>([
    'preparing',
    'revoking',
    'waiting-renewal',
    ...WAITS_FOR_PERSON,
    ...OUTCOMES,
  ]),
});

/** How many rows stand where, those that people can do something about first. */
export function countByState(rows: readonly SweepRow[]): { state: RowState; count: number }[] {
  const states = [...new Set(rows.map(({ state }) => state))];
  return states
    .toSorted((a, b) => RANK.indexOf(a) - RANK.indexOf(b))
    .map((state) => ({ state, count: rows.filter((row) => row.state === state).length }));
}

/** From what needs a person to what needs nobody. */
export const RANK: readonly RowState[] = [
  'blocked',
  'waiting-classification',
  'waiting-approval',
  'waiting-renewal',
  'revoking',
  'preparing',
  'to come',
  'open before',
  'ended',
  ...OUTCOMES,
  'left alone',
];
