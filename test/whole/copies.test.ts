import { afterAll, afterEach, beforeAll, expect, test } from '../support/jest.ts';
import type { ContainerSpec, WorkloadState } from '../../sandbox/world-state.ts';
import { makeUid } from '../../sandbox/world.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

const VARIABLE = 'PUBLISHING_API_BEARER_TOKEN';
const SECRET = 'signon-token-short-url-manager-publishing-api';
const OLD_NAME = 'signon-token-url-shortener-publishing-api';
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set({}, { rolloutLimit: '1 second' });
  await stage.worker();
});
afterAll(() => stage.strike());
afterEach(() => {
  const { state } = stage.sandbox.world;
  state.workloads = state.workloads.filter(({ name }) => name !== 'legacy');
  state.pods = state.pods.filter(({ workload }) => workload !== 'legacy');
});

const oldest = (): string => stage.tokens()[0]!.token;
const deploy = (container: Partial<ContainerSpec>, more: Partial<WorkloadState> = {}): void =>
  stage.sandbox.cluster.deploy({
    kind: 'Deployment',
    name: 'legacy',
    uid: makeUid(),
    replicas: 1,
    generation: 1,
    containers: [{ name: 'app', tokens: [], ruby: true, ...container }],
    ...more,
  });
const inSecret = (secret: string, value: string): void => {
  stage.sandbox.world.state.secrets[secret] = value;
};

test.each<[how: string, arrange: () => void]>([
  [
    'reads a Secret under an older name of the API user',
    () => {
      inSecret(OLD_NAME, oldest());
      deploy({ tokens: [{ variable: VARIABLE, secret: OLD_NAME }] });
    },
  ],
  [
    'is of an older template of a workload that reads the Secret now, with the token as a literal',
    () => {
      deploy({ literals: { [VARIABLE]: oldest() } });
      stage.sandbox.cluster.retemplate('legacy', [
        { name: 'app', ruby: true, tokens: [{ variable: VARIABLE, secret: SECRET }] },
      ]);
    },
  ],
  [
    'takes all of a Secret as variables',
    () => {
      inSecret('by-hand', oldest());
      deploy({ whole: { secret: 'by-hand', prefix: 'API_' } });
    },
  ],
  [
    'has the token with a line break after it',
    () => {
      inSecret('by-hand', `${oldest()}\n`);
      deploy({ tokens: [{ variable: 'UPSTREAM', secret: 'by-hand' }] });
    },
  ],
  [
    'has the token with “Bearer” before it',
    () => {
      inSecret('by-hand', `Bearer ${oldest()}`);
      deploy({ tokens: [{ variable: 'AUTHORIZATION', secret: 'by-hand' }] });
    },
  ],
])(
  'no token is revoked under a container that %s: the rotation blocks and names it',
  async (_how, arrange) => {
    arrange();
    const { happened } = stage.sandbox.world;
    const calls = happened.trafficCalls;
    await until('calls by every container', () => happened.trafficCalls > calls + 20);
    const rotation = await stage.rotation();
    const { message } = await rotation.blocked('RolloutIncomplete');
    expect(message).toMatch(/app in legacy-\S+ holds \S{17} \(authorisation \d+\)/);
    await rotation.send('abort', { reason: 'seen' });
    expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [] });
    await until('calls after it', () => happened.trafficCalls > calls + 60);
    expect(happened.outages).toEqual([]);
  },
);

test('no token of a disused pair is revoked while a CronJob between two runs reads it under an older name', async () => {
  const email = 'gone@alphagov.co.uk';
  const { token } = stage.addApiUser('Renamed', email);
  inSecret('signon-token-before-it-was-renamed', token);
  deploy(
    {
      name: 'task',
      tokens: [{ variable: VARIABLE, secret: 'signon-token-before-it-was-renamed' }],
    },
    { kind: 'CronJob', replicas: 0 },
  );
  const rotation = await stage.rotation({ apiUser: email });
  const { waiting } = await rotation.awaitingApproval();
  expect(waiting).toMatchObject({
    evidence: {
      consumers: [{ workload: 'CronJob/legacy', variable: VARIABLE, pods: [] }],
      shortfalls: [{ code: 'no-pod-seen' }],
    },
  });
  await rotation.send('abort', { reason: 'seen' });
  expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [] });
});
