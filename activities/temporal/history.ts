import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { failure } from '../failure.ts';

export type Event = temporal.api.history.v1.IHistoryEvent;

/** The server's own word on who sent an event, where it has an authorizer. */
export function principalOf(event: Event): { principal?: string } {
  const name = event.principal?.name;
  return name ? { principal: `${event.principal?.type ?? ''}:${name}` } : {};
}

/** What a signal carried; undefined where it cannot be read. */
export function decoded(payload: Payload): unknown {
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}

/** The first event of a run. */
export async function startOf(client: Client, workflowId: string, runId: string): Promise<Event> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const start = history?.events?.[0];
  if (!start) throw failure('Unreachable', 'Temporal did not answer with the start of this run');
  return start;
}

/**
 * An answer of the server holds 4 MB, and one event may be as large as what somebody may send, 2
 * MB.
 */
const FITS_ANY_PAGE = 3_000_000;

/**
 * A run's history, page by page. One that may not fit into one answer is read event by event: the
 * client would retry a page that is too large for minutes.
 */
export async function* eventsOf(
  client: Client,
  workflowId: string,
  runId: string,
): AsyncGenerator<Event> {
  const { historySize } = await client.workflow.getHandle(workflowId, runId).describe();
  const maximumPageSize = (historySize ?? 0) < FITS_ANY_PAGE ? undefined : 1;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize,
      nextPageToken,
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken?.length);
}
