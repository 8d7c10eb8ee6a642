import { parameterize, tokenSecretName } from '../text/index.ts';
import { OUTCOMES, specialCaseOf, type Stage, WAITS_FOR_PERSON } from '../rotation/index.ts';
import { rotationId, type Environment } from '../request/index.ts';
import { ANY_TEXT, type Fields, oneOf, readAs } from '../shape/index.ts';
import type { Settings } from '../settings/index.ts';
import type { ApiUserRequest } from './api-user-request.ts';
import { isLive, newestOf, outlives, type Day } from '../tokens/index.ts';

/** One API user's tokens for one application, as Signon lists them. */
export interface SignonPair {
  apiUser: { name: string; email: string; suspended: boolean };
  /** The application's name, as Signon shows it. */
  application: string;
  tokens: { authorisationId: number; masked: string; expires: Day }[];
}

/** Where a pair of a sweep stands. */
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
  /** Its rotation has waited for a person or ended: its place in the wave is free, whatever it does then. */
  hadItsTurn?: true;
}

/** The result of a sweep. */
export interface SweepReport {
  outcome: 'swept' | 'planned' | 'ignored' | 'delegated' | 'nothing-to-do' | 'aborted' | 'out-of-time';
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
 * What a sweep makes of every pair, those that end first coming first. To be rotated is each with any live token that ends inside the
 * window, also where a longer-lived one exists: pods may still hold the older one, and nothing else speaks of it.
 * @param open ids of rotations that are open already
 */
export function rowsOf(
  pairs: readonly SignonPair[],
  {
    settings,
    environment,
    open,
    secretsRead,
    now,
  }: {
    settings: Settings;
    environment: Environment;
    open: ReadonlySet<string>;
    /** Secrets that something in the namespace reads. */
    secretsRead: ReadonlySet<string>;
    now: number;
  },
): SweepRow[] {
  return pairs
    .map((pair): SweepRow => {
      const apiUser = pair.apiUser.email;
      const application = parameterize(pair.application);
      const [ends] = pair.tokens
        .filter((token) => isLive(token, now))
        .map(({ expires }) => expires)
        .toSorted();
      const row = { apiUser, application, ...(ends && { ends }) };
      if (open.has(rotationId({ environment, apiUser, application })))
        return { ...row, state: 'open before', what: 'its rotation is open already' };
      const isRead = secretsRead.has(tokenSecretName(pair.apiUser.name, pair.application));
      return { ...row, ...intentFor(pair, ends, settings, isRead, now) };
    })
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1)); // by code units: the same on every machine
}

/**
 * What a leak of an API user's tokens asks for: each pair with a live token, whenever it ends. Pairs that nobody reads come first, since a
 * person is asked who holds them; then those with most consumers, since their proof is soonest complete.
 * @param readings which Secrets the namespace's containers read, once for each
 */
export function rowsOfApiUser(
  pairs: readonly SignonPair[],
  { apiUser: named, applications }: Pick<ApiUserRequest, 'apiUser' | 'applications'>,
  {
    settings,
    environment,
    open,
    readings,
    now,
  }: {
    settings: Settings;
    environment: Environment;
    open: ReadonlySet<string>;
    readings: readonly string[];
    now: number;
  },
): SweepRow[] {
  const wanted = pairs.filter(({ application }) => !applications || applications.includes(parameterize(application)));
  const known = pairs.map(({ application }) => parameterize(application));
  const unknown = (applications ?? []).filter((application) => !known.includes(application));
  const consumersOf = ({ apiUser, application }: SignonPair): number => {
    const secret = tokenSecretName(apiUser.name, application);
    return readings.filter((read) => read === secret).length;
  };
  const rank = (pair: SignonPair): number => (consumersOf(pair) === 0 ? Infinity : consumersOf(pair));
  return wanted
    .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) > rank(a) ? 1 : -1))
    .map((pair): SweepRow => {
      const apiUser = pair.apiUser.email;
      const application = parameterize(pair.application);
      const [ends] = pair.tokens
        .filter((token) => isLive(token, now))
        .map(({ expires }) => expires)
        .toSorted();
      const row = { apiUser, application, ...(ends && { ends }) };
      if (open.has(rotationId({ environment, apiUser, application })))
        return { ...row, state: 'open before', what: 'its rotation is open already: it may adopt a token from before' };
      return { ...row, ...forcedIntent(pair, ends, settings, consumersOf(pair)) };
    })
    .concat(
      unknown.map((application) => ({
        apiUser: named,
        application,
        state: 'left alone',
        what: 'Signon lists no token for it: check its name',
      })),
    );
}

function forcedIntent(
  { apiUser }: SignonPair,
  ends: Day | undefined,
  settings: Settings,
  consumers: number,
): Pick<SweepRow, 'state' | 'what'> {
  const special = specialCaseOf({ apiUser }, settings);
  if (special) return { state: 'left alone', what: `${special.outcome}: ${special.why}` };
  if (ends === undefined) return { state: 'left alone', what: 'no token of it is live' };
  return {
    state: 'to come',
    what:
      consumers === 0
        ? 'ask a person who holds the token: no workload reads its Secret'
        : 'issue a token, roll it out, then ask to revoke every older one',
  };
}

function order({ ends, apiUser, application }: SweepRow): string {
  return [ends ?? '9999', apiUser, application].join(' ');
}

/** What is to be done with one pair. */
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
      what: settings.recipients.some((recipient) => recipient.apiUser.trim().toLowerCase() === apiUser.email)
        ? 'ask to approve a hand-over: its holder is outside the cluster'
        : 'ask a person who holds the token: no workload reads its Secret',
    };
  return {
    state: 'to come',
    what: outlives(newest, now, settings.window)
      ? `roll the token until ${newest.expires} out, then ask to revoke the older one`
      : 'issue a token, roll it out, then ask to revoke the old one',
  };
}

/** The rows of the wave that is next; empty where none is left. */
export function nextWave(rows: readonly SweepRow[], atMost: number): SweepRow[] {
  return rows.filter(({ state }) => state === 'to come').slice(0, atMost);
}

/** Whether a row keeps its wave from being over: its rotation is at work, and has neither waited for a person nor ended so far. */
export function holdsItsPlace({ state, hadItsTurn }: Pick<SweepRow, 'state' | 'hadItsTurn'>): boolean {
  return hadItsTurn === undefined && (state === 'preparing' || state === 'revoking');
}

/** Takes what was heard of a row's rotation; nothing of one that this sweep did not start. */
export function hear(row: SweepRow, state: Stage | 'ended'): void {
  if (!row.started) return;
  row.state = state;
  if (!holdsItsPlace(row)) row.hadItsTurn = true;
}

/** What a rotation that a sweep started tells it. */
export interface StageReport {
  workflowId: string;
  stage: Stage;
}

const STAGE_REPORT: Fields<StageReport> = {
  workflowId: ANY_TEXT,
  stage: oneOf<Stage>(['preparing', 'revoking', ...WAITS_FOR_PERSON, ...OUTCOMES]),
};

/** Reads what came as a report strictly: anybody who may signal can send anything. Undefined where it is none. */
export function parseStageReport(input: unknown): StageReport | undefined {
  return readAs(input, STAGE_REPORT);
}

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
  'revoking',
  'preparing',
  'to come',
  'open before',
  'ended',
  ...OUTCOMES,
  'left alone',
];
