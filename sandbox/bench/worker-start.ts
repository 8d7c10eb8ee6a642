import { setTimeout as after } from 'node:timers/promises';
import { WorkerProcess } from '../worker-process.ts';
import { taskQueueOf } from '../../domain/request/index.ts';
import type { Ground } from './ground.ts';
import { usageOf } from './usage.ts';

/**
 * A worker process from its start to the first task it has done, in ms, and its memory then, in
 * MiB.
 */
export async function startWorkerOnce(
  { client, env }: Ground,
  index: number,
): Promise<{ ms: number; mib: number }> {
  // Staging is ignored without any activity, so the first task is all there is.
  const handle = await client.workflow.start('rotateToken', {
    workflowId: `first-task-${index}`,
    taskQueue: taskQueueOf('integration'),
    args: [{ environment: 'staging', apiUser: 'a@b.c', application: 'x', requestedBy: 'bench' }],
  });
  const began = performance.now();
  const worker = new WorkerProcess(env);
  await handle.result();
  const ms = performance.now() - began;
  await after(1000);
  const { mib } = usageOf(worker);
  await worker.stop();
  return { ms, mib };
}
