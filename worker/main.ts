import { BadConfiguration, readConfiguration } from './configuration.ts';
import { createWorker } from './create-worker.ts';

try {
  const configuration = readConfiguration(process.env);
  const bundle = process.env.WORKFLOW_BUNDLE;
  const { worker, close } = await createWorker(configuration, bundle ? { codePath: bundle } : undefined);
  await worker.run();
  await close();
} catch (error) {
  console.error(error instanceof BadConfiguration ? error.message : error);
  process.exitCode = 1;
}
