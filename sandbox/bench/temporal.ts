import { Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { ensureSearchAttributes } from '../../worker/search-attributes.ts';
import { startTemporal } from '../temporal-server.ts';

/** Where the measured workflows run. */
export interface BenchServer {
  address: string;
  namespace: string;
  stop: () => Promise<void>;
}

/** A namespace is known to all parts of a server within so long. */
const KNOWN_WITHIN_MS = 60_000;

/**
 * A namespace of its own on the server that `TEMPORAL_ADDRESS` names; where it names none, a
 * development server with its file in a folder.
 */
export async function benchServer(folder: string): Promise<BenchServer> {
  const { TEMPORAL_ADDRESS: address } = process.env;
  if (!address) {
    const server = await startTemporal({ dataFile: join(folder, 'temporal.db'), ui: false });
    return { address: server.address, namespace: 'default', stop: () => server.stop() };
  }
  const namespace = `bench-${randomUUID()}`;
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 } as never,
  });
  const deadline = Date.now() + KNOWN_WITHIN_MS;
  for (;;) {
    try {
      await ensureSearchAttributes(connection, namespace);
      break;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await after(1000);
    }
  }
  await connection.close();
  return { address, namespace, stop: () => Promise.resolve() };
}
