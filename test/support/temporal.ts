import { Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { SEARCH_ATTRIBUTES } from '../../domain/rotation/stage.ts';
import {
  RETENTION_DAYS,
  startTemporal,
  type TemporalServer,
} from '../../sandbox/temporal-server.ts';

const KEYWORD = 2; // IndexedValueType of Temporal's API

/**
 * Timers fire when they are due: by itself the server waits up to a second for others to fire with
 * them.
 */
export const PROMPT_TIMERS = 'history.timerProcessorMaxTimeShift="1ms"';

let shared: Promise<TemporalServer> | undefined;

/** The Temporal server of all tests of this process. */
function sharedTemporal(): Promise<TemporalServer> {
  return startTemporal({ ui: false, dynamicConfig: [PROMPT_TIMERS] }).then((server) => {
    process.once('exit', () => server.process?.kill('SIGKILL'));
    return server;
  });
}

/** The search attributes of rotations, in a namespace or the default one. */
export function registerSearchAttributes(
  { operatorService }: Pick<Connection, 'operatorService'>,
  namespace = 'default',
): Promise<unknown> {
  const searchAttributes = Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD]));
  return operatorService.addSearchAttributes({ namespace, searchAttributes });
}

/**
 * A namespace of its own on the server that this process's tests share. Its `stop` leaves the
 * server to the others.
 */
export async function namespaceOfItsOwn(): Promise<{
  temporal: TemporalServer;
  namespace: string;
}> {
  const { address } = await (shared ??= sharedTemporal());
  const namespace = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address, connectTimeout: '1 minute' });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: RETENTION_DAYS * 86_400 },
  } as never);
  await registerSearchAttributes(connection, namespace);
  await connection.close();
  return { temporal: { address, stop: () => Promise.resolve() }, namespace };
}
