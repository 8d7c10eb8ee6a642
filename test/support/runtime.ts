import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js';

/**
 * Sets up the SDK for all workers of this process: they print nothing, and signals to end are the
 * test process's own.
 */
export function setUpRuntime(): void {
  if (Runtime._instance) return;
  Runtime.install({
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
    },
    shutdownSignals: [],
  });
  // In debug mode the SDK takes a stack trace of each promise of the whole process, for a query
  // that no test asks.
  globalHandlers['setPromiseHook'] = () => undefined;
}
