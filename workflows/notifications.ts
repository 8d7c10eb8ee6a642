import {
  condition,
  continueAsNew,
  defineSignal,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import ms from 'ms';
import {
  drawMessage,
  groupOf,
  lastOfEach,
  nextDue,
  parseNotice,
  parsePace,
  type NoticePace,
  type Pending,
} from '../domain/notices.ts';
import { escapeMarkdown } from '../domain/markdown.ts';
import { postToSlack } from './activities.ts';
import { failureOf } from './failure-of.ts';

/** Adds a notice. */
export const notice = defineSignal<[unknown]>('notice');

/** What is handed on when a long history is cut. */
interface Carried {
  pending: Pending[];
  sent: [string, number][];
}

/**
 * Collects what rotations of an environment tell people, and sends one message for those of one cause.
 * A webhook that is down delays messages and drops them after an hour; no rotation waits for it. Ends when all has been quiet.
 */
export async function notifications(given?: NoticePace, carried?: Carried): Promise<void> {
  const pace = parsePace(given);
  let pending = carried?.pending ?? [];
  const sent = new Map(carried?.sent);
  const sending = new Set<string>();
  let changes = 0;
  let drops = 0;
  setHandler(notice, (input) => {
    const told = parseNotice(input);
    if (!told) return;
    pending.push({ notice: told, at: Date.now() });
    changes++;
  });

  const send = async (group: string): Promise<void> => {
    const [first, ...more] = lastOfEach(pending.map(({ notice: one }) => one).filter((one) => groupOf(one) === group));
    pending = pending.filter(({ notice: one }) => groupOf(one) !== group);
    sending.add(group);
    const dropped = first && (await whyNotSent(drawMessage([first, ...more])));
    if (dropped !== undefined)
      setCurrentDetails(
        `Messages dropped: ${++drops}, the last at ${new Date().toISOString()}: ${escapeMarkdown(dropped)}`,
      );
    sending.delete(group);
    sent.set(group, Date.now());
    changes++;
  };

  for (;;) {
    const due = nextDue(pending, sent, pace, sending);
    const quietAt = Math.max(Date.now(), ...[...sent.values()].map((at) => at + ms(pace.quietFor)));
    const known = changes;
    const changed = (): boolean => changes !== known;
    const left = (due?.at ?? quietAt) - Date.now();
    if (left > 0) await condition(changed, left, { summary: 'Until the next message, or all was quiet' });
    else if (due) void send(due.group);
    else if (sending.size > 0) await condition(changed);
    else if (pending.length === 0) return;
    if (workflowInfo().continueAsNewSuggested && sending.size === 0)
      await continueAsNew<typeof notifications>(pace, { pending, sent: [...sent] });
  }
}

/** Sends one message. Undefined where that went well, else why it is dropped. */
async function whyNotSent(text: string): Promise<string | undefined> {
  try {
    await postToSlack(text);
    return undefined;
  } catch (error) {
    const { type, message } = failureOf(error);
    return `${type}: ${message}`;
  }
}
