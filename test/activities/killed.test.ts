import { describe, expect, test } from '../support/jest.ts';
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { CensusTaker } from '../../activities/kubernetes/census.ts';
import type { ExecResult } from '../../activities/kubernetes/exec.ts';
import type { PodContainer } from '../../activities/kubernetes/pods.ts';
import { look } from '../../activities/kubernetes/look.ts';
import { Snapshot } from '../../activities/kubernetes/snapshot.ts';
import type { Readers } from '../../domain/cluster/cluster.ts';
import { judgeRollout } from '../../domain/cluster/possession.ts';
import { aListedPod, NEW, piecesOf, RUNS, someReaders } from '../support/builders.ts';

const env = [
  {
    name: 'PUBLISHING_API_BEARER_TOKEN',
    valueFrom: { secretKeyRef: { name: someReaders().secret, key: 'bearer_token' } },
  },
];

describe('a container that dies of being asked', () => {
  test.each([
    ['has ended, and is not started again yet', { terminated: { exitCode: 137 } }],
    ['is kept from starting again for a while', { waiting: { reason: 'CrashLoopBackOff' } }],
  ])('is told where it %s: its status still has the id of before', async (_what, later) => {
    const states: V1ContainerState[] = [RUNS]; // its id stays until it is started again
    let execs = 0;
    const census = new CensusTaker({
      exec: () => {
        execs++;
        states.push(later);
        return Promise.resolve({ kind: 'exited', code: 137 });
      },
    });
    const cluster = {
      snapshot: () =>
        Promise.resolve(
          new Snapshot(
            '2026-09-01T12:00:00.000Z',
            [],
            [aListedPod('legacy-1', env, states.at(-1))],
            [],
          ),
        ),
    };
    await expect(
      look(cluster, census, someReaders(), undefined, () => Promise.resolve()),
    ).rejects.toMatchObject({ type: 'ContainerEnded' });
    expect(execs).toBe(1);
  });
});

describe('a container whose programs end early', () => {
  const container = {
    workload: 'Deployment/app',
    container: 'app',
    pod: 'app-1',
    state: 'running',
    ready: true,
    terminating: false,
    spec: { name: 'app' },
    sources: [],
    containerId: 'containerd://1',
    node: 'node-1',
  } satisfies PodContainer;
  const NO_PROGRAM = { kind: 'no-such-program' } as const;
  const holdsNothing = (): ExecResult => ({
    kind: 'answered',
    lines: ['environment integration'],
  });

  test.each([
    ['its shell found no free process, and it has no Ruby', 121, NO_PROGRAM, 'asked again'],
    ['its Ruby ended, too', 121, { kind: 'exited', code: 1 } as const, 'asked again'],
    ['its shell lacks a program, and it has no Ruby', 120, NO_PROGRAM, 'never asked again'],
  ])('is asked again only where that may pass: %s', async (_why, code, byRuby, then) => {
    const answers: ExecResult[] = [{ kind: 'exited', code }, byRuby];
    const census = new CensusTaker({
      exec: () => Promise.resolve(answers.shift() ?? holdsNothing()),
    });
    expect(await census.ask(container)).toMatchObject({ unable: expect.any(String) });
    const again = await census.ask(container);
    expect('held' in (again as object) ? 'asked again' : 'never asked again').toBe(then);
  });
});

test.each([['by this look'], ['by the look of another pair, a moment ago']])(
  'a container that was started again in its pod while it was asked, %s, does not show that the Secret had the token when it started first',
  async (by) => {
    const census = new CensusTaker({
      exec: ({ pod }) => {
        if (pod === 'mute-1') return Promise.resolve({ kind: 'no-such-program' });
        const { sha256, maskedSha256 } = piecesOf(NEW); // it tells what it holds now
        const token = `token ${sha256} ${maskedSha256} PUBLISHING_API_BEARER_TOKEN`;
        return Promise.resolve({ kind: 'answered', lines: [token, 'environment integration'] });
      },
    });
    const started = (name: string, id: string, at: string): V1Pod => {
      const pod = aListedPod(name, env, { running: { startedAt: new Date(`2026-09-01T${at}Z`) } });
      pod.status!.containerStatuses![0]!.containerID = id;
      return pod;
    };
    let isListed = false; // its status follows
    const pods = (): V1Pod[] => [
      isListed ? started('app-1', 'b', '12:00:00') : started('app-1', 'a', '00:00:00'),
      started('mute-1', 'c', '06:00:00'),
    ];
    const cluster = {
      snapshot: () => Promise.resolve(new Snapshot(new Date().toISOString(), [], pods(), [])),
    };
    const seenFor = (readers: Readers) =>
      look(cluster, census, readers, undefined, () => Promise.resolve((isListed = true)));
    if (by !== 'by this look') await seenFor(someReaders({ secret: 'signon-token-a-b' }));
    expect(isListed).toBe(false);
    const seen = await seenFor(someReaders({ holding: [NEW] }));
    expect(judgeRollout(seen, NEW, undefined)).toMatchObject({
      kind: 'incomplete',
      containers: [{ pod: 'mute-1' }],
    });
  },
);
