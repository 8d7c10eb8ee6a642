/** The page of a run that shows its current details: what it waits for and what to send. Details need a live worker. */
export function userMetadataLink(uiUrl: string, namespace: string, workflowId: string, runId: string): string {
  const path = ['namespaces', namespace, 'workflows', workflowId, runId, 'user-metadata'].map(encodeURIComponent);
  return `${uiUrl.replace(/\/+$/, '')}/${path.join('/')}`;
}
