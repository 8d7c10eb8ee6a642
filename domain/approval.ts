import type { Approve } from './decisions.ts';
import type { Evidence } from './evidence.ts';
import type { RotationRequest } from './request.ts';

/** Who sent or started something, as the server recorded it. */
export interface RecordedSender {
  /** What the client said of itself. */
  identity: string;
  /** The server's own word, where it has an authorizer. */
  principal?: string;
  /** The Schedule that started it, if one did. */
  schedule?: string;
}

export type Verdict =
  { counts: true; by: string; sender: RecordedSender; revoke: number[] } | { counts: false; why: string };

/**
 * Whether an approval counts, and what it ends. Pure: the code was computed again by the caller, for the run it judges in.
 * Without `revoke`, an approval covers the tokens given up; those whose holder is unknown must be named.
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
  },
): Verdict {
  const { request, evidence, code, starter, sender } = facts;
  const no = (why: string): Verdict => ({ counts: false, why });
  if (approval.evidence.trim().toLowerCase() !== code)
    return no(`the evidence has changed: code ${code} stands for what is shown now, not the one sent`);

  const unknown = (approval.revoke ?? []).filter(
    (id) => !evidence.toRevoke.some((token) => token.authorisationId === id),
  );
  if (unknown.length > 0)
    return no(`authorisation ${unknown.join(', ')} is not among the tokens this evidence offers to revoke`);
  const revoke =
    approval.revoke ??
    evidence.toRevoke.filter(({ standing }) => standing === 'given-up').map(({ authorisationId }) => authorisationId);
  if (evidence.asks === 'revoke' && revoke.length === 0)
    return no('no token was seen to be given up: name the authorisation ids in revoke, e.g. "revoke": [812]');

  const missing = evidence.shortfalls.filter(
    ({ code: shortfall }) => shortfall === 'smoke-failed' || !approval.accept?.includes(shortfall),
  );
  if (missing.length > 0) {
    const codes = [...new Set(missing.map(({ code: shortfall }) => shortfall))];
    const howTo = codes.includes('smoke-failed')
      ? 'A failed smoke call is never accepted'
      : `To go on all the same, send "accept": ${JSON.stringify(codes)}`;
    return no(`not shown: ${missing.map(({ what }) => what).join('; ')}. ${howTo}`);
  }

  if (request.environment === 'production' && !isNobody(request.requestedBy, starter, facts.receiver)) {
    const same = samePerson(approval.by, request.requestedBy, starter, sender);
    if (same !== undefined)
      return no(`production needs a second person: ${same} both asked for and approved this rotation`);
  }
  return { counts: true, by: approval.by.trim(), sender, revoke: [...new Set(revoke)] };
}

/** What the alert receiver and a Schedule give as `requestedBy`. */
export const ALERT = 'alert';
export const SCHEDULE = 'schedule';
/** The identity of the alert receiver, unless both sides are told another. */
export const ALERT_RECEIVER = 'alert-receiver';

/** Whether no person asked: an alert or a Schedule did, and the start event shows it. Else these are names like any other. */
export function isNobody(requestedBy: string, starter: RecordedSender, receiver: string): boolean {
  if (requestedBy === ALERT) return starter.identity === receiver;
  return requestedBy === SCHEDULE && starter.schedule !== undefined;
}

function samePerson(
  by: string,
  requestedBy: string,
  starter: RecordedSender,
  sender: RecordedSender,
): string | undefined {
  const plain = (name: string): string => name.trim().toLowerCase();
  const asked = [requestedBy, starter.identity].filter((name, index) => index === 0 || isEmail(name)).map(plain);
  const approved = [by, sender.identity].filter((name, index) => index === 0 || isEmail(name));
  const same = approved.find((name) => asked.includes(plain(name)));
  if (same !== undefined) return same.trim();
  if (starter.principal && sender.principal && starter.principal === sender.principal) return sender.principal;
  return undefined;
}

/** Only an e-mail address says who somebody is; `pid@host` says where a program ran. */
function isEmail(identity: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(identity.trim()) && !/^\d+@/.test(identity.trim());
}
