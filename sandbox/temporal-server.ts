import { Connection } from '@temporalio/client';
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { SEARCH_ATTRIBUTES } from '../domain/rotation/index.ts';
import { findBinary } from './temporal-binary.ts';

/** How long closed workflows are kept: the alert receiver looks back at least fifteen days. */
export const RETENTION_DAYS = 30;
const UP_LIMIT_MS = 30_000;

export interface TemporalServer {
  address: string;
  uiUrl?: string;
  /** Ends the server; nothing where it was running before. */
  stop: () => Promise<void>;
  process?: ChildProcess;
}

/**
 * Starts a Temporal server with its UI, data in a file or in memory; or takes the one
 * `TEMPORAL_ADDRESS` names.
 */
export async function startTemporal(options: {
  /** In memory where absent. */
  dataFile?: string;
  port?: number;
  uiPort?: number;
  ui?: boolean;
  /** Those of rotations where absent. */
  searchAttributes?: readonly string[];
  /** `key=value` of the server's dynamic configuration. */
  dynamicConfig?: readonly string[];
  /** Called as soon as there is something to end, before the server is up. */
  started?: (stop: () => Promise<void>) => void;
}): Promise<TemporalServer> {
  if (process.env.TEMPORAL_ADDRESS)
    return {
      address: process.env.TEMPORAL_ADDRESS,
      uiUrl: process.env.TEMPORAL_UI_URL,
      stop: () => Promise.resolve(),
    };
  for (let tries = 1; ; tries++)
    try {
      return await launch(options);
    } catch (error) {
      // A port that was free a moment ago may be taken by now.
      if (!(error instanceof EndedAtOnce) || options.port !== undefined || tries === LAUNCHES)
        throw error;
    }
}

const LAUNCHES = 3;

class EndedAtOnce extends Error {}

async function launch(options: Parameters<typeof startTemporal>[0]): Promise<TemporalServer> {
  const program = await findBinary('temporal');
  const port = options.port ?? (await freePort());
  const uiPort = options.uiPort ?? (await freePort());
  const ui = options.ui ?? true;
  const child = spawn(
    program,
    [
      'server',
      'start-dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      ...(ui ? ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)] : ['--headless']),
      ...(options.dataFile ? ['--db-filename', options.dataFile] : []),
      '--log-level',
      'error',
      ...(options.dynamicConfig ?? []).flatMap((one) => ['--dynamic-config-value', one]),
      ...(options.searchAttributes ?? SEARCH_ATTRIBUTES).flatMap((name) => [
        '--search-attribute',
        `${name}=Keyword`,
      ]),
    ],
    { stdio: 'ignore', detached: true },
  );
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const address = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  options.started?.(stop);
  await untilUp(address, child);
  return {
    address,
    ...(ui && { uiUrl: `http://127.0.0.1:${uiPort}` }),
    process: child,
    stop,
  };
}

async function untilUp(address: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + UP_LIMIT_MS;
  for (;;) {
    if (child.exitCode !== null)
      throw new EndedAtOnce(`the Temporal server ended at once with exit code ${child.exitCode}`);
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 });
      await connection.workflowService.updateNamespace({
        namespace: 'default',
        config: { workflowExecutionRetentionTtl: { seconds: RETENTION_DAYS * 86_400 } },
      } as never);
      await connection.close();
      return;
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(
          `the Temporal server at ${address} did not come up in ${UP_LIMIT_MS / 1000} s`,
          {
            cause: error,
          },
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}
