import { type RotatedPair, rotationId, taskQueueOf } from '../request/index.ts';
import { WORKFLOW } from '../names/index.ts';

export interface TemporalUi {
  /** e.g. `https://temporal.example.org`; a path in it is kept. */
  url: string;
  namespace: string;
}

/**
 * The page of a run that shows its current details: what it waits for and what to send. Details
 * need a live worker.
 */
export function userMetadataLink(
  { url, namespace }: TemporalUi,
  workflowId: string,
  runId: string,
): string {
  return link(url, ['namespaces', namespace, 'workflows', workflowId, runId, 'user-metadata']);
}

/** The UI's Start form, filled in; where the pair was rotated before, with that run's input too. */
export function startFormLink({ url, namespace }: TemporalUi, pair: RotatedPair): string {
  const fields = {
    workflowId: rotationId(pair),
    taskQueue: taskQueueOf(pair.environment),
    workflowType: WORKFLOW.rotation,
  };
  const query = Object.entries(fields).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return `${link(url, ['namespaces', namespace, 'workflows', 'start-workflow'])}?${query.join('&')}`;
}

/** The list of all runs of a workflow. */
export function rotationsLink({ url, namespace }: TemporalUi, workflowId: string): string {
  const query = encodeURIComponent(`WorkflowId="${workflowId}"`);
  return `${link(url, ['namespaces', namespace, 'workflows'])}?query=${query}`;
}

function link(url: string, path: string[]): string {
  return `${url.replace(/\/+$/, '')}/${path.map(encodeURIComponent).join('/')}`;
}
