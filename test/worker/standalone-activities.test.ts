import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
  await stage.worker();
});
afterAll(() => stage.strike());

const PAIR = {
  apiUser: { id: 1, name: 'Short url manager', email: 'short-url-manager@alphagov.co.uk' },
  application: { id: 1, name: 'Publishing API' },
};
const NOT_AFTER = '2099-01-01T00:00:00Z';

test.each([
  ['findPair', { environment: 'integration' }],
  ['createToken', { pair: PAIR, before: [] }],
  ['revokeToken', { pair: PAIR, token: {}, notAfter: NOT_AFTER }],
  ['restartDeployments', { deployments: ['Deployment/short-url-manager'], at: NOT_AFTER }],
])('an activity that no workflow scheduled is refused: %s', async (type, input) => {
  const started = stage.client.activity.execute(type, {
    id: `by-hand-${type}`,
    taskQueue: 'signon-rotation-integration',
    startToCloseTimeout: '10 seconds',
    args: [input],
  });
  await expect(started).rejects.toMatchObject({
    cause: { type: 'NotPermitted', message: `${type} runs only inside a workflow` },
  });
});
