import type { Outcome } from './plan.ts';
import type { Evidence, RecordedSender, Shortfall } from '../evidence/index.ts';
import type { Consumer, SeenHolding } from '../cluster/index.ts';
import type { RotatedPair } from '../request/index.ts';
import { describeToken, isLive, isToken, type ListedToken } from '../tokens/index.ts';

/** A token on its way to a holder outside the cluster. */
export interface HandOver extends Pick<ListedToken, 'authorisationId' | 'masked'> {
  recipient: string;
  /** The token, encrypted with age to the recipient's registered key; armoured text. */
  armoured: string;
}

/** What a rotation saw that its next one could not see any more. */
export interface Remembered {
  /** Containers that held a token that was then given up. */
  givenUp: SeenHolding[];
  /**
   * Consumers that do not read the pair’s Secret: they stay consumers while nothing of them runs.
   */
  also: Consumer[];
  /** Consumers of kinds that nothing lists, which held an old token. */
  passing?: Consumer[];
  /** What earlier rotations remembered could not be read: the next one reads theirs, too. */
  isPart?: boolean;
}

export interface RotationReport extends RotatedPair {
  outcome: Outcome;
  /** One sentence: why it ended so. */
  why: string;
  newToken?: ListedToken;
  /** How the new token came about. */
  origin?: 'issued' | 'adopted' | 'maybe another’s';
  /**
   * A create may have taken effect without its token being seen: look for tokens of the pair that
   * nobody knows.
   */
  createsLost: boolean;
  /** The new token for a holder outside the cluster, encrypted to its key. */
  handOver?: HandOver;
  revoked: ListedToken[];
  /** Tokens of the pair that were live when last looked at, the new one included. */
  alive: ListedToken[];
  approvals: {
    asks: Evidence['asks'];
    by: string;
    sender: RecordedSender;
    evidence: string;
    /** The new token of that evidence, by its authorisation id. */
    newToken?: number;
    /** Ids of authorisations. */
    revoke: number[];
    /** What could not be shown, and was accepted by name. */
    accept?: Shortfall[];
    /** ISO. */
    at: string;
    /** False where the server did not record the approver's e-mail address. */
    authenticated?: false;
  }[];
  syncJobs: string[];
  notes: string[];
  /** What a later rotation of the pair need not find out anew. */
  remembered?: Remembered;
}

/** Whether an approver accepted the holder's word that they use the present new token. */
export function isConfirmedByHolder({
  approvals,
  newToken,
}: Pick<RotationReport, 'approvals' | 'newToken'>): boolean {
  const { authorisationId } = newToken ?? {};
  return approvals.some(
    (one) =>
      authorisationId !== undefined &&
      one.newToken === authorisationId &&
      one.accept?.includes('consumer-confirmed'),
  );
}

export function newReport({ environment, apiUser, application }: RotatedPair): RotationReport {
  return {
    outcome: 'aborted',
    why: '',
    environment,
    apiUser,
    application,
    createsLost: false,
    revoked: [],
    alive: [],
    approvals: [],
    syncJobs: [],
    notes: [],
  };
}

/**
 * Which tokens of the pair were revoked, and which work until when: a rotation may stay open for
 * days.
 * @param revokesBegun tokens whose revoke was sent; those not in the report may or may not be gone
 * @param now milliseconds since the epoch: they may have been listed days ago
 */
export function whatWorks(
  { revoked, newToken, alive, createsLost }: RotationReport,
  revokesBegun: readonly ListedToken[],
  now: number,
): string {
  const isOf = (tokens: readonly ListedToken[], token: ListedToken): boolean =>
    tokens.some(isToken(token));
  const perhaps = revokesBegun.filter((token) => !isOf(revoked, token));
  const works = alive.filter((token) => isLive(token, now) && !isOf(perhaps, token));
  const old = works.filter((token) => !newToken || !isToken(newToken)(token));
  const isNewLive = works.length > old.length;
  const working = [
    ...(newToken && isNewLive ? [`the new one until ${newToken.expires}`] : []),
    ...old.map(({ expires }) => `the old one until ${expires}`),
  ];
  const isRevoking = revoked.length > 0 || perhaps.length > 0;
  const isBoth = isNewLive && old.length === 1 && !isRevoking;
  const count = isBoth
    ? 'Both tokens are live'
    : `${working.length} token${working.length === 1 ? ' is' : 's are'} live`;
  const notIssued = createsLost ? 'A new token may have been issued.' : 'No token was issued.';
  return [
    ...(revoked.length > 0 ? [`Revoked: ${named(revoked)}.`] : []),
    ...(perhaps.length > 0
      ? [`May be revoked, because Signon’s answer was lost: ${named(perhaps)}.`]
      : []),
    ...(newToken && !isNewLive ? ['Signon no longer lists the new token as live.'] : []),
    ...(!newToken && (createsLost || revoked.length === 0) ? [notIssued] : []),
    ...(working.length > 0 ? [`${count}: ${working.join(', ')}.`] : []),
    ...(working.length === 0 && newToken && perhaps.length === 0
      ? ['No token of the pair is live.']
      : []),
  ].join(' ');
}

/** What is left to do where a rotation ended before its old token did; empty where nothing is. */
export function leftToDo({ newToken, alive }: RotationReport, now: number): string {
  const live = alive.filter((token) => isLive(token, now));
  const isNew = (token: ListedToken): boolean => newToken !== undefined && isToken(newToken)(token);
  const [first] = live
    .filter((token) => !isNew(token))
    .map(({ expires }) => expires)
    .toSorted();
  return first === undefined || !live.some(isNew)
    ? ''
    : ` The new token silences the alert, and whoever has the old one loses access after ${first}: start another rotation before.`;
}

function named(tokens: readonly ListedToken[]): string {
  return tokens.map(describeToken).join(', ');
}
