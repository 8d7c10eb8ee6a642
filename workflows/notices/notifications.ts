import {
  condition,
  continueAsNew,
  defineSignal,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import ms from 'ms';
import {
  carriableNotices,
  drawMessage,
  groupOf,
  isKept,
  nextDue,
  parseCarriedNotices,
  parseNotice,
  withNotice,
  type Notice,
  type Pending,
} from '../../domain/notices/index.ts';
import { escapeMarkdown, paragraphs } from '../../domain/text/index.ts';
import { activities, carriedOver, failureOf, isHistoryLong } from '../shared/index.ts';
import { SIGNAL } from '../../domain/names/index.ts';

const notice = defineSignal<[unknown]>(SIGNAL.noticed);

/** A message that Slack did not take is sent again this long after it was first tried. */
const AGAIN_AFTER = ms('1 hour');
const AT_ONCE = 50;

/**
 * Collects what rotations of an environment tell people, and sends one message for those of one
 * cause; no rotation waits for it. Incidents and what a person is first needed for are kept until
 * Slack takes them, however long that is away; reminders and ends are dropped after an hour, and
 * counted. Anybody may send a notice; the pace stands in the worker's settings. Ends when all has
 * been quiet.
 * @param carried from a run that continued as new; else ignored
 */
export async function notifications(carried?: unknown): Promise<void> {
  const before = carriedOver(carried, parseCarriedNotices);
  let pending: Pending[] = before?.pending ?? [];
  let dropped = before?.dropped ?? 0;
  let refused = '';
  const sent = new Map(before?.sent);
  const held = new Map(before?.held);
  const sending = new Map<string, Pending[]>();
  /** Groups whose last message Slack did not take. */
  const refusedOf = new Set(held.keys());
  let changes = 0;
  const changed = (): void => {
    changes++;
    const kept = [...pending, ...[...sending.values()].flat()].filter((one) =>
      refusedOf.has(groupOf(one.notice)),
    ).length;
    setCurrentDetails(drawTrouble(kept, dropped, refused));
  };
  const add = (one: Pending): void => {
    const added = withNotice(pending, one);
    pending = added.pending;
    dropped += added.dropped;
  };
  setHandler(notice, (input) => {
    const told = parseNotice(input);
    if (!told) return;
    add({ notice: told, at: Date.now() });
    if (told.kind === 'incident') held.delete(groupOf(told)); // Slack may be back
    changed();
  });
  setDefaultSignalHandler(() => undefined);
  const pace = await activities.noticePace();

  const send = async (group: string): Promise<void> => {
    const begun = Date.now();
    const mine = pending.filter((one) => groupOf(one.notice) === group);
    pending = pending.filter((one) => groupOf(one.notice) !== group);
    sending.set(group, mine);
    const why = await whyNotSent(mine.map(dated));
    sending.delete(group);
    sent.set(group, Date.now());
    held.delete(group);
    refusedOf.delete(group);
    if (why !== undefined) refused = `${new Date().toISOString()}: ${escapeMarkdown(why)}`;
    if (why !== undefined && mine.some((one) => isKept(one.notice))) {
      const since = pending;
      refusedOf.add(group);
      const isNew = since.some(
        (one) => one.notice.kind === 'incident' && groupOf(one.notice) === group,
      );
      if (!isNew) held.set(group, begun + AGAIN_AFTER);
      pending = mine;
      for (const one of since) add(one); // what came meanwhile is newer
    } else if (why !== undefined) dropped += mine.length;
    changed();
  };

  for (;;) {
    for (const [group, at] of sent) if (Date.now() - at >= ms(pace.quietFor)) sent.delete(group);
    if (isHistoryLong() && sending.size === 0)
      await continueAsNew<typeof notifications>(
        carriableNotices({ pending, sent: [...sent], held: [...held], dropped }),
      );
    const isBusy = isHistoryLong() || sending.size >= AT_ONCE;
    const due = isBusy ? undefined : nextDue(pending, sent, pace, new Set(sending.keys()), held);
    const quietAt = Math.max(Date.now(), ...[...sent.values()].map((at) => at + ms(pace.quietFor)));
    const known = changes;
    const happened = (): boolean => changes !== known;
    const left = (due?.at ?? quietAt) - Date.now();
    if (isBusy) await condition(happened);
    else if (left > 0)
      await condition(happened, left, { summary: 'Until the next message, or all was quiet' });
    else if (due) void send(due.group);
    else if (sending.size > 0) await condition(happened);
    else return;
  }
}

/** Sends one message. Undefined where that went well, else why Slack did not take it. */
async function whyNotSent(notices: readonly Notice[]): Promise<string | undefined> {
  const [first, ...more] = notices;
  if (!first) return undefined;
  try {
    await activities.postToSlack(drawMessage([first, ...more]));
    return undefined;
  } catch (error) {
    const { failure, message } = failureOf(error);
    return `${failure}: ${message}`;
  }
}

/** What to say of a notice: one that comes late says when it was told. */
function dated({ notice: told, at }: Pending): Notice {
  return Date.now() - at < AGAIN_AFTER
    ? told
    : { ...told, text: `(${new Date(at).toISOString().slice(0, 16)}Z) ${told.text}` };
}

function drawTrouble(kept: number, dropped: number, refused: string): string {
  return paragraphs(
    kept > 0 && `**Kept until Slack takes them:** ${kept} notices; sent again every hour.`,
    dropped > 0 && `**Notices dropped:** ${dropped}.`,
    refused && `The last message that Slack did not take, at ${refused}`,
  );
}
