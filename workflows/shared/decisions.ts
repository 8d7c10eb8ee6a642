import {
  ApplicationFailure,
  CancellationScope,
  currentUpdateInfo,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import {
  DECISIONS,
  type Answer,
  type DecisionName,
  type Decisions,
  type DecisionId,
  type Shaped,
} from '../../domain/evidence/index.ts';
import { sizeOf } from '../../domain/text/index.ts';

/** More than any decision takes; a thousand ids are half of it. */
const LARGEST_DECISION = 16 * 1024;

export interface Shows {
  answer: (text: string) => void;
}

export function onDecision<Name extends DecisionName>(
  name: Name,
  shows: Shows,
  take: (decision: Decisions[Name], sent: DecisionId) => Answer | Promise<Answer>,
): void {
  onMessage(name, DECISIONS[name], shows, take);
}

/**
 * Takes what people send, as signal and as update, by one handler. What is misshapen never reaches
 * `take`: a signal is answered in the details, an update is refused. A decision that is not
 * accepted changed nothing, and fails its update. The input is shaped by hand, since the UI's form
 * takes any JSON.
 */
export function onMessage<Value>(
  name: string,
  { shape, description }: { shape: (input: unknown) => Shaped<Value>; description: string },
  shows: Shows,
  take: (value: Value, sent: DecisionId) => Answer | Promise<Answer>,
): void {
  let signals = 0;
  const shapeSmall = (input: unknown): Shaped<Value> =>
    sizeOf(input) > LARGEST_DECISION ? { ok: false, why: 'it is larger than 16 KB' } : shape(input);
  const handle = (input: unknown, sent: DecisionId): Promise<Answer> =>
    // Handlers run in the workflow's own scope: a cancel request must not end them in the middle.
    CancellationScope.nonCancellable(async () => {
      const shaped = shapeSmall(input);
      const answer = shaped.ok
        ? await take(shaped.value, sent)
        : { accepted: false, answer: `${name} not accepted: ${shaped.why}` };
      shows.answer(answer.answer);
      return answer;
    });
  setHandler(
    defineSignal<[unknown]>(name),
    async (input) => {
      await handle(input, { signal: signals++ });
    },
    { description },
  );
  const handleUpdate = async (input: unknown): Promise<Answer> => {
    const answer = await handle(input, { update: currentUpdateInfo()!.id });
    // The UI shows an update that does not fail as a success, so one that changed nothing fails.
    if (!answer.accepted) throw ApplicationFailure.nonRetryable(answer.answer, 'NotAccepted');
    return answer;
  };
  setHandler(defineUpdate<Answer, [unknown]>(name), handleUpdate, {
    description,
    validator: (input) => {
      const shaped = shapeSmall(input);
      if (!shaped.ok)
        throw ApplicationFailure.nonRetryable(`${name} not accepted: ${shaped.why}`, 'Misshapen');
    },
  });
}

/** Answers a signal whose name nobody knows. To be called after every known one has its handler. */
export function answerOtherSignals(shows: Shows, known: object = DECISIONS): void {
  const names = Object.keys(known).join(', ');
  setDefaultSignalHandler((name) =>
    shows.answer(`no signal is named ${name.slice(0, 40)}; there are ${names}`),
  );
}
