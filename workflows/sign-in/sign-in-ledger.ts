import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import ms from 'ms';
import {
  parseLedger,
  parseOutcome,
  parseQuestion,
  type SignInGrant,
  type SignInOutcome,
  type SignInQuestion,
} from '../../domain/sign-in/index.ts';
import { activities, carriedOver, isHistoryLong } from '../shared/index.ts';
import { SIGNAL } from '../../domain/names/index.ts';

/** Refused sign-ins that may reach Signon in an hour. */
const ALLOWED = 3;
const PER = ms('1 hour');
/**
 * Refused sign-ins in a row, however far apart. Six wrong passwords lock the account and end its
 * live sessions; ten wrong codes lock it, too, and a sign-in sends up to two.
 */
const ALLOWED_IN_A_ROW = 4;
/** A sign-in that was not heard of for this long is taken as refused: its worker died. */
const DECIDED_WITHIN = ms('2 minutes');
/** Answered questions are remembered for longer than a question counts as fresh. */
const KNOWN_FOR = ms('15 minutes');

/**
 * Asks to send a password to Signon once; waits a little while others are under way; input a
 * `SignInQuestion`. The id makes a repeated question harmless.
 */
const reserveSignIn = defineUpdate<SignInGrant, [unknown]>('reserve');
/**
 * Says what a reserved sign-in came to: one that was not refused no longer counts; input a
 * `SignInOutcome`.
 */
const settleSignIn = defineSignal<[unknown]>(SIGNAL.signInSettled);
/** Sent by a person who has corrected the credentials: the refusals in a row are forgotten. */
const forgetRefusals = defineSignal('forget');

/**
 * Counts sign-ins for all workers of an environment and their restarts, Temporal being what they
 * share. A sign-in counts from before it is sent until it is known not to have been refused, at
 * most for an hour; a worker that dies in between leaves it counted. Anybody may send a message;
 * only what a worker proves to have said counts. Ends some minutes after nothing counts any more.
 * @param carried from a run that continued as new; else ignored
 */
export async function signInLedger(carried?: unknown): Promise<void> {
  const before = carriedOver(carried, parseLedger);
  const counted = new Map(before?.counted.map((one) => [one.id, one]));
  const answered = new Map(before?.answered);
  let inARow = before?.inARow ?? 0;
  let asked = before !== undefined;
  let verified = Promise.resolve(true);
  /** Verifies one message after the other: they count in the order they came. */
  const proves = (said: SignInQuestion | SignInOutcome): Promise<boolean> => {
    verified = verified.catch(() => false).then(() => activities.provesWorker(said));
    return verified;
  };
  const prune = (): void => {
    for (const [id, { at, refused }] of counted) {
      if (Date.now() - at < PER) continue;
      counted.delete(id);
      if (!refused) inARow += 1; // nobody said what it came to
    }
    for (const [id, at] of answered) if (Date.now() - at >= KNOWN_FOR) answered.delete(id);
  };
  const underWay = (): number => [...counted.values()].filter(({ refused }) => !refused).length;
  const full = (): boolean => counted.size >= ALLOWED || inARow + underWay() >= ALLOWED_IN_A_ROW;
  const spent = (): boolean =>
    full() &&
    [...counted.values()].every(({ at, refused }) => refused || Date.now() - at >= DECIDED_WITHIN);
  const show = (): void => setCurrentDetails(drawRefusals(inARow));

  setHandler(settleSignIn, async (input) => {
    const said = parseOutcome(input);
    if (!said || !(counted.has(said.id) || said.outcome === 'withdrawn')) return;
    if (!(await proves(said).catch(() => false))) return;
    if (said.outcome === 'withdrawn') answered.set(said.id, Date.now());
    const known = counted.get(said.id);
    if (!known || known.refused) return;
    known.refused = said.outcome === 'refused';
    if (known.refused) inARow += 1;
    else counted.delete(said.id);
    if (said.outcome === 'accepted') inARow = 0; // without an answer, Signon counts on
    show();
  });
  setHandler(
    forgetRefusals,
    () => {
      inARow = 0;
      show();
    },
    { description: 'Sent by a person who has corrected the worker’s Signon credentials' },
  );
  setDefaultSignalHandler(() => undefined);
  // Last: where the first task did nothing, messages may be handed out handler by handler. A replay
  // hands signals out before updates.
  setHandler(
    reserveSignIn,
    async (input): Promise<SignInGrant> => {
      const question = parseQuestion(input)!;
      const { id } = question;
      asked = true;
      if (!(await proves(question)) || (answered.has(id) && !counted.has(id)))
        return { granted: false, spent: false, unproven: true };
      prune();
      answered.set(id, Date.now());
      await condition(() => counted.has(id) || !full() || spent(), '20 seconds');
      if (!counted.has(id) && full()) {
        const oldest = Math.min(...[...counted.values()].map(({ at }) => at));
        const isLast = inARow >= ALLOWED_IN_A_ROW;
        return {
          granted: false,
          spent: spent(),
          ...(!isLast && { until: new Date(oldest + PER).toISOString() }),
        };
      }
      counted.set(id, counted.get(id) ?? { id, at: Date.now(), refused: false });
      return { granted: true, spent: false };
    },
    {
      validator: (input) => {
        if (!parseQuestion(input))
          throw ApplicationFailure.nonRetryable('expected a question of a worker');
      },
    },
  );
  show();
  await condition(() => asked);
  const state = (): string => [counted.size, answered.size, inARow].join();
  for (;;) {
    await condition(allHandlersFinished);
    prune();
    if (counted.size + answered.size + inARow === 0) return;
    if (isHistoryLong())
      await continueAsNew<typeof signInLedger>({
        counted: [...counted.values()],
        answered: [...answered],
        inARow,
      });
    const known = state();
    const changed = (): boolean => state() !== known || isHistoryLong();
    const next = Math.min(
      ...[...counted.values()].map(({ at }) => at + PER),
      ...[...answered.values()].map((at) => at + KNOWN_FOR),
    );
    if (Number.isFinite(next)) await condition(changed, Math.max(1, next - Date.now()));
    else await condition(changed);
  }
}

function drawRefusals(inARow: number): string {
  if (inARow === 0) return '';
  const refused = `**Sign-ins refused in a row:** ${inARow}. Six wrong passwords, or ten wrong codes, lock the account in Signon.`;
  return inARow < ALLOWED_IN_A_ROW
    ? refused
    : `${refused}\n\nNo worker signs in any more. **Do:** correct the workers’ Signon credentials and restart them, then send the signal \`forget\` (no input), and \`retry\` to the rotations that are blocked.`;
}
