import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';
import { Writable } from 'node:stream';
import { WebSocket, type ClientOptions } from 'ws';
import { failure } from '../failure.ts';
import { END_MARKER } from './scripts.ts';

export interface Target {
  pod: string;
  container: string;
}

/** What a command came to. */
export type ExecResult =
  | { kind: 'answered'; lines: string[] }
  /** The program is not in the container. */
  | { kind: 'no-such-program' }
  | { kind: 'exited'; code: number }
  /** The pod or the container is not there, or not any more. Only a list of pods can tell whether it ended. */
  | { kind: 'gone' };

const LARGEST_OUTPUT = 64 * 1024;
const LARGEST_MESSAGE = 1024 * 1024;
const LONGEST_MS = 90_000;

/**
 * Runs a constant command in a container. An answer counts only with its end marker: a connection lost in the middle reports Success.
 * @throws ExecIncomplete (retried) when the end marker or the status is missing; NotPermitted (not retried)
 */
export async function execIn(
  config: KubeConfig,
  namespace: string,
  { pod, container }: Target,
  command: string[],
): Promise<ExecResult> {
  const where = `${container} in ${pod}`;
  const output = new Bounded();
  const noise = new Bounded();
  const status = await new Promise<V1Status | undefined>((resolve, reject) => {
    let socket: WebSocket | undefined;
    const timer = setTimeout(() => {
      socket?.terminate();
      reject(failure('ExecIncomplete', `no answer from ${where} in ${LONGEST_MS / 1000} s`));
    }, LONGEST_MS);
    const settle = (done: () => void) => (): void => {
      clearTimeout(timer);
      done();
    };
    let said: V1Status | undefined;
    const open = (uri: string, protocols: string[], options: ClientOptions): WebSocket =>
      (socket = new WebSocket(uri, protocols, { ...options, maxPayload: LARGEST_MESSAGE }));
    new Exec(config, new WebSocketHandler(config, open))
      .exec(namespace, pod, container, command, output, noise, null, false, (told) => {
        said = told;
      })
      .then(
        () => {
          socket?.on(
            'close',
            settle(() => resolve(said)),
          );
          socket?.on(
            'error',
            settle(() => resolve(said)),
          );
        },
        (error: unknown) => settle(() => reject(refusal(error, where)))(),
      );
  }).catch((error: unknown) => {
    if (error instanceof Gone) return 'gone' as const;
    throw error;
  });
  if (status === 'gone') return { kind: 'gone' };
  if (!status) throw failure('ExecIncomplete', `the connection to ${where} was lost without a status`);

  if (status.status === 'Success') {
    const lines = output.text().trimEnd().split('\n');
    if (lines.pop() !== END_MARKER) throw failure('ExecIncomplete', `the answer of ${where} lacks its end`);
    return { kind: 'answered', lines };
  }
  const exit = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (exit !== undefined) return { kind: 'exited', code: Number(exit) };
  // The message may repeat the command, so it is only searched, never quoted.
  if (/container not found|not created|is terminated/i.test(status.message ?? '')) return { kind: 'gone' };
  if (/no such file|executable file not found|not found in \$PATH/i.test(status.message ?? ''))
    return { kind: 'no-such-program' };
  throw failure('ExecIncomplete', `${where} could not be asked (${status.reason ?? 'no reason'})`);
}

/** The pod went away between the look and the question. */
class Gone extends Error {}

function refusal(error: unknown, where: string): Error {
  const said = (error as { message?: unknown } | undefined)?.message;
  const code = /server response: (\d{3})/.exec(typeof said === 'string' ? said : '')?.[1];
  if (code === '404') return new Gone();
  if (code === '401' || code === '403')
    return failure('NotPermitted', `Kubernetes refused exec into ${where} with ${code}`);
  return failure('ExecIncomplete', `Kubernetes refused exec into ${where} (${code ?? 'connection failed'})`);
}

/** Keeps output up to a limit, drops the rest: what lacks its end marker does not count. */
class Bounded extends Writable {
  private readonly chunks: Buffer[] = [];
  private size = 0;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.size < LARGEST_OUTPUT) this.chunks.push(chunk);
    this.size += chunk.length;
    done();
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}
