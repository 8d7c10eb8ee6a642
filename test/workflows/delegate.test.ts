import { expect, test } from '../support/jest.ts';
import { rotationId } from '../../domain/request/request.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { REQUEST } from '../support/request.ts';

const { rotating } = useTimeSkipping();

test('started under a random id, it hands over to the canonical one and names it', () =>
  rotating(
    async (rotation) => {
      const report = await rotation.report();
      const canonical = rotationId({ ...REQUEST, apiUser: report.apiUser });
      expect(report).toMatchObject({
        outcome: 'delegated',
        why: `the rotation runs as ${canonical}`,
      });
      const child = rotation.client.workflow.getHandle(canonical);
      const { parentExecution, status } = (await child.describe()).raw.workflowExecutionInfo!;
      expect({ parent: parentExecution?.workflowId, status }).toEqual({
        parent: 'a-random-id-1',
        status: 1,
      });
      await child.terminate();
    },
    { workflowId: 'a-random-id-1' },
  ));

test('says so when the canonical one is already open, and starts nothing', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    const { taskQueue } = await rotation.handle.describe();
    const { request } = await rotation.status();
    const report = (await rotation.client.workflow.execute('rotateToken', {
      workflowId: 'a-random-id-2',
      taskQueue,
      args: [{ ...request, apiUser: request.apiUser.toUpperCase(), application: 'Publishing API' }],
    })) as { outcome: string; why: string };
    expect(report).toMatchObject({ outcome: 'delegated' });
    expect(report.why).toContain('was already open');
  }));

test('another environment’s request is refused here, not in the child', () =>
  rotating(
    async (rotation) => {
      expect(await rotation.failure()).toMatchObject({ type: 'InvalidRequest' });
    },
    { workflowId: 'a-random-id-3', request: { environment: 'production' } },
  ));
