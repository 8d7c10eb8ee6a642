import {
  ApplicationFailure,
  CancellationScope,
  currentUpdateInfo,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import {
  DECISIONS,
  type Answer,
  type DecisionName,
  type Decisions,
  type Sent,
  type Shaped,
} from '../domain/decisions.ts';
import { signalOf, updateOf } from './messages.ts';

/** Where answers are shown. */
interface Shows {
  answer: (text: string) => void;
}

/** Takes a decision that people send to a rotation. */
export function onDecision<Name extends DecisionName>(
  name: Name,
  shows: Shows,
  take: (decision: Decisions[Name], sent: Sent) => Answer | Promise<Answer>,
): void {
  onMessage(name, DECISIONS[name], shows, take);
}

/**
 * Takes what people send, as signal and as update, by one handler. What is misshapen never reaches `take`: a signal is answered
 * in the details, an update is refused. An answer that is not acceptance changed nothing.
 */
export function onMessage<Value>(
  name: string,
  { shape, description }: { shape: (input: unknown) => Shaped<Value>; description: string },
  shows: Shows,
  take: (value: Value, sent: Sent) => Answer | Promise<Answer>,
): void {
  let signals = 0;
  const handle = (input: unknown, sent: Sent): Promise<Answer> =>
    // Handlers run in the workflow's own scope: a cancel request must not end them in the middle.
    CancellationScope.nonCancellable(async () => {
      const shaped = shape(input);
      const answer = shaped.ok
        ? await take(shaped.value, sent)
        : { accepted: false, answer: `${name} not accepted: ${shaped.why}` };
      shows.answer(answer.answer);
      return answer;
    });
  setHandler(
    signalOf(name),
    async (input) => {
      await handle(input, { signal: signals++ });
    },
    { description },
  );
  setHandler(updateOf(name), (input) => handle(input, { update: currentUpdateInfo()!.id }), {
    description,
    validator: (input) => {
      const shaped = shape(input);
      if (!shaped.ok) throw ApplicationFailure.nonRetryable(`${name} not accepted: ${shaped.why}`, 'Misshapen');
    },
  });
}

/** Answers a signal whose name nobody knows. To be called after every known one has its handler. */
export function answerOtherSignals(shows: Shows, known: object = DECISIONS): void {
  const names = Object.keys(known).join(', ');
  setDefaultSignalHandler((name) => shows.answer(`no signal is named ${name.slice(0, 40)}; there are ${names}`));
}
