import type { Client } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';

const WITHIN_MS = 10_000;
const clients = new Set<Client>();

/** Has a test that takes too long tell what is open there. @returns what ends it */
export function watchFor(client: Client): () => void {
  clients.add(client);
  return () => void clients.delete(client);
}

/** What keeps this process open, and what the workflows of its tests wait for. */
export async function whereThingsStand(): Promise<string> {
  const open = [...clients].map((client) =>
    Promise.race([
      openWorkflows(client).catch(String),
      after(WITHIN_MS, 'Temporal did not say', { ref: false }),
    ]),
  );
  return [process.getActiveResourcesInfo().join(', '), ...(await Promise.all(open))].join('\n');
}

/** A line for each open workflow: its activities, their tries and failures, and its task. */
async function openWorkflows(client: Client): Promise<string> {
  const lines = [];
  for await (const { workflowId } of client.workflow.list({
    query: `ExecutionStatus = 'Running'`,
  })) {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    const activities = (raw.pendingActivities ?? []).map(
      ({ activityType, attempt, lastFailure }) =>
        `${activityType?.name}, attempt ${attempt} ${lastFailure?.message ?? ''}`,
    );
    const task =
      raw.pendingWorkflowTask && `workflow task, attempt ${raw.pendingWorkflowTask.attempt}`;
    lines.push([workflowId, ...activities, ...(task ? [task] : [])].join('; '));
  }
  return lines.join('\n');
}
