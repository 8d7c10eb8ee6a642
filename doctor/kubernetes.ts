import type { SyncCronJob } from '../activities/argo/interface.ts';
import type { KubernetesClient } from '../activities/kubernetes/client.ts';
import { CensusTaker, type ExecAnswer } from '../activities/kubernetes/census.ts';
import { isPairs, pairSecretsOf } from '../activities/kubernetes/consumers.ts';
import { type PodContainer } from '../activities/kubernetes/pods.ts';
import { READ_SECRETS, RESTART, RIGHTS } from '../activities/kubernetes/rights.ts';
import { censusWithRuby, smokeWithRuby, textOf } from '../activities/kubernetes/scripts.ts';
import { describeContainer } from '../domain/cluster/index.ts';
import { countBy } from '../domain/inventory/index.ts';
import type { Settings } from '../domain/settings/index.ts';
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
const APPLY_POLICY =
  'Apply what this prints, with the worker’s settings: npx signon-rotation-doctor --exec-policy';

/**
 * Whether the cluster is Argo CD's, and the worker may do there what rotations do.
 * @param cronJob as Argo CD shows it
 * @param smokeCalls of the settings
 */
export async function examineKubernetes(
  kubernetes: KubernetesClient,
  environment: string,
  cronJob: SyncCronJob | undefined,
  smokeCalls: Settings['smokeCalls'],
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
    ...(await insidePods(kubernetes, environment, smokeCalls)),
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
    : well(SECRETS, 'no access to Secrets (as intended)');
}

async function restarts(kubernetes: KubernetesClient): Promise<Finding> {
  return (await kubernetes.may(RESTART))
    ? well(RESTARTS, 'the worker may restart Deployments')
    : notChecked(
        RESTARTS,
        'the worker may not restart Deployments, so retry offers no restart',
        'To offer it, uncomment the patch rule in deploy/kubernetes/role.yaml and apply it.',
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
  const counts = countBy([...new Set(reading)].map((workload) => workload.split('/')[0]));
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
  const todo =
    'ARGOCD_URL and KUBECONFIG lead to two clusters. Correct them before a worker starts.';
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
async function insidePods(
  kubernetes: KubernetesClient,
  environment: string,
  smokeCalls: Settings['smokeCalls'],
): Promise<Finding[]> {
  const inside = [POLICY, ENVIRONMENT, RUBY];
  let container: PodContainer | undefined;
  let answer: ExecAnswer;
  try {
    container = await someReader(kubernetes);
    if (!container) return allNotChecked([EXEC, ...inside], 'no running container reads a token');
    answer = await new CensusTaker(kubernetes).ask(container);
  } catch (error) {
    const todo = isRefusedByPolicy(error) ? APPLY_POLICY : ROLE;
    return [wrong(EXEC, reasonOf(error), todo), ...allNotChecked(inside, 'no container was asked')];
  }
  const who = describeContainer(container);
  if (!('environment' in answer))
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
          `${who} has GOVUK_ENVIRONMENT “${seen}”, but the worker is for ${environment}`,
          'These pods are of another environment. Correct KUBECONFIG or KUBERNETES_NAMESPACE before a worker starts.',
        );
  return [
    well(EXEC, `${who} was asked`),
    await policy(kubernetes, container, smokeCalls),
    inEnvironment,
    await ruby(kubernetes, container),
  ];
}

/** A program that does nothing, and is none of ours: a policy for exec refuses it. */
const HARMLESS = ['true'];

/** Whether the worker's credentials can do more in a container than its own programs do. */
async function policy(
  kubernetes: KubernetesClient,
  container: PodContainer,
  smokeCalls: Settings['smokeCalls'],
): Promise<Finding> {
  try {
    const { kind } = await kubernetes.exec(container, HARMLESS);
    if (kind === 'gone' || kind === 'timed-out')
      return notChecked(POLICY, `${describeContainer(container)} did not answer`);
  } catch (error) {
    if (isRefusedByPolicy(error)) {
      const refused = await refusedCalls(kubernetes, container, smokeCalls);
      return refused.length === 0
        ? well(POLICY, 'only the worker’s own programs may run in containers')
        : wrong(
            POLICY,
            `it refuses the settings’ smoke calls of ${refused.join(', ')}`,
            APPLY_POLICY,
          );
    }
    const reason = reasonOf(error);
    if (!reason.includes('lacks its end')) return notChecked(POLICY, reason);
  }
  return notChecked(
    POLICY,
    'none is in force: this account may run any program in any container of the namespace',
    'Apply deploy/kubernetes/exec-policy.yaml.',
  );
}

/** A name that no pod has. */
const NO_POD = 'signon-rotation-doctor-asks';

/**
 * The applications whose smoke calls the policy refuses. Runs none of them: the policy is asked
 * before the pod is looked up.
 */
async function refusedCalls(
  kubernetes: KubernetesClient,
  container: PodContainer,
  smokeCalls: Settings['smokeCalls'],
): Promise<string[]> {
  const refused: string[] = [];
  for (const [application, call] of Object.entries(smokeCalls)) {
    const command = smokeWithRuby(textOf(call), application, 'A_BEARER_TOKEN');
    await kubernetes.exec({ ...container, pod: NO_POD }, command).catch((error: unknown) => {
      if (isRefusedByPolicy(error)) refused.push(application);
    });
  }
  return refused;
}

function isRefusedByPolicy(error: unknown): boolean {
  return reasonOf(error).includes(' with 422');
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
        'When you approve, accept not-smoke-tested for it.',
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
