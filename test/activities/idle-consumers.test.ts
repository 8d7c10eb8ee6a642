import { expect, test } from '../support/jest.ts';
import type { V1EnvVar, V1Job, V1Pod } from '@kubernetes/client-node';
import { CensusTaker } from '../../activities/kubernetes/census.ts';
import type { Template } from '../../activities/kubernetes/consumers.ts';
import { look } from '../../activities/kubernetes/look.ts';
import { Snapshot } from '../../activities/kubernetes/snapshot.ts';
import type { ClusterLook } from '../../domain/cluster/cluster.ts';
import { aListedPod, someReaders } from '../support/builders.ts';

const READERS = someReaders();
const { secret: SECRET } = READERS;
const specWith = (...env: V1EnvVar[]) => ({ containers: [{ name: 'app', env }] });
const fromSecret = (name: string, variable = 'TOKEN'): V1EnvVar => ({
  name: variable,
  valueFrom: { secretKeyRef: { name, key: 'bearer_token' } },
});
const ANNOTATED: V1EnvVar = {
  name: 'TOKEN',
  valueFrom: { fieldRef: { fieldPath: "metadata.annotations['token']" } },
};

/** A look at a namespace in which every running container holds nothing. */
function lookAt(given: { templates?: Template[]; pods?: V1Pod[]; jobs?: V1Job[] }) {
  const { templates = [], pods = [], jobs = [] } = given;
  const census = new CensusTaker({
    exec: () => Promise.resolve({ kind: 'answered', lines: ['environment integration'] }),
  });
  const snapshot = new Snapshot('2026-09-01T12:00:00.000Z', templates, pods, jobs);
  return look({ snapshot: () => Promise.resolve(snapshot) }, census, READERS);
}
const cronJob = (...env: V1EnvVar[]): Template => ({
  workload: 'CronJob/nightly',
  spec: specWith(...env),
});
const running = (...env: V1EnvVar[]): V1Pod => aListedPod('another-1', env);
const consumersIn = ({ consumers }: ClusterLook): string[] =>
  consumers.map(({ workload, variable }) => `${workload} ${variable}`);

test.each([
  ['is suspended', { suspend: true }],
  ['is to have no pod for now', { parallelism: 0 }],
  ['is managed by somebody else', { managedBy: 'kueue.x-k8s.io/multikueue' }],
])('a Job of its own that %s is a consumer of what it will read', async (_what, more) => {
  const spec = { template: { spec: specWith(fromSecret(SECRET)) }, ...more };
  const metadata = { name: 'once', uid: 'uid-1' };
  expect(consumersIn(await lookAt({ jobs: [{ metadata, spec }] }))).toEqual(['Job/once TOKEN']);
  const status = { conditions: [{ type: 'Complete', status: 'True' }] };
  expect(consumersIn(await lookAt({ jobs: [{ metadata, spec, status }] }))).toEqual([]);
});

test.each([
  [
    'a field of its pod, of which another pod has its own',
    ANNOTATED,
    [ANNOTATED],
    'its pod’s metadata',
  ],
  [
    'a Secret that a running container names, and overrides',
    fromSecret('legacy'),
    [fromSecret('legacy'), { name: 'TOKEN', value: 'x' }],
    'Secret legacy',
  ],
])('what a CronJob will have is not known from %s', async (_what, idle, others, from) => {
  const { census } = await lookAt({ templates: [cronJob(idle)], pods: [running(...others)] });
  expect(census.unasked).toEqual([
    expect.stringMatching(
      new RegExp(`^app of CronJob/nightly does not run with TOKEN from ${from}`),
    ),
  ]);
});

test('what only its last run told of a CronJob is said in the words of a worker that did not see that run', async () => {
  const census = new CensusTaker({
    exec: () => Promise.resolve({ kind: 'answered', lines: ['environment integration'] }),
  });
  const lookBy = (taker: CensusTaker, pods: V1Pod[]) => {
    const snapshot = new Snapshot(
      '2026-09-01T12:00:00.000Z',
      [cronJob(fromSecret('legacy'))],
      pods,
      [],
    );
    return look({ snapshot: () => Promise.resolve(snapshot) }, taker, READERS);
  };
  const run = aListedPod('nightly-1', [fromSecret('legacy')]);
  run.metadata!.ownerReferences = [
    { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'uid-2' },
  ];
  await lookBy(census, [run]);
  const first = (await lookBy(census, [])).census;
  const other = new CensusTaker({ exec: () => Promise.reject(new Error('nothing runs')) });
  const second = (await lookBy(other, [])).census;
  expect(first.unasked).toEqual([]);
  expect(second.unasked).toHaveLength(1);
  expect(first.lastRuns).toEqual(second.unasked);
});

test('a Secret of the sync that a running container told of, and that holds none of the tokens, is named', async () => {
  const pods = [running(fromSecret('signon-token-left-over-retired-app', 'RETIRED'))];
  const { census } = await lookAt({ pods });
  expect(census.withoutToken).toEqual(['signon-token-left-over-retired-app']);
});

test('what a CronJob will have is known from a container that runs with the same Secret', async () => {
  const { census } = await lookAt({
    templates: [cronJob(fromSecret('legacy'))],
    pods: [running(fromSecret('legacy', 'OTHER'))],
  });
  expect(census.unasked).toEqual([]);
});
