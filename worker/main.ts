import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { readConfiguration } from './configuration.ts';
import { runWorker, TemporalAway } from './run-worker.ts';
import { SearchAttributesMissing } from './search-attributes.ts';
import { BadConfiguration } from './variables.ts';

try {
  const configuration = readConfiguration(process.env);
  const level = configuration.LOG_LEVEL;
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger(level),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: level, other: 'WARN' }), forward: {} } },
  });
  const bundle = process.env.WORKFLOW_BUNDLE;
  const worker = await runWorker(configuration, process.env, bundle ? { codePath: bundle } : undefined);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void worker.stop());
  await worker.ended;
  process.exit(0);
} catch (error) {
  console.error(
    error instanceof TemporalAway ||
      [BadConfiguration, TemporalAway, SearchAttributesMissing].some((known) => error instanceof known)
      ? (error as Error).message
      : error,
  );
  process.exit(1);
}
