import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readConfiguration } from '../config/configuration.ts';
import { jsonLogger } from './log.ts';
import { runWorker, TemporalAway } from './run-worker.ts';
import { SearchAttributesMissing } from './search-attributes.ts';
import { BadConfiguration } from '../config/variables.ts';

/** Where `npm run build` leaves the workflows. */
const BUILT = fileURLToPath(new URL('../workflows/bundle.js', import.meta.url));

/** A step takes from a second to weeks, waits for people included. */
const STEPS_TAKE_S = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400, 604_800];

try {
  const configuration = readConfiguration(process.env);
  const { LOG_LEVEL: level, METRICS_ADDRESS: bindAddress } = configuration;
  Runtime.install({
    shutdownSignals: [],
    logger: jsonLogger(level, (line) => void process.stderr.write(line)),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: level, other: 'WARN' }), forward: {} },
      ...(bindAddress && {
        metrics: {
          prometheus: {
            bindAddress,
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
            histogramBucketOverrides: { signon_rotation_step: STEPS_TAKE_S },
          },
        },
      }),
    },
  });
  const bundle = process.env.WORKFLOW_BUNDLE ?? (existsSync(BUILT) ? BUILT : undefined);
  const worker = await runWorker(
    configuration,
    process.env,
    bundle ? { codePath: bundle } : undefined,
  );
  const {
    ROTATION_ENVIRONMENT: environment,
    SIGNON_URL: signon,
    ARGOCD_URL: argoCd,
  } = configuration;
  Runtime.instance().logger.info('waits for rotations', { environment, signon, argoCd });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void worker.stop());
  await worker.ended;
  process.exit(0);
} catch (error) {
  console.error(
    [BadConfiguration, TemporalAway, SearchAttributesMissing].some(
      (known) => error instanceof known,
    )
      ? (error as Error).message
      : error,
  );
  process.exit(1);
}
