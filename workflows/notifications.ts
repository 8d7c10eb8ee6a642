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
  type LinkedNotice,
  type NoticePace,
  type Pending,
} from '../domain/notices.ts';
import { escapeMarkdown } from '../domain/markdown.ts';
import { postToSlack } from './activities.ts';
import { failureOf } from './failure-of.ts';

/** Adds a notice. */
export const notice = defineSignal<[LinkedNotice]>('notice');

/** What is handed on when a long history is cut. */
interface Carried {
  pending: Pending[];
  sent: [string, number][];
}

/**
 * Collects what rotations of an environment tell people, and sends one message for those of one cause.
 * A webhook that is down delays messages and drops them after an hour; no rotation waits for it. Ends when all has been quiet.
 */
export async function notifications(pace: NoticePace, carried?: Carried): Promise<void> {
  let pending = carried?.pending ?? [];
  const sent = new Map(carried?.sent);
  setHandler(notice, (given) => {
    if (typeof given?.cause === 'string' && typeof given.text === 'string')
      pending.push({ notice: given, at: Date.now() });
  });
  for (;;) {
    const due = nextDue(pending, sent, pace);
    const quietUntil = Math.max(Date.now(), ...[...sent.values()].map((at) => at + ms(pace.quietFor)));
    const wait = (due?.at ?? quietUntil) - Date.now();
    const known = pending.length;
    if (wait > 0 && (await condition(() => pending.length !== known, wait, { summary: 'Until the next message' })))
      continue;
    if (!due) {
      if (pending.length > 0) continue;
      return;
    }
    const [first, ...more] = lastOfEach(
      pending.map(({ notice: one }) => one).filter((one) => groupOf(one) === due.group),
    );
    pending = pending.filter(({ notice: one }) => groupOf(one) !== due.group);
    if (first)
      await postToSlack(drawMessage([first, ...more])).catch((error: unknown) => {
        const { type, message } = failureOf(error);
        setCurrentDetails(`A message was not sent and is dropped: ${escapeMarkdown(`${type}: ${message}`)}`);
      });
    sent.set(due.group, Date.now());
    if (workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof notifications>(pace, { pending, sent: [...sent] });
  }
}
