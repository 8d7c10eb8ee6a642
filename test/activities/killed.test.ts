import { describe, expect, test } from '../support/jest.ts';
import { CensusTaker } from '../../activities/kubernetes/census.ts';
import { look } from '../../activities/kubernetes/look.ts';
import { Snapshot } from '../../activities/kubernetes/snapshot.ts';
import { someReaders } from '../support/builders.ts';

describe('a container that dies of being asked', () => {
  const spec = {
    containers: [
      {
        name: 'app',
        env: [
          {
            name: 'PUBLISHING_API_BEARER_TOKEN',
            valueFrom: { secretKeyRef: { name: someReaders().secret, key: 'bearer_token' } },
          },
        ],
      },
    ],
  };
  /** The pod; its container keeps its id until it is started again. */
  const podWith = (state: object) => ({
    metadata: { name: 'legacy-1' },
    spec,
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'app',
          image: '',
          imageID: '',
          restartCount: 0,
          ready: true,
          containerID: 'containerd://1',
          state,
        },
      ],
    },
  });
  const RUNS = { running: { startedAt: new Date('2026-09-01T00:00:00Z') } };

  test.each([
    ['has ended, and is not started again yet', { terminated: { exitCode: 137 } }],
    ['is kept from starting again for a while', { waiting: { reason: 'CrashLoopBackOff' } }],
  ])('is told where it %s: its status still has the id of before', async (_what, later) => {
    const states: object[] = [RUNS];
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
          new Snapshot('2026-09-01T12:00:00.000Z', [], [podWith(states.at(-1)!)], []),
        ),
    };
    await expect(
      look(cluster, census, someReaders(), undefined, () => Promise.resolve()),
    ).rejects.toMatchObject({ type: 'ContainerEnded' });
    expect(execs).toBe(1);
  });
});
