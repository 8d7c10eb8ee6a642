import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { heartbeats, inWorkflowsOnly } from '../activities/heartbeat.ts';
import { taskQueueOf, waitsQueueOf } from '../domain/request/index.ts';
import { createActivities } from './activities.ts';
import { bundlerOptions, WORKFLOWS_PATH } from './bundle.ts';
import { warnUnlessCurrent } from './deployment.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { DATA_CONVERTER, readTemporal } from '../config/temporal.ts';
import { createTracing } from './tracing.ts';
import type { Configuration } from '../config/configuration.ts';

/**
 * Thrown at start: nothing answers where `TEMPORAL_…` say Temporal is, or it does not let this
 * worker in.
 */
export class TemporalAway extends Error {
  constructor(address: string) {
    super(
      `Temporal does not answer at ${address}, or refuses this worker. Check TEMPORAL_ADDRESS, TEMPORAL_API_KEY and TEMPORAL_TLS….`,
    );
  }
}

export interface RunningWorker {
  /** Settles when the worker has ended. */
  ended: Promise<void>;
  /** Lets creates and revokes end, makes waits give way at once, and ends. */
  stop: () => Promise<void>;
}

/**
 * Connects to Temporal as `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE` and the like say, and runs a
 * worker.
 * @throws BadConfiguration, TemporalAway, SearchAttributesMissing
 * @param env where the `TEMPORAL_…` variables are
 */
export async function runWorker(
  configuration: Configuration,
  env: NodeJS.ProcessEnv,
  bundle?: WorkerOptions['workflowBundle'],
): Promise<RunningWorker> {
  const { connectionOptions, namespace } = readTemporal(env);
  const [connection, native] = await Promise.all([
    Connection.connect(connectionOptions),
    NativeConnection.connect(connectionOptions),
  ]).catch(() => {
    throw new TemporalAway(connectionOptions.address ?? 'localhost:7233');
  });
  const client = new Client({ connection, namespace, dataConverter: DATA_CONVERTER });
  try {
    await ensureSearchAttributes(connection, client.options.namespace);
  } catch (error) {
    await Promise.all([connection.close(), native.close()]);
    throw error;
  }
  const { ROTATION_ENVIRONMENT: environment, version } = configuration;
  const taskQueue = taskQueueOf(environment);
  if (version) {
    const queue = { namespace: client.options.namespace, taskQueue: { name: taskQueue } };
    await warnUnlessCurrent(connection, queue, version);
  }
  const tracing = createTracing(env, environment);
  const draining = new AbortController();
  const workers = await createWorkers({
    connection: native,
    namespace,
    taskQueue,
    activities: createActivities(configuration, env, client, draining.signal),
    interceptors: {
      activity: [inWorkflowsOnly, heartbeats, ...(tracing ? [tracing.interceptor] : [])],
    },
    // Rotations wait for weeks, so they move on to whichever version is current.
    workerDeploymentOptions: version && {
      version,
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
    workflows: bundle
      ? { workflowBundle: bundle }
      : { workflowsPath: WORKFLOWS_PATH, bundlerOptions: bundlerOptions() },
    maxCachedWorkflows: configuration.MAX_CACHED_WORKFLOWS,
    shutdownGraceTime: '2 minutes', // creates and revokes end by themselves well before
    shutdownForceTime: '150 seconds',
  });
  const stop = (): void => {
    draining.abort();
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const ended = (async () => {
    try {
      // One alone would do half of the work: where it fails, the other ends what it does first.
      const runs = workers.map((worker) => worker.run().finally(stop));
      await Promise.allSettled(runs);
      await Promise.all(runs);
    } finally {
      await Promise.all([connection.close(), native.close(), tracing?.end()]);
    }
  })();
  return {
    ended,
    stop: async () => {
      stop();
      await ended;
    },
  };
}

/** Waits at the same time: each costs little, since all share what one look reads. */
const WAITS_AT_ONCE = 5000;

/** A worker for workflows and acts, and one beside it for the waits, on a task queue of its own. */
export function createWorkers({
  workflows,
  ...options
}: WorkerOptions & {
  workflows: Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'bundlerOptions'>;
}): Promise<Worker[]> {
  const shared = { ...options, dataConverter: DATA_CONVERTER };
  return Promise.all([
    Worker.create({ ...shared, ...workflows }),
    Worker.create({
      ...shared,
      taskQueue: waitsQueueOf(options.taskQueue),
      maxConcurrentActivityTaskExecutions: WAITS_AT_ONCE,
    }),
  ]);
}
