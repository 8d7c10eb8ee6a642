import ms from 'ms';
import { ENVIRONMENTS, type Environment } from './request.ts';

const KINDS = ['needed', 'reminder', 'incident', 'ended'] as const;

/** What people are told outside the Temporal UI. Holds no secret: it is written into histories and sent to a chat. */
export interface Notice {
  kind: (typeof KINDS)[number];
  /** What several notices have in common: a failure's name, `approval`, an outcome. */
  cause: string;
  environment: Environment;
  apiUser: string;
  application: string;
  /** What happened, one sentence. */
  text: string;
  /** What to do, one sentence; the same for all of one cause. */
  todo?: string;
  /** The day the old token ends. */
  ends?: string;
}

/** A notice with the page to go to, where the UI's address is known. */
export interface LinkedNotice extends Notice {
  link?: string;
}

/** Reads what came as a notice strictly: anybody who may signal the collector can send anything. Undefined where it is none. */
export function parseNotice(input: unknown): LinkedNotice | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const given = input as Record<keyof LinkedNotice, unknown>;
  const isText = (value: unknown): boolean =>
    typeof value === 'string' && value !== '' && value.length <= LONGEST_FIELD;
  const isNotice =
    KINDS.includes(given.kind as Notice['kind']) &&
    ENVIRONMENTS.includes(given.environment as Environment) &&
    [given.cause, given.apiUser, given.application, given.text].every(isText) &&
    [given.todo, given.ends, given.link].every((value) => value === undefined || isText(value)) &&
    (given.link === undefined || /^https?:\/\/[^\s<>|]+$/.test(given.link as string));
  return isNotice ? (input as LinkedNotice) : undefined;
}

/** Characters of one field; whoever tells cuts what is longer. */
const LONGEST_FIELD = 4000;
/** Rotations named in one message; the rest is counted. */
const NAMED_AT_MOST = 15;
const LONGEST_TEXT = 300;

/** How notices become messages. Durations with a unit. */
export interface NoticePace {
  /** How long the first of a group waits for others, so that one cause makes one message. */
  collectFor: ms.StringValue;
  /** How long after a message the next of its group waits. */
  quietFor: ms.StringValue;
}

/** A pace as given, or one that will do: anybody may start the collector with anything. */
export function parsePace(input: unknown): NoticePace {
  const given = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>;
  const { collectFor, quietFor } = given;
  const isDuration = (value: unknown): value is ms.StringValue =>
    typeof value === 'string' && value !== '' && value.length < 100 && ms(value as ms.StringValue) >= 0;
  return isDuration(collectFor) && isDuration(quietFor)
    ? { collectFor, quietFor }
    : { collectFor: '30 seconds', quietFor: '5 minutes' };
}

/** A notice and when it came, in milliseconds since the epoch. */
export interface Pending {
  notice: LinkedNotice;
  at: number;
}

/** Notices of one group make one message. */
export function groupOf({ kind, cause }: Notice): string {
  return `${kind}/${cause}`;
}

/**
 * When the next message is due and of which group; undefined where nothing is pending. An incident is not held back.
 * @param sent when each group's last message was sent
 * @param sending groups that have a message under way: their next waits for it
 */
export function nextDue(
  pending: readonly Pending[],
  sent: ReadonlyMap<string, number>,
  pace: NoticePace,
  sending: ReadonlySet<string> = new Set(),
): { at: number; group: string } | undefined {
  const free = pending.filter(({ notice }) => !sending.has(groupOf(notice)));
  const due = free.map(({ notice, at }) => {
    const group = groupOf(notice);
    const quietUntil = (sent.get(group) ?? -Infinity) + ms(pace.quietFor);
    return { group, at: notice.kind === 'incident' ? at : Math.max(at + ms(pace.collectFor), quietUntil) };
  });
  return due.reduce<(typeof due)[number] | undefined>(
    (first, one) => (first === undefined || one.at < first.at ? one : first),
    undefined,
  );
}

/** What one group's message says: of each rotation its last notice; of incidents each, however many. */
export function lastOfEach(notices: readonly LinkedNotice[]): LinkedNotice[] {
  const key = ({ kind, apiUser, application, text }: Notice): string =>
    [apiUser, application, ...(kind === 'incident' ? [text] : [])].join('\n');
  return [...new Map(notices.map((notice) => [key(notice), notice])).values()];
}

/** One message in Slack's markup for notices of one group. Everything from outside is escaped and bounded. */
export function drawMessage(notices: readonly [LinkedNotice, ...LinkedNotice[]]): string {
  const [first] = notices;
  const rotations = notices.length === 1 ? 'A rotation' : `${notices.length} rotations`;
  const verb = (one: string, many: string): string => (notices.length === 1 ? one : many);
  const cause = slack(bounded(first.cause));
  const heading = {
    needed: waitsFor(first.cause)
      ? `${rotations} ${verb('waits', 'wait')} for ${cause}`
      : `${rotations} ${verb('is', 'are')} blocked: ${cause}`,
    reminder: waitsFor(first.cause)
      ? `${rotations} still ${verb('waits', 'wait')} for ${cause}`
      : `${rotations} ${verb('is', 'are')} still blocked: ${cause}`,
    incident: `INCIDENT: ${cause}`,
    ended: `${rotations} ended as ${cause}`,
  }[first.kind];
  const more = notices.length - NAMED_AT_MOST;
  return [
    `*[${slack(first.environment)}] ${heading}*`,
    ...(first.todo ? [slack(bounded(first.todo))] : []),
    ...notices.slice(0, NAMED_AT_MOST).map(line),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ].join('\n');
}

/** Whether it is a decision that is waited for; else something blocks. */
function waitsFor(cause: string): boolean {
  return cause === 'approval' || cause === 'classification';
}

function line(notice: LinkedNotice): string {
  const pair = slack(bounded(`${notice.apiUser} → ${notice.application}`));
  const name = notice.link ? `<${notice.link}|${pair}>` : pair;
  const ends = notice.ends ? ` (old token ends on ${slack(bounded(notice.ends))})` : '';
  return `• ${name}: ${slack(bounded(notice.text))}${ends}`;
}

/** At most 300 characters, none of them cut in half. */
export function bounded(text: string): string {
  const characters = Array.from(text);
  return characters.length > LONGEST_TEXT ? `${characters.slice(0, LONGEST_TEXT).join('')}…` : text;
}

/** Slack reads `&`, `<` and `>` as markup: with them escaped, no text mentions a channel or hides a link. */
function slack(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
