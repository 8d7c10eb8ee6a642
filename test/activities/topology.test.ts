import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { createKubernetesActivities } from '../../activities/kubernetes/create-activities.ts';
import type { ClusterLook, Consumer } from '../../domain/cluster/cluster.ts';
import type { Readings } from '../../domain/inventory/inventory.ts';
import { isNamedAfter, parameterize } from '../../domain/text/parameterize.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { readTopology, seedWorld } from '../../sandbox/seed.ts';

const TOPOLOGY = readTopology();
const SECRETS = [...new Set(TOPOLOGY.map(({ secret }) => secret))];

let sandbox: Sandbox;
let kubernetes: ReturnType<typeof createKubernetesActivities>;
beforeAll(async () => {
  sandbox = await Sandbox.start(seedWorld(), IMMEDIATE);
  const config = new KubeConfig();
  config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
  const waits = { everyMs: 50, draining: new AbortController().signal };
  kubernetes = createKubernetesActivities(new KubernetesClient(config, 'apps', 5000), waits);
});
afterAll(() => sandbox.stop());

/** Who reads a Secret, from the topology alone. */
function readersOf(secret: string): Consumer[] {
  return TOPOLOGY.filter((reading) => reading.secret === secret).flatMap(
    ({ application, envVar: variable, hasWorkerDeployment, cronTasks }) => [
      { workload: `Deployment/${application}` as const, container: 'app', variable },
      ...(hasWorkerDeployment
        ? [{ workload: `Deployment/${application}-worker` as const, container: 'worker', variable }]
        : []),
      ...Array.from({ length: cronTasks }, (_, task) => ({
        workload: `CronJob/${application}-task-${task + 1}` as const,
        container: 'cron-task',
        variable,
      })),
    ],
  );
}

const inOrder = (consumers: Consumer[]): string[] =>
  consumers
    .map(({ workload, container, variable }) => `${workload} ${container} ${variable}`)
    .toSorted();

test('the topology is GOV.UK’s: 33 applications read 62 Secrets in 71 readings', () => {
  const applications = new Set(TOPOLOGY.map(({ application }) => application));
  expect([applications.size, SECRETS.length, TOPOLOGY.length]).toEqual([33, 62, 71]);
});

test.each(SECRETS)(
  'every reader of %s is found, twins, workers and CronJobs included, and no other',
  async (secret) => {
    const look: ClusterLook = await new MockActivityEnvironment().run(() =>
      kubernetes.lookAtConsumers({ secret, holding: [], also: [], ofOtherPairs: [...SECRETS] }),
    );
    expect(inOrder(look.consumers)).toEqual(inOrder(readersOf(secret)));
    expect(look.mountedBy).toEqual([]);
    for (const container of look.containers)
      expect(container).toMatchObject({ state: 'running', environment: 'integration' });
  },
);

test('all readings are listed at once for an inventory, each Secret’s as a rotation finds them', async () => {
  const { variables, files }: Readings = await new MockActivityEnvironment().run(() =>
    kubernetes.listReadings(),
  );
  expect(files).toEqual([]);
  expect(new Set(variables.map(({ secret }) => secret))).toEqual(new Set(SECRETS));
  for (const secret of SECRETS)
    expect(inOrder(variables.filter((reading) => reading.secret === secret))).toEqual(
      inOrder(readersOf(secret)),
    );
});

test('the variables that mislead are pointed out, and no other', () => {
  const { apiUsers, applications } = sandbox.world.state;
  const odd = TOPOLOGY.filter(({ secret, envVar }) => {
    const [server] = applications
      .filter(({ name }) =>
        apiUsers.some((user) => parameterize(`signon-token-${user.name}-${name}`) === secret),
      )
      .map(({ name }) => name);
    return !isNamedAfter(envVar, server!);
  });
  expect(odd.map(({ application, envVar }) => `${application} ${envVar}`)).toEqual([
    'draft-finder-frontend PUBLISHING_API_BEARER_TOKEN',
    'whitehall-admin RUMMAGER_BEARER_TOKEN',
  ]);
});
