import { Runtime } from '@temporalio/worker';
import { BadConfiguration, readConfiguration } from './configuration.ts';
import { runWorker } from './run-worker.ts';

try {
  const configuration = readConfiguration(process.env);
  Runtime.install({ shutdownSignals: [] });
  const bundle = process.env.WORKFLOW_BUNDLE;
  const worker = await runWorker(configuration, process.env, bundle ? { codePath: bundle } : undefined);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void worker.stop());
  await worker.ended;
  process.exit(0);
} catch (error) {
  console.error(error instanceof BadConfiguration ? error.message : error);
  process.exit(1);
}
