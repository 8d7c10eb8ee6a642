import { spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { censusWithShell } from '../../activities/kubernetes/scripts.ts';
import { madeUpRuby } from '../container/made-up-ruby.mjs';
import type { SandboxOptions } from '../options.ts';
import type { World } from '../world.ts';
import type { ContainerSpec, ContainerState, PodState } from '../world-state.ts';
import { specsOf } from './cluster.ts';

const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;

/** Ways for an exec to end that the real API shows. */
export type ExecFault =
  | 'no-status'
  | 'false-success'
  | 'killed'
  | 'node-down'
  /** The node's container runtime is starting anew. */
  | 'runtime-away'
  /** The runtime cannot start the program; a file that it names is none of the container's. */
  | 'no-cgroup'
  /** The credential is not accepted, for a moment. */
  | 'unauthorized'
  | 'refused'
  /** A frame of no meaning: half a status, a channel that does not exist, nothing at all. */
  | 'cut-status'
  | 'unknown-channel'
  | 'empty-frame'
  /** More output after the status. */
  | 'late-output'
  /**
   * A frame that closes a stream, before the status and not one of v5's that this client asks for.
   */
  | 'closes-stderr';

/**
 * `pods/exec` over WebSocket, `v5.channel.k8s.io` and `v4`. What is asked for truly runs, with the
 * container's environment.
 */
export class ExecEndpoint {
  /** Taken one by one by the next execs. */
  readonly faults: ExecFault[] = [];
  /** Asked of every exec that no fault was told of. */
  byChance: () => ExecFault | undefined = () => undefined;
  /** How many were open at the same time, and the most there were. */
  readonly open = { now: 0, most: 0 };
  /**
   * The admission policy for exec, where one is in force: what it does not allow is refused with
   * 422 before the upgrade.
   */
  allows: (exec: {
    command: string[];
    container: string;
    stdin: boolean;
    tty: boolean;
  }) => boolean = () => true;
  /** What this server speaks; an older one has no v5. */
  protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
  private readonly sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => this.protocols.find((known) => offered.has(known)) ?? false,
  });

  constructor(
    private readonly world: World,
    /** Folder with the programs of a container that has Ruby. */
    private readonly programs: string,
    private readonly execs: SandboxOptions['execs'] = 'processes',
  ) {}

  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    allowed: boolean | undefined,
  ): void {
    socket.on('error', () => socket.destroy()); // whoever asked may be gone
    const url = new URL(request.url ?? '/', 'http://kubernetes');
    const [, podName] =
      /^\/api\/v1\/namespaces\/apps\/pods\/([^/]+)\/exec$/.exec(url.pathname) ?? [];
    const pod = this.world.state.pods.find(({ name }) => name === podName);
    const wanted = url.searchParams.get('container') || null;
    const container =
      wanted === null && pod?.containers.length === 1
        ? pod.containers[0]
        : pod?.containers.find(({ name }) => name === wanted);
    if (allowed === undefined) return refuse(socket, 401);
    if (!allowed) return refuse(socket, 403);
    const fault = this.faults.shift() ?? this.byChance();
    if (fault === 'unauthorized') return refuse(socket, 401);
    if (fault === 'refused') return refuse(socket, 403);
    const command = url.searchParams.getAll('command');
    const [stdin, tty] = ['stdin', 'tty'].map((name) => url.searchParams.get(name) === 'true') as [
      boolean,
      boolean,
    ];
    // The API server asks its policies before it looks the pod up.
    if (!this.allows({ command, container: wanted ?? '', stdin, tty })) return refuse(socket, 422);
    if (!pod) return refuse(socket, 404);
    if (!container || pod.stuck === 'unschedulable') return refuse(socket, 400);
    this.sockets.handleUpgrade(request, socket, head, (connection) => {
      this.open.now++;
      this.open.most = Math.max(this.open.most, this.open.now);
      connection.on('close', () => this.open.now--);
      const runs = pod.running && !container.exited && this.specOf(pod, container)?.init !== 'ends';
      if (!runs) return end(connection, internalError('container not found'));
      if (fault === 'node-down')
        return end(
          connection,
          internalError(`error dialing backend: ${url.searchParams.getAll('command').join(' ')}`),
        );
      const unable = fault && UNABLE[fault];
      if (unable) return end(connection, internalError(unable));
      const frames = fault && MALFORMED[fault];
      if (frames) for (const frame of frames) connection.send(frame);
      if (frames) connection.close(1000);
      else this.run(connection, pod, container, url.searchParams, fault);
    });
  }

  private specOf(pod: PodState, { name }: ContainerState): ContainerSpec | undefined {
    return specsOf(this.world, pod).find((candidate) => candidate.name === name);
  }

  private run(
    connection: WebSocket,
    pod: PodState,
    container: ContainerState,
    asked: URLSearchParams,
    fault: ExecFault | undefined,
  ): void {
    const [program = '', ...args] = asked.getAll('command');
    const spec = this.specOf(pod, container);
    const path = spec?.ruby ? `${this.programs}:/usr/bin:/bin` : '/usr/bin:/bin';
    if ((!spec?.ruby && ['ruby', 'bundle'].includes(program)) || spec?.bare)
      return end(
        connection,
        internalError(`exec: "${program}": executable file not found in $PATH`),
      );
    let sent = 0;
    const forward =
      (channel: number) =>
      (chunk: Buffer): void => {
        const part =
          fault === 'false-success' && channel === STDOUT
            ? chunk.subarray(0, Math.max(0, 20 - sent))
            : chunk;
        sent += part.length;
        if (part.length > 0) connection.send(Buffer.concat([Buffer.from([channel]), part]));
      };
    const endAs = (code: number): void => {
      if (fault === 'no-status') connection.terminate();
      else if (fault === 'false-success' || (code === 0 && fault !== 'killed'))
        end(connection, { metadata: {}, status: 'Success' });
      else end(connection, nonZero(fault === 'killed' ? 137 : code));
    };
    const isMadeUp =
      program === 'sh' ? args[1] === censusWithShell[2] : ['ruby', 'bundle'].includes(program);
    if (isMadeUp && this.execs === 'in the sandbox') {
      const print = (line: string): void => forward(STDOUT)(Buffer.from(`${line}\n`));
      void madeUpRuby(args, container.env, print).then((code) =>
        endAs(this.world.state.pods.includes(pod) ? code : 137),
      );
      return;
    }
    const child = spawn(program, args, {
      env: { PATH: path, ...container.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', forward(STDOUT));
    child.stderr.on('data', forward(asked.get('tty') === 'true' ? STDOUT : STDERR));
    const endWithPod = (): void => {
      if (!this.world.state.pods.includes(pod)) child.kill('SIGKILL');
    };
    this.world.events.on('changed', endWithPod);
    let found = true;
    child.on('error', () => (found = false));
    child.on('close', (code) => {
      this.world.events.off('changed', endWithPod);
      if (found) endAs(code ?? 137);
      else end(connection, internalError(`exec: "${program}": executable file not found in $PATH`));
    });
  }
}

const SUCCESS = Buffer.concat([
  Buffer.from([STATUS]),
  Buffer.from('{"metadata":{},"status":"Success"}'),
]);
const UNABLE: Partial<Record<ExecFault, string>> = {
  'runtime-away':
    'unable to upgrade connection: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory"',
  'no-cgroup':
    'OCI runtime exec failed: exec failed: unable to start container process: error adding pid 4711 to cgroups: failed to write 4711: open /sys/fs/cgroup/kubepods.slice/cgroup.procs: no such file or directory: unknown',
};
const MALFORMED: Partial<Record<ExecFault, Buffer[]>> = {
  'cut-status': [
    Buffer.concat([Buffer.from([STATUS]), Buffer.from('{"metadata":{},"sta')]),
    SUCCESS,
  ],
  'unknown-channel': [Buffer.from([9, 120]), SUCCESS],
  'empty-frame': [Buffer.alloc(0)],
  'late-output': [SUCCESS, Buffer.from([STDOUT, 120]), Buffer.from([STDERR, 120])],
  'closes-stderr': [
    Buffer.from([255, STDERR]),
    Buffer.from([255, STDOUT]),
    Buffer.from([STDERR, 120]),
    SUCCESS,
  ],
};

function end(connection: WebSocket, status: object): void {
  connection.send(Buffer.concat([Buffer.from([STATUS]), Buffer.from(JSON.stringify(status))]), () =>
    connection.close(1000),
  );
}

function refuse(socket: Duplex, code: number): void {
  socket.end(`HTTP/1.1 ${code} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function internalError(message: string): object {
  return { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 };
}

function nonZero(code: number): object {
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}
