import type { Approve } from './decisions.ts';
import type { RecordedSender } from './delegation.ts';
import type { Evidence, Shortfall } from './evidence.ts';
import {
  type Approvers,
  comparable,
  isListed,
  needsSecondPerson,
  type People,
  personOf,
  type RotationRequest,
} from '../request/index.ts';
import { isToken } from '../tokens/index.ts';

export type Verdict =
  | {
      counts: true;
      by: string;
      sender: RecordedSender;
      revoke: number[];
      /** Whether the server recorded the approver's e-mail address; else their own word counts. */
      authenticated: boolean;
      /** The names of the approver, as they are compared. */
      names: string[];
      /** How many other people must approve as well. */
      missing: number;
    }
  | { counts: false; why: string };

/** An approval of the same evidence that counts already. */
export interface Given {
  names: string[];
  revoke: number[];
}

/** The ids that an approval covers: those it names, else those of the tokens given up. */
export function coveredBy({ toRevoke }: Evidence, { revoke }: Pick<Approve, 'revoke'>): number[] {
  const givenUp = toRevoke.filter(({ standing }) => standing === 'given-up');
  return [...new Set(revoke ?? givenUp.map(({ authorisationId }) => authorisationId))];
}

/**
 * What an approval of this evidence lacks, one sentence; undefined where it lacks nothing.
 * @param how what its sender can do about it, in the words of where they send it
 */
export function whatLacks(
  evidence: Evidence,
  approval: Pick<Approve, 'revoke' | 'accept'>,
  how: { revoke: string; accept: (codes: Shortfall[]) => string },
): string | undefined {
  const strangers = (approval.revoke ?? []).filter(
    (id) => !evidence.toRevoke.some(isToken({ authorisationId: id })),
  );
  if (strangers.length > 0)
    return `authorisation ${strangers.join(', ')} is not among the tokens this evidence offers to revoke`;
  if (evidence.asks === 'revoke' && coveredBy(evidence, approval).length === 0)
    return `no token is proven unused: ${how.revoke}`;
  const left = evidence.shortfalls.filter(
    ({ code }) => code === 'smoke-failed' || !approval.accept?.includes(code),
  );
  if (left.length === 0) return undefined;
  const codes = [...new Set(left.map(({ code }) => code))];
  const acceptable = codes.filter((code) => code !== 'smoke-failed');
  const what =
    acceptable.length < codes.length
      ? 'A failed smoke call is never accepted'
      : how.accept(acceptable);
  return `not proven: ${left.map((one) => one.what).join('; ')}. ${what}`;
}

/**
 * Whether an approval counts, and what it ends. Pure: the code was computed again by the caller,
 * for the run it judges in. Without `revoke`, an approval covers the tokens given up; those whose
 * holder is unknown must be named.
 */
export function judgeApproval(
  approval: Approve,
  facts: {
    request: RotationRequest;
    evidence: Evidence;
    code: string;
    starter: RecordedSender;
    sender: RecordedSender;
    /** The identity that the alert receiver starts rotations with. */
    receiver: string;
    /** Whether Signon is a stand-in: only there may people have the addresses of examples. */
    standIns: boolean;
    /** Who may approve here, and which addresses are one person's. */
    approvers: 'anyone' | Approvers | undefined;
    people: People;
    given: readonly Given[];
  },
): Verdict {
  const { request, evidence, code, starter, sender, approvers, people, given } = facts;
  const no = (why: string): Verdict => ({ counts: false, why });
  const isRestricted = approvers !== undefined && approvers !== 'anyone';
  const recorded = recordedName(sender, isRestricted ? approvers.who : [], people);
  const by = recorded ?? approval.by?.trim();
  if (by === undefined)
    return no('the server did not record who sent it: add "by": "your e-mail address"');
  if (!facts.standIns && isExampleAddress(by))
    return no(`${by} is an address of the docs’ examples: give your own`);
  const person = comparable(by);
  if (person === undefined || comparable(approval.by ?? by) === undefined)
    return no(
      `the name “${approval.by ?? by}” has letters of two scripts, or control characters: give your e-mail address`,
    );
  if (approval.evidence.trim().toLowerCase() !== code)
    return no(
      `that is not the code of this evidence, which may have changed: read it again, its code is ${code}`,
    );

  const lacks = whatLacks(evidence, approval, {
    revoke: 'name the authorisation ids in revoke',
    accept: (codes) => `To approve all the same, name in accept: ${codes.join(', ')}`,
  });
  if (lacks !== undefined) return no(lacks);

  if (isRestricted && !isListed(person, approvers.who, people))
    return no(`${by} is not among approvers.${request.environment} of the settings`);
  const names = namesOf([by, approval.by ?? by], sender, people);
  if (
    needsSecondPerson(request.environment) &&
    !isNobody(request.requestedBy, starter, facts.receiver)
  ) {
    const same = names.find((name) =>
      namesOf([request.requestedBy], starter, people).includes(name),
    );
    if (same !== undefined)
      return no(
        `${request.environment} needs a second person: ${same} both asked for and approved this rotation`,
      );
  }
  const said = comparable(approval.by ?? by)!;
  if (said.includes('@') && personOf(said, people) !== personOf(person, people))
    return no(
      `the server recorded ${by} as the sender, and by says ${approval.by ?? by}: send it under your own name`,
    );
  if (given.some((one) => one.names.some((name) => names.includes(name))))
    return no(`${by} has approved this evidence already: it needs another person`);
  const revoke = coveredBy(evidence, approval);
  const [first] = given;
  if (first && !sameIds(first.revoke, revoke))
    return no(
      `the first approval covers ${first.revoke.join(', ')}, this one ${revoke.join(', ')}: approve the same, or send retry to begin again`,
    );
  const missing = Math.max(0, (isRestricted ? approvers.approvals : 1) - 1 - given.length);
  return {
    counts: true,
    by,
    sender,
    revoke,
    authenticated: recorded !== undefined,
    names,
    missing,
  };
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/** What the alert receiver and a Schedule give as `requestedBy`. */
export const ALERT = 'alert';
export const SCHEDULE = 'schedule';
/** The identity of the alert receiver, unless both sides are told another. */
export const ALERT_RECEIVER = 'alert-receiver';

/** An address that nobody has (RFC 2606), as in examples that people copy. */
export function isExampleAddress(address: string): boolean {
  return /@example\.(org|com|net)$/.test(comparable(address) ?? '');
}

/**
 * Whether no person asked: an alert or a Schedule did, and the start event shows it. Else these are
 * names like any other.
 */
function isNobody(requestedBy: string, starter: RecordedSender, receiver: string): boolean {
  if (requestedBy === ALERT) return starter.identity === receiver;
  return requestedBy === SCHEDULE && starter.schedule !== undefined;
}

/** All names of whoever sent something, as they are compared; a principal stands for itself. */
function namesOf(said: readonly string[], sender: RecordedSender, people: People): string[] {
  const { identity, principal = '' } = sender;
  const names = [...said, nameIn(principal), ...(isPersonal(identity) ? [identity] : [])]
    .map(comparable)
    .filter((name) => name !== undefined)
    .map((name) => personOf(name, people));
  return [...new Set([...names, ...(principal === '' ? [] : [`principal ${principal}`])])];
}

/**
 * The sender's e-mail address as the server recorded it: from the principal, else the identity;
 * undefined where neither is one. `4711@host`, as Temporal's clients call themselves, counts as a
 * person only if it is listed as an approver.
 */
function recordedName(
  { identity, principal = '' }: RecordedSender,
  who: readonly string[],
  people: People,
): string | undefined {
  const isPerson = (name: string): boolean =>
    /^[^\s@:]+@[^\s@:]+\.[^\s@:.]+$/.test(name.trim()) &&
    (!/^\d+@/.test(name.trim()) || isListed(comparable(name) ?? '', who, people));
  return [nameIn(principal), identity].find(isPerson)?.trim();
}

/** A principal is `type:name`. */
function nameIn(principal: string): string {
  return principal.slice(principal.indexOf(':') + 1);
}

/**
 * Whether an identity may be a person's, so that nobody approves their own request under it;
 * `4711@host` is a program's.
 */
function isPersonal(identity: string): boolean {
  return /^[^\s@:]+@[^\s@:]+$/.test(identity.trim()) && !/^\d+@[^.]*$/.test(identity.trim());
}
