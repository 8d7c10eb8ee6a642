import ms from 'ms';
import { ENVIRONMENTS } from '../request/index.ts';
import {
  ANY_TEXT,
  listOf,
  matching,
  MOMENT,
  object,
  oneOf,
  optional,
  pairOf,
  type Read,
  reader,
  textUpTo,
  wholeNumber,
} from '../shape/index.ts';
import { MOST_CARRIED, sizeOf } from '../text/index.ts';

/** Characters of one field; whoever tells cuts what is longer. */
const LONGEST_FIELD = 2000;
/** Of a cause, which is a name of ours. */
const LONGEST_CAUSE = 100;
const TEXT = textUpTo(LONGEST_FIELD);
/**
 * What people are told outside the Temporal UI. Holds no secret: it is written into histories and
 * sent to a chat.
 */
const NOTICE = {
  kind: oneOf(['needed', 'reminder', 'incident', 'ended']),
  /** What several notices have in common: a failure's name, `approval`, an outcome. */
  cause: textUpTo(LONGEST_CAUSE),
  environment: oneOf(ENVIRONMENTS),
  apiUser: TEXT,
  application: TEXT,
  /** What happened, one sentence. */
  text: TEXT,
  /** What to do, one sentence; the same for all of one cause. */
  todo: optional(TEXT),
  /** The day the old token ends. */
  ends: optional(TEXT),
  /** The page to go to, where the UI's address is known. */
  link: optional(matching(/^https?:\/\/[^\s<>|]{1,1990}$/)),
};
export type Notice = Read<typeof NOTICE>;
export const parseNotice = reader(NOTICE);

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

/** A notice and when it came; `size` is what it takes in a history, where it was counted. */
const PENDING = { notice: object(NOTICE), at: MOMENT, size: optional(MOMENT) };
export type Pending = Read<typeof PENDING>;

/** What the collector passes to continue-as-new. */
const CARRIED = {
  pending: listOf(object(PENDING)),
  /** When each group's last message was sent. */
  sent: listOf(pairOf(ANY_TEXT, MOMENT)),
  /** When each group's message that was not taken is sent again. */
  held: listOf(pairOf(ANY_TEXT, MOMENT)),
  dropped: wholeNumber(),
};
export type CarriedNotices = Read<typeof CARRIED>;
export const parseCarriedNotices = reader(CARRIED);

/**
 * What continue-as-new can take: anybody may make up groups, and the server takes 2 MB in one
 * piece. Drops the oldest of `sent`, and of `held` what has no notice any more.
 */
export function carriableNotices({ pending, sent, held, dropped }: CarriedNotices): CarriedNotices {
  const groups = new Set(pending.map(({ notice }) => groupOf(notice)));
  let left = MOST_CARRIED / 2;
  return {
    pending,
    sent: sent.toSorted(([, a], [, b]) => b - a).filter((one) => (left -= sizeOf(one)) > 0),
    held: held.filter(([group]) => groups.has(group)),
    dropped,
  };
}

const MOST_PENDING = 1000;
/** What is dropped first, where not everything can be kept. */
const KEPT_LONGEST: Record<Notice['kind'], number> = {
  ended: 0,
  reminder: 0,
  needed: 1,
  incident: 2,
};

/**
 * Whether a notice is kept until it is sent, however long that takes. The others are old news by
 * then.
 */
export function isKept({ kind }: Notice): boolean {
  return kind === 'incident' || kind === 'needed';
}

/**
 * Adds a notice. It replaces the pending one of its rotation and group; of incidents, only one with
 * the same text. If there are too many, drops the oldest of the least important, incidents last.
 */
export function withNotice(
  pending: readonly Pending[],
  one: Pending,
): { pending: Pending[]; dropped: number } {
  const key = keyOf(one.notice);
  const before = pending.findIndex(({ notice }) => keyOf(notice) === key);
  const at = Math.min(one.at, pending[before]?.at ?? Infinity);
  const added = { ...one, at, size: weightOf(one) };
  const kept = before === -1 ? [...pending, added] : pending.with(before, added);
  let [count, size] = [kept.length, kept.reduce((sum, other) => sum + weightOf(other), 0)];
  if (count <= MOST_PENDING && size <= MOST_CARRIED) return { pending: kept, dropped: 0 };
  const dropped = new Set<Pending>();
  for (const old of kept.toSorted(
    (a, b) => KEPT_LONGEST[a.notice.kind] - KEPT_LONGEST[b.notice.kind],
  )) {
    if (count <= MOST_PENDING && size <= MOST_CARRIED) break;
    dropped.add(old);
    count -= 1;
    size -= weightOf(old);
  }
  return { pending: kept.filter((old) => !dropped.has(old)), dropped: dropped.size };
}

/** Size of a notice in a history, with its wrapping. */
function weightOf({ notice, size }: Pending): number {
  return size ?? sizeOf(notice) + 50;
}

function keyOf(notice: Notice): string {
  const { kind, apiUser, application, text } = notice;
  return [groupOf(notice), apiUser, application, ...(kind === 'incident' ? [text] : [])].join('\n');
}

/** Notices of one group make one message. */
export function groupOf({ kind, cause }: Notice): string {
  return `${kind}/${cause}`;
}

/**
 * When the next message is due and of which group; undefined where nothing is pending. An incident
 * waits for nothing but a Slack that did not take the one before.
 * @param sent when each group's last message was sent
 * @param held when each group's message that was not taken is sent again
 * @param sending groups that have a message under way: their next waits for it
 */
export function nextDue(
  pending: readonly Pending[],
  sent: ReadonlyMap<string, number>,
  pace: NoticePace,
  sending: ReadonlySet<string> = new Set(),
  held: ReadonlyMap<string, number> = new Map(),
): { at: number; group: string } | undefined {
  const free = pending.filter(({ notice }) => !sending.has(groupOf(notice)));
  const due = free.map(({ notice, at }) => {
    const group = groupOf(notice);
    const quietUntil = (sent.get(group) ?? -Infinity) + ms(pace.quietFor);
    const paced = notice.kind === 'incident' ? at : Math.max(at + ms(pace.collectFor), quietUntil);
    return { group, at: Math.max(paced, held.get(group) ?? -Infinity) };
  });
  return due.toSorted((a, b) => a.at - b.at)[0];
}

/**
 * One message in Slack's markup for notices of one group: its first line says who does what by
 * when. Everything from outside is escaped and bounded.
 */
export function drawMessage(notices: readonly [Notice, ...Notice[]]): string {
  const [first] = notices;
  const rotations = notices.length === 1 ? 'a rotation' : `${notices.length} rotations`;
  const [ends] = notices.flatMap((notice) => notice.ends ?? []).toSorted();
  const by = ends === undefined ? '' : ` by ${slack(bounded(ends))}`;
  const cause = slack(bounded(first.cause));
  const asked = {
    approval: `approve or reject ${rotations}${by}`,
    classification: `say who holds the token of ${rotations}${by}`,
    blocked: `unblock ${rotations}${by}: ${cause}`,
  }[first.cause === 'approval' || first.cause === 'classification' ? first.cause : 'blocked'];
  const heading = {
    needed: `${asked[0]!.toUpperCase()}${asked.slice(1)}`,
    reminder: `Reminder: ${asked}`,
    incident: `INCIDENT: ${cause}`,
    ended: `${notices.length === 1 ? 'A rotation' : rotations} ended as ${cause}`,
  }[first.kind];
  const more = notices.length - NAMED_AT_MOST;
  return [
    `*[${slack(first.environment)}] ${heading}*`,
    ...(first.todo ? [slack(bounded(first.todo))] : []),
    ...notices.slice(0, NAMED_AT_MOST).map(line),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ].join('\n');
}

function line(notice: Notice): string {
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

/**
 * Slack reads `&`, `<` and `>` as markup: with them escaped, no text mentions a channel or hides a
 * link.
 */
function slack(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}
