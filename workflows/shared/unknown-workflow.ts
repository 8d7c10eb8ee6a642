import { workflowInfo } from '@temporalio/workflow';
import { WORKFLOW } from '../../domain/names/index.ts';
import { invalidRequest } from './invalid-request.ts';

const PEOPLE_START = [WORKFLOW.rotation, WORKFLOW.sweep, WORKFLOW.apiUser, WORKFLOW.inventory];

/**
 * Runs where a workflow type does not exist. A misspelt one, e.g. `RotateToken`, fails at once: its
 * tasks would fail for ever. Another may be of a later version, whose worker is to take its task:
 * that task fails, and is retried.
 */
export function unknownWorkflow(): Promise<never> {
  const type = workflowInfo().workflowType.slice(0, 60);
  const letters = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');
  if (!PEOPLE_START.some((known) => letters(known) === letters(type)))
    throw new Error(`no workflow type “${type}”`);
  return Promise.reject(
    invalidRequest([`workflow type: expected ${PEOPLE_START.join(', ')}, got “${type}”`]),
  );
}
