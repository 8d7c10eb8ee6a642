import type { OutgoingHttpHeaders } from 'node:http';
import { ask, type RawAnswer } from '../raw.ts';
import type { Systems } from '../systems.ts';

export interface ArgoCall {
  query?: Record<string, string>;
  /** Makes it a POST. */
  body?: unknown;
  headers?: OutgoingHttpHeaders;
}

export interface ArgoAnswer extends RawAnswer {
  json: unknown;
}

/** Calls Argo CD with the worker's token, unless headers say otherwise. */
export async function callArgo(
  systems: Systems,
  path: string,
  call: ArgoCall = {},
): Promise<ArgoAnswer> {
  const answer = await ask(
    `${systems.configuration.ARGOCD_URL}/api/v1${path}?${new URLSearchParams(call.query).toString()}`,
    {
      method: call.body === undefined ? 'GET' : 'POST',
      headers: {
        Authorization: `Bearer ${systems.configuration.ARGOCD_TOKEN.reveal()}`,
        ...(call.body !== undefined && { 'Content-Type': 'application/json' }),
        ...call.headers,
      },
      body: call.body === undefined ? '' : JSON.stringify(call.body),
    },
  );
  return { ...answer, json: parse(answer.body) };
}

/** A resource as the tree shows it, with what our client does not read. */
export interface ShownNode {
  kind: string;
  name: string;
  uid?: string;
  createdAt?: string;
  parentRefs?: { kind: string; name: string }[];
  health?: { status?: string; message?: string };
}

/** The Jobs that the tree shows. */
export async function shownJobs(systems: Systems): Promise<ShownNode[]> {
  const path = '/applications/signon/resource-tree';
  const { json } = await callArgo(systems, path, { query: scopeOf(systems) });
  return (json as { nodes: ShownNode[] }).nodes.filter(({ kind }) => kind === 'Job');
}

export const scopeOf = ({ configuration }: Systems): Record<string, string> => ({
  appNamespace: configuration.ARGOCD_APP_NAMESPACE,
  project: configuration.ARGOCD_PROJECT,
});

/** What create-job is asked with. */
export const orderOf = (systems: Systems, cronJob: string): Record<string, string> => ({
  ...scopeOf(systems),
  namespace: systems.configuration.KUBERNETES_NAMESPACE,
  resourceName: cronJob,
  group: 'batch',
  kind: 'CronJob',
  version: 'v1',
});

/** Where a Job's log is asked for. */
export const logQuery = (
  systems: Systems,
  job: string,
  tailLines = '100',
): Record<string, string> => ({
  ...scopeOf(systems),
  namespace: systems.configuration.KUBERNETES_NAMESPACE,
  group: 'batch',
  kind: 'Job',
  resourceName: job,
  container: 'cron-task',
  tailLines,
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
