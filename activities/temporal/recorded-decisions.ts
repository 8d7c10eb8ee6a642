import type { Payload } from '@temporalio/common';
import type { DecisionId, RecordedSender } from '../../domain/evidence/index.ts';
import { principalOf, type Event } from './history.ts';

/** What the server recorded of an approval. */
export interface Receipt {
  payload: Payload | null | undefined;
  sender: RecordedSender;
}

/** The approval that came so, read event by event: nothing else of the history is kept. */
export async function receivedAs(
  events: AsyncIterable<Event>,
  sent: DecisionId,
): Promise<Receipt | undefined> {
  let signals = 0;
  for await (const event of events) {
    const received = 'signal' in sent ? signalled(event) : updated(event, sent.update);
    if (received && (!('signal' in sent) || signals++ === sent.signal)) return received;
  }
  return undefined;
}

/**
 * Whether a stop is one that a reset applied again: an update then stands in the event that admits
 * it; signals and cancel requests stand between the workflow task that the reset failed and the
 * next one.
 */
export async function isReapplied(
  events: AsyncIterable<Event>,
  stop: DecisionId | 'cancel',
): Promise<boolean> {
  let signals = 0;
  let byReset = false;
  for await (const event of events) {
    if (event.workflowTaskFailedEventAttributes?.newRunId) byReset = true;
    else if (event.workflowTaskScheduledEventAttributes) byReset = false;
    if (stop === 'cancel') {
      if (event.workflowExecutionCancelRequestedEventAttributes) return byReset;
    } else if ('update' in stop) {
      if (
        event.workflowExecutionUpdateAdmittedEventAttributes?.request?.meta?.updateId ===
        stop.update
      )
        return true;
    } else if (
      event.workflowExecutionSignaledEventAttributes?.signalName === 'abort' &&
      signals++ === stop.signal
    )
      return byReset;
  }
  return false;
}

/** An `approve` signal. */
function signalled(event: Event): Receipt | undefined {
  const sent = event.workflowExecutionSignaledEventAttributes;
  if (sent?.signalName !== 'approve') return undefined;
  return {
    payload: sent.input?.payloads?.[0],
    sender: { identity: sent.identity ?? '', ...principalOf(event) },
  };
}

/**
 * The `approve` update of that id. One that a reset re-applied stands in the event that admitted
 * it.
 */
function updated(event: Event, id: string): Receipt | undefined {
  const request =
    event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest ??
    event.workflowExecutionUpdateAdmittedEventAttributes?.request;
  if (request?.meta?.updateId !== id || request.input?.name !== 'approve') return undefined;
  return {
    payload: request.input.args?.payloads?.[0],
    sender: { identity: request.meta.identity ?? '', ...principalOf(event) },
  };
}
