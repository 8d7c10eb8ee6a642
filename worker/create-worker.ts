import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { taskQueueOf } from '../domain/request.ts';
import { createActivities } from './activities.ts';
import type { Configuration } from './configuration.ts';

/** Where the workflows are; a bundle made before may be given instead. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

/** Connects to Temporal as `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE` and the like say, and sets a worker up. */
export async function createWorker(
  configuration: Configuration,
  bundle?: WorkerOptions['workflowBundle'],
): Promise<{ worker: Worker; close: () => Promise<void> }> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const [connection, native] = await Promise.all([
    Connection.connect(connectionOptions),
    NativeConnection.connect(connectionOptions),
  ]);
  const client = new Client({ connection, namespace });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: taskQueueOf(configuration.ROTATION_ENVIRONMENT),
    activities: createActivities(configuration, client),
    ...(bundle ? { workflowBundle: bundle } : { workflowsPath: WORKFLOWS_PATH }),
    shutdownGraceTime: '45 seconds',
  });
  return {
    worker,
    close: async () => {
      await Promise.all([connection.close(), native.close()]);
    },
  };
}
