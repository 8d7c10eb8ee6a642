import type { Worker } from '@temporalio/worker';
import { createWorkers } from '../../worker/run-worker.ts';
import { BUNDLE } from './bundle.ts';

/** Runs the workflows and these activities, as a worker does, while something is done. */
export async function withWorkers<T>(
  options: Omit<Parameters<typeof createWorkers>[0], 'workflows'>,
  act: () => Promise<T>,
): Promise<T> {
  const workers = await createWorkers({ ...options, workflows: { workflowBundle: BUNDLE } });
  return runUntil(workers, act);
}

async function runUntil<T>(workers: Worker[], act: () => Promise<T>): Promise<T> {
  const [first, ...more] = workers;
  return first ? first.runUntil(() => runUntil(more, act)) : act();
}
