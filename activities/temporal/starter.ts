import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Delegation, RecordedSender } from '../../domain/evidence/index.ts';
import { decoded, type Event, principalOf, startOf } from './history.ts';

export async function starterOf(
  client: Client,
  delegation: Delegation | undefined,
): Promise<RecordedSender> {
  const { workflowId, runId } = activityInfo().workflowExecution!;
  const last = await startOf(client, workflowId, runId);
  const { firstExecutionRunId: first, continuedExecutionRunId: continued } =
    last.workflowExecutionStartedEventAttributes ?? {};
  // A reset copies the first start event; a run that continues another has one of its own.
  const isOther = first && continued && first !== runId;
  const start = isOther ? await startOf(client, workflowId, first) : last;
  return isParent(start, delegation) ? delegation.starter : senderOf(start);
}

/** The delegation is believed only where the server records that run as the parent. */
function isParent(start: Event, delegation: Delegation | undefined): delegation is Delegation {
  const parent = start.workflowExecutionStartedEventAttributes?.parentWorkflowExecution;
  return (
    !!parent && parent.workflowId === delegation?.workflowId && parent.runId === delegation?.runId
  );
}

function senderOf(start: Event): RecordedSender {
  const started = start.workflowExecutionStartedEventAttributes;
  const scheduled = started?.searchAttributes?.indexedFields?.TemporalScheduledById;
  const schedule = scheduled && decoded(scheduled);
  return {
    identity: started?.identity ?? '',
    ...principalOf(start),
    ...(typeof schedule === 'string' && { schedule }),
  };
}
