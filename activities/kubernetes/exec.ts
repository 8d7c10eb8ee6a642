import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';
import { Writable } from 'node:stream';
import { WebSocket, type ClientOptions } from 'ws';
import { failure } from '../failure.ts';
import { END_MARKER, programName } from './scripts.ts';

export interface Target {
  pod: string;
  container: string;
}

export type ExecResult =
  | { kind: 'answered'; lines: string[] }
  | { kind: 'no-such-program' }
  | { kind: 'exited'; code: number }
  /**
   * The pod or the container is not there, or not any more. Only a list of pods can tell whether it
   * ended.
   */
  | { kind: 'gone' }
  /** No answer within the limit: the container, or its node, hangs. */
  | { kind: 'timed-out' };

/** A census of a container with hundreds of long values. */
const LARGEST_OUTPUT = 1024 * 1024;
/** The streams that client-node closes when a frame says so; by default this process's own. */
type ExecStreams = ConstructorParameters<typeof WebSocketHandler>[2];
const LARGEST_MESSAGE = 1024 * 1024;
const LONGEST_MS = 90_000;

/**
 * Runs a constant command in a container. An answer counts only with its end marker: a connection
 * lost in the middle reports Success.
 * @throws ExecIncomplete (retried) when the end marker or the status is missing; CredentialRefused
 * (retried); NotPermitted (not retried)
 */
export async function execIn(
  config: KubeConfig,
  namespace: string,
  { pod, container }: Target,
  command: string[],
  limitMs = LONGEST_MS,
): Promise<ExecResult> {
  const where = `${container} in ${pod}`;
  const output = new Bounded();
  const noise = new Bounded();
  const status = await new Promise<V1Status | 'gone' | 'timed-out' | Error | undefined>(
    (resolve) => {
      let socket: ExecSocket | undefined;
      const timer = setTimeout(() => {
        socket?.terminate();
        resolve('timed-out');
      }, limitMs);
      const end = (how: V1Status | 'gone' | Error | undefined): void => {
        clearTimeout(timer);
        resolve(how);
      };
      let said: V1Status | undefined;
      const open = (uri: string, protocols: string[], options: ClientOptions): WebSocket =>
        (socket = new ExecSocket(uri, protocols, { ...options, maxPayload: LARGEST_MESSAGE }));
      const streams = {
        stdin: new Bounded(),
        stdout: output,
        stderr: noise,
      } as unknown as ExecStreams;
      new Exec(config, new WebSocketHandler(config, open, streams))
        .exec(namespace, pod, container, command, output, noise, null, false, (told) => {
          said = typeof told === 'object' ? told : undefined;
        })
        .then(
          () => {
            socket?.on('close', () => end(socket?.isBroken ? undefined : said));
            socket?.on('error', () => end(undefined));
          },
          (error: unknown) => end(refusal(error, where, programName(command))),
        );
    },
  );
  if (status === 'gone' || status === 'timed-out') return { kind: status };
  if (status instanceof Error) throw status;
  if (!status)
    throw failure('ExecIncomplete', `the connection to ${where} was lost without a status`);

  if (status.status === 'Success') {
    const lines = output.text().trimEnd().split('\n');
    if (lines.pop() !== END_MARKER)
      throw failure('ExecIncomplete', `the answer of ${where} lacks its end`);
    return { kind: 'answered', lines };
  }
  const { causes } = status.details ?? {};
  const exit = Array.isArray(causes)
    ? causes.find((cause) => cause?.reason === 'ExitCode')?.message
    : undefined;
  if (exit !== undefined && /^\d{1,3}$/.test(exit)) return { kind: 'exited', code: Number(exit) };
  // The message may repeat the command, so it is only searched, never quoted.
  const message = typeof status.message === 'string' ? status.message : '';
  if (/container not found|not created|is terminated/i.test(message)) return { kind: 'gone' };
  if (saysMissing(message, command[0]!)) return { kind: 'no-such-program' };
  const reason = /^[A-Za-z]{1,60}$/.exec(status.reason ?? '')?.[0];
  throw failure('ExecIncomplete', `${where} could not be asked (${reason ?? 'no reason'})`);
}

/**
 * Whether a container runtime says that a program is not there, e.g. `exec: "sh": executable file
 * not found in $PATH`. Another file may be missing too, e.g. the runtime's own socket.
 */
function saysMissing(message: string, program: string): boolean {
  const named = `["'\`/]${program}["'\`]?(?![\\w-])`;
  return new RegExp(`${named}.{0,60}(not found|no such file)`, 'i').test(message);
}

/**
 * A socket whose messages fail this exec and nothing else: client-node's handler throws on a frame
 * that it does not understand (an empty one, an unknown channel, half a status), and an exception
 * in an event's handler would end the whole process.
 */
class ExecSocket extends WebSocket {
  /** A frame was not understood: whatever comes after it does not count. */
  isBroken = false;

  override emit(event: string | symbol, ...details: unknown[]): boolean {
    try {
      return super.emit(event, ...details);
    } catch {
      this.isBroken = true;
      this.terminate();
      return true;
    }
  }
}

/**
 * Why an exec was refused before the upgrade; the answer's body is lost.
 * @param program what was to run
 */
function refusal(error: unknown, where: string, program: string): Error | 'gone' {
  const said = (error as { message?: unknown } | undefined)?.message;
  const code = /server response: (\d{3})/.exec(typeof said === 'string' ? said : '')?.[1];
  if (code === '404') return 'gone'; // the pod went away between the look and the question
  if (code === '401')
    return failure(
      'CredentialRefused',
      `Kubernetes refused exec into ${where} with 401: it does not accept the credential`,
    );
  if (code === '422')
    return failure(
      'NotPermitted',
      `Kubernetes refused exec into ${where} with 422: its policy for exec does not allow the program “${program}”`,
    );
  if (code === '403')
    return failure('NotPermitted', `Kubernetes refused exec into ${where} with 403`);
  return failure(
    'ExecIncomplete',
    `Kubernetes refused exec into ${where} (${code ?? 'connection failed'})`,
  );
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

  /**
   * Does not end: a frame may come later, and a write error of this stream would end the process.
   */
  override end(): this {
    return this;
  }

  pause(): this {
    return this;
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}
