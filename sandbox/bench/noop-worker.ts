import { NativeConnection, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';

const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS! });
const worker = await Worker.create({
  connection,
  namespace: process.env.TEMPORAL_NAMESPACE ?? 'default',
  taskQueue: 'noops',
  workflowsPath: fileURLToPath(new URL('./noop-workflows.ts', import.meta.url)),
  activities: { noop: () => Promise.resolve() },
});
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
await connection.close();
