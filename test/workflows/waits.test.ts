import { expect, test } from '../support/jest.ts';
import { rotationId } from '../../domain/request/request.ts';
import { gate } from '../support/gate.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import type { Status } from '../support/request.ts';
import { until } from '../support/until.ts';

const { rotating } = useTimeSkipping();

test('a rollout that is waited for holds up no act, even where a worker does one act at a time', () => {
  const waiting = gate();
  return rotating(
    async (rotation) => {
      const { client, handle, systems } = rotation;
      await waiting.reached;
      const { taskQueue } = await handle.describe();
      const request = { ...(await rotation.status()).request, application: 'another' };
      const beside = await client.workflow.start('rotateToken', {
        workflowId: rotationId(request),
        taskQueue,
        args: [request],
      });
      await until('the other to ask for approval', async () => {
        const { waiting: person } = await beside.query<Status>('status');
        return person?.kind === 'approval' || undefined;
      });
      expect(systems.calls.filter((call) => call === 'awaitRollout')).toHaveLength(2);
      expect((await rotation.status()).steps.find(({ state }) => state === 'now')?.name).toBe(
        'roll out',
      );
      waiting.open();
      await beside.terminate();
    },
    {
      actsAtOnce: 1,
      prepare: (systems) => {
        let first = true;
        systems.onCall = (activity) => {
          if (activity !== 'awaitRollout' || !first) return undefined;
          first = false;
          return waiting.stop();
        };
      },
    },
  );
});
