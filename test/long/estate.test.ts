import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { Stage } from '../support/stage.ts';

const WITHOUT_WEB = {
  apiUser: 'email-alert-service@alphagov.co.uk',
  application: 'email-alert-api',
};
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set(
    {
      terminationMs: 150,
      signonLimit: { requests: 5, everyMs: 1500, retryAfterS: 1 },
      unauthorized: { everyMs: 5000, forMs: 300 },
    },
    {},
    { also: [['email-alert-service', 'email-alert-api']], estate: true },
  );
  await stage.worker();
});
afterAll(() => stage.strike());

test('rotations end well though Signon’s load balancer answers 429, and Argo CD and Kubernetes answer 401 for a moment now and then', async () => {
  const rotations = [await stage.rotation(), await stage.rotation(WITHOUT_WEB)];
  await Promise.all(rotations.map((rotation) => rotation.awaitingApproval()));

  const withoutWeb = await rotations[1]!.status();
  expect(withoutWeb?.waiting).toMatchObject({
    evidence: {
      consumers: [
        {
          workload: 'Deployment/email-alert-service-worker',
          container: 'email-alert-service',
          running: 2,
          smoke: 'passed',
        },
      ],
      shortfalls: [],
    },
  });

  await Promise.all(rotations.map((rotation) => rotation.approve()));
  const reports = await Promise.all(rotations.map((rotation) => rotation.report()));
  expect(reports).toMatchObject([1, 2].map(() => ({ outcome: 'rotated', createsLost: false })));
  expect(stage.tokens().filter(({ revokedAt }) => revokedAt === undefined)).toHaveLength(1);
  const { signon, kubernetes } = stage.sandbox;
  expect([signon, kubernetes].map(({ faults }) => faults.hits > 0)).toEqual([true, true]);
});
