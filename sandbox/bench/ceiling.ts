import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { AT_ONCE } from '../../client/cli/context.ts';
import type { Ground } from './ground.ts';

const WORKER = fileURLToPath(new URL('./noop-worker.ts', import.meta.url));

/**
 * Seconds that as many workflows with as many activities take that do nothing, on the same server,
 * one worker.
 */
export async function ceiling(
  { client, temporal }: Ground,
  { workflows, activities }: { workflows: number; activities: number },
): Promise<number> {
  const worker = spawn(process.execPath, ['--import', 'tsx', WORKER], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
    },
    stdio: 'ignore',
  });
  try {
    await client.workflow.execute('noops', {
      workflowId: 'noops-warm-up',
      taskQueue: 'noops',
      args: [1],
    });
    const began = performance.now();
    const all = Array.from({ length: workflows }, (_, at) => `noops-${at}`);
    const handles = await pLimit(AT_ONCE).map(all, (workflowId) =>
      client.workflow.start('noops', { workflowId, taskQueue: 'noops', args: [activities] }),
    );
    await pLimit(AT_ONCE).map(handles, (handle) => handle.result());
    return (performance.now() - began) / 1000;
  } finally {
    worker.kill('SIGTERM');
  }
}
