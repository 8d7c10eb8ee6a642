import type { SyncCronJob } from '../activities/argo/interface.ts';
import type { KubernetesClient } from '../activities/kubernetes/client.ts';
import { CensusTaker, type ExecAnswer } from '../activities/kubernetes/census.ts';
import { isPairs, pairSecretsOf } from '../activities/kubernetes/consumers.ts';
import { type PodContainer } from '../activities/kubernetes/pods.ts';
import { READ_SECRETS, RESTART, RIGHTS } from '../activities/kubernetes/rights.ts';
import { censusWithRuby } from '../activities/kubernetes/scripts.ts';
import { describeContainer } from '../domain/cluster/index.ts';
import {
  allNotChecked,
  guarded,
  notChecked,
  reasonOf,
  well,
  wrong,
  type Finding,
} from './finding.ts';

export const KUBERNETES_CHECKS = [
  'Kubernetes rights',
  'Kubernetes Secrets',
  'restarts',
  'readers',
  'same cluster',
  'exec',
  'exec policy',
  'environment of pods',
  'Ruby in pods',
] as const;
const [RIGHTS_CHECK, SECRETS, RESTARTS, READERS, SAME, EXEC, POLICY, ENVIRONMENT, RUBY] =
  KUBERNETES_CHECKS;

const ROLE = 'Apply deploy/kubernetes/role.yaml.';

/**
 * Whether the cluster is Argo CD's, and the worker may do there what rotations do.
 * @param cronJob as Argo CD shows it
 */
export async function examineKubernetes(
  kubernetes: KubernetesClient,
  environment: string,
  cronJob: SyncCronJob | undefined,
): Promise<Finding[]> {
  let missing: string[];
  try {
    const may = await Promise.all(RIGHTS.map((right) => kubernetes.may(right)));
    missing = RIGHTS.filter((_, at) => !may[at]).map(({ resource, verb }) => `${verb} ${resource}`);
  } catch (error) {
    const [, ...rest] = KUBERNETES_CHECKS;
    return [
      wrong(RIGHTS_CHECK, reasonOf(error), 'Check KUBECONFIG, or the pod’s service account.'),
      ...allNotChecked(rest, 'the cluster does not answer this account'),
    ];
  }
  return [
    missing.length === 0
      ? well(RIGHTS_CHECK, 'all that a rotation needs')
      : wrong(RIGHTS_CHECK, `it may not ${missing.join(', ')}`, ROLE),
    ...(await guarded(SECRETS, async () => [await secrets(kubernetes)])),
    ...(await guarded(RESTARTS, async () => [await restarts(kubernetes)])),
    ...(await guarded(READERS, async () => [await readers(kubernetes)])),
    cronJob
      ? await sameCluster(kubernetes, cronJob)
      : notChecked(SAME, 'Argo CD shows no sync CronJob to compare'),
    ...(await insidePods(kubernetes, environment)),
  ];
}

/** Reports a right to read Secrets: not wrong, but not needed. */
async function secrets(kubernetes: KubernetesClient): Promise<Finding> {
  const may = await Promise.all(READ_SECRETS.map((right) => kubernetes.may(right)));
  return may.includes(true)
    ? notChecked(
        SECRETS,
        'this account may read Secrets, which no rotation does',
        `For less: ${ROLE}`,
      )
    : well(SECRETS, 'this account may not read them; no rotation needs to');
}

async function restarts(kubernetes: KubernetesClient): Promise<Finding> {
  return (await kubernetes.may(RESTART))
    ? well(RESTARTS, 'it may restart Deployments')
    : notChecked(
        RESTARTS,
        'it may not restart Deployments: retry offers no restart',
        'Where that is wanted, see role.yaml.',
      );
}

/**
 * Which kinds of workloads read a token, by their templates and by what runs now: Jobs and
 * Workflows are there only while they run.
 */
async function readers(kubernetes: KubernetesClient): Promise<Finding> {
  const { specs } = await kubernetes.snapshot();
  const reading = specs
    .filter((template) => pairSecretsOf(template).length > 0)
    .map(({ workload }) => workload);
  const counts = new Map<string, number>();
  for (const workload of new Set(reading)) {
    const [kind = ''] = workload.split('/');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const kinds = [...counts].map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`);
  return well(
    READERS,
    kinds.length > 0 ? `read a token: ${kinds.toSorted().join(', ')}` : 'nothing reads a token',
  );
}

async function sameCluster(
  kubernetes: KubernetesClient,
  { name, uid }: SyncCronJob,
): Promise<Finding> {
  const todo = 'Stop: ARGOCD_URL and KUBECONFIG lead to two clusters. Correct them.';
  try {
    const here = await kubernetes.cronJobUid(name);
    if (here === uid) return well(SAME, `Argo CD and Kubernetes show the same ${name}`);
    return wrong(
      SAME,
      `${name} has uid ${uid} in Argo CD, and ${here ?? 'is not there'} in Kubernetes`,
      todo,
    );
  } catch (error) {
    return notChecked(SAME, reasonOf(error), ROLE);
  }
}

/**
 * Asks one container of the namespace, as rotations ask all: its variables' digests, and its
 * environment.
 */
async function insidePods(kubernetes: KubernetesClient, environment: string): Promise<Finding[]> {
  const inside = [POLICY, ENVIRONMENT, RUBY];
  let container: PodContainer | undefined;
  let answer: ExecAnswer;
  try {
    container = await someReader(kubernetes);
    if (!container) return allNotChecked([EXEC, ...inside], 'no running container reads a token');
    answer = await new CensusTaker(kubernetes).ask(container);
  } catch (error) {
    return [wrong(EXEC, reasonOf(error), ROLE), ...allNotChecked(inside, 'no container was asked')];
  }
  const who = describeContainer(container);
  if (typeof answer === 'string' || !('environment' in answer))
    return [
      wrong(EXEC, `${who} did not tell what it holds`, 'Look at the pod.'),
      ...allNotChecked(inside, 'no container told'),
    ];
  const seen = answer.environment;
  const inEnvironment =
    seen === environment
      ? well(ENVIRONMENT, `GOVUK_ENVIRONMENT is ${environment}`)
      : wrong(
          ENVIRONMENT,
          `${who} has GOVUK_ENVIRONMENT “${seen}”, and this is to be ${environment}`,
          'Stop: these are the pods of another environment. Check KUBECONFIG and KUBERNETES_NAMESPACE.',
        );
  return [
    well(EXEC, `${who} was asked`),
    await policy(kubernetes, container),
    inEnvironment,
    await ruby(kubernetes, container),
  ];
}

/** A program that does nothing, and is none of ours: a policy for exec refuses it. */
const HARMLESS = ['true'];

/** Whether the worker's credentials can do more in a container than its own programs do. */
async function policy(kubernetes: KubernetesClient, container: PodContainer): Promise<Finding> {
  try {
    const { kind } = await kubernetes.exec(container, HARMLESS);
    if (kind === 'gone' || kind === 'timed-out')
      return notChecked(POLICY, `${describeContainer(container)} did not answer`);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason.includes(' with 422'))
      return well(POLICY, 'only the worker’s own programs may run in containers');
    if (!reason.includes('lacks its end')) return notChecked(POLICY, reason);
  }
  return notChecked(
    POLICY,
    'none is in force: this account may run any program in any container of the namespace',
    'Apply deploy/kubernetes/exec-policy.yaml.',
  );
}

async function ruby(kubernetes: KubernetesClient, container: PodContainer): Promise<Finding> {
  const who = describeContainer(container);
  try {
    const { kind } = await kubernetes.exec(container, censusWithRuby);
    if (kind === 'answered') return well(RUBY, `${who} has it`);
    if (kind === 'no-such-program')
      return notChecked(
        RUBY,
        `${who} has none: its smoke calls cannot be made`,
        'Its approver accepts not-smoke-tested.',
      );
    return notChecked(RUBY, `${who} did not answer`);
  } catch (error) {
    return notChecked(RUBY, reasonOf(error));
  }
}

async function someReader(kubernetes: KubernetesClient): Promise<PodContainer | undefined> {
  const snapshot = await kubernetes.snapshot();
  return snapshot.containers.find(
    (one) => one.ready && !one.terminating && one.sources.some(({ secret }) => isPairs(secret)),
  );
}
