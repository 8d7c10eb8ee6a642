import { Exec, KubeConfig, type V1Status } from '@kubernetes/client-node';
import { Writable } from 'node:stream';
import { readersIn } from '../../../activities/kubernetes/consumers.ts';
import { containersIn, ownerOf, type PodContainer } from '../../../activities/kubernetes/pods.ts';
import type { Target } from '../../../activities/kubernetes/exec.ts';
import { tokenSecretName } from '../../../domain/text/parameterize.ts';
import type { Systems } from '../systems.ts';

/** The Secret of the pair that tests look at; its API user's e-mail and its name agree. */
export const secretOf = ({ pair }: Systems): string =>
  tokenSecretName(pair.apiUser.split('@')[0]!, pair.application);

type Found = PodContainer & { variable: string };

/** Containers that read the pair's Secret, as their pods' status shows them. */
export async function consumers(systems: Systems): Promise<Found[]> {
  const pods = await systems.kubernetes.pods();
  return pods.flatMap((pod) => {
    const workload = ownerOf(pod, []);
    const readers = readersIn({ workload, spec: pod.spec }, secretOf(systems));
    return containersIn(pod, workload).flatMap((container) =>
      readers
        .filter((reader) => reader.container === container.container)
        .map(({ variable }) => ({ ...container, variable })),
    );
  });
}

/** One that runs, beside others in its pod. */
export async function someConsumer(systems: Systems): Promise<Found> {
  const found = (await consumers(systems)).find(
    ({ state, container }) => state === 'running' && container === 'app',
  );
  if (!found) throw new Error(`no running container “app” reads ${secretOf(systems)}`);
  return found;
}

/** The same cluster, asked by somebody else. */
export function asSomebody({ kubeConfig }: Systems, token?: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(kubeConfig.getCurrentCluster()!, { name: 'somebody', token });
  return config;
}

export interface RawExec {
  status?: V1Status;
  stdout: string;
  stderr: string;
  /** The code the connection was closed with. */
  closed: number;
  protocol: string;
}

/** One exec as the protocol shows it. */
export async function rawExec(
  { kubeConfig, configuration }: Systems,
  { pod, container }: Target,
  command: string[],
  { tty = false, config = kubeConfig, printed = (): void => undefined } = {},
): Promise<RawExec> {
  let status: V1Status | undefined;
  const said = { stdout: '', stderr: '' };
  const into = (stream: keyof typeof said): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[stream] += chunk.toString();
        printed();
        done();
      },
    });
  const namespace = configuration.KUBERNETES_NAMESPACE;
  const exec = new Exec(config);
  const socket = await exec.exec(
    namespace,
    pod,
    container,
    command,
    into('stdout'),
    into('stderr'),
    null,
    tty,
    (told) => (status = told),
  );
  const closed = await new Promise<number>((resolve) => socket.on('close', resolve));
  return { status, ...said, closed, protocol: socket.protocol };
}
