import type { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { inPod, tokenVariablesOf } from '../../activities/kubernetes/consumers.ts';
import { ask } from '../../activities/kubernetes/look.ts';
import { READ_SECRETS, RESTART, RIGHTS } from '../../activities/kubernetes/rights.ts';
import { digestWithRuby } from '../../activities/kubernetes/scripts.ts';
import { describeContainer, type ConsumingContainer } from '../../domain/cluster.ts';
import { allNotChecked, examined, guarded, notChecked, reasonOf, well, wrong, type Finding } from './finding.ts';

export const KUBERNETES_CHECKS = [
  'Kubernetes rights',
  'Kubernetes Secrets',
  'restarts',
  'same cluster',
  'exec',
  'environment of pods',
  'Ruby in pods',
] as const;
const [RIGHTS_CHECK, SECRETS, RESTARTS, SAME, EXEC, ENVIRONMENT, RUBY] = KUBERNETES_CHECKS;

const ROLE = 'Apply deploy/kubernetes/role.yaml.';

/** Whether the cluster is Argo CD's, and the worker may do there what rotations do. @param cronJob as Argo CD shows it */
export async function examineKubernetes(
  kubernetes: KubernetesClient,
  environment: string,
  cronJob: { name: string; uid?: string } | undefined,
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
    cronJob ? await sameCluster(kubernetes, cronJob) : notChecked(SAME, 'Argo CD shows no sync CronJob to compare'),
    ...(await insidePods(kubernetes, environment)),
  ];
}

/** More than is needed is nothing wrong, and worth a word. */
async function secrets(kubernetes: KubernetesClient): Promise<Finding> {
  const may = await Promise.all(READ_SECRETS.map((right) => kubernetes.may(right)));
  return may.includes(true)
    ? notChecked(SECRETS, 'this account may read Secrets, which no rotation does', `For less: ${ROLE}`)
    : well(SECRETS, 'it may not read them, and need not');
}

async function restarts(kubernetes: KubernetesClient): Promise<Finding> {
  return (await kubernetes.may(RESTART))
    ? well(RESTARTS, 'it may restart Deployments')
    : notChecked(
        RESTARTS,
        'it may not restart Deployments: retry --restart is refused',
        'Where that is wanted, see role.yaml.',
      );
}

async function sameCluster(
  kubernetes: KubernetesClient,
  { name, uid }: { name: string; uid?: string },
): Promise<Finding> {
  const todo = 'Stop: ARGOCD_URL and KUBECONFIG lead to two clusters. Correct them.';
  try {
    const here = await kubernetes.cronJobUid(name);
    if (here !== undefined && here === uid) return well(SAME, `Argo CD and Kubernetes show the same ${name}`);
    return wrong(
      SAME,
      `${name} has uid ${uid ?? 'none'} in Argo CD, and ${here ?? 'is not there'} in Kubernetes`,
      todo,
    );
  } catch (error) {
    return notChecked(SAME, reasonOf(error), ROLE);
  }
}

/** Asks one container of the namespace, as rotations ask all: its variables' digests, and its environment. */
async function insidePods(kubernetes: KubernetesClient, environment: string): Promise<Finding[]> {
  const unasked = (why: string): Finding[] => allNotChecked([ENVIRONMENT, RUBY], why);
  let container: ConsumingContainer | undefined;
  try {
    container = await someReader(kubernetes);
  } catch (error) {
    return [wrong(EXEC, reasonOf(error), ROLE), ...unasked('no container was asked')];
  }
  if (!container)
    return [notChecked(EXEC, 'no running container reads a token'), ...unasked('no running container reads a token')];
  const who = describeContainer(container);
  const target = container;
  let seen: string | undefined;
  const exec = await examined(EXEC, ROLE, async () => {
    const answer = await ask(kubernetes, target);
    if (answer !== 'gone' && 'environment' in answer) seen = answer.environment;
    return `${who} was asked`;
  });
  if (exec.verdict === 'wrong') return [exec, ...unasked('no container was asked')];
  if (seen === undefined)
    return [wrong(EXEC, `${who} did not tell what it holds`, 'Look at the pod.'), ...unasked('no container told')];
  const inEnvironment =
    seen === environment
      ? well(ENVIRONMENT, `GOVUK_ENVIRONMENT is ${environment}`)
      : wrong(
          ENVIRONMENT,
          `${who} has GOVUK_ENVIRONMENT “${seen}”, and this is to be ${environment}`,
          'Stop: these are the pods of another environment. Check KUBECONFIG and KUBERNETES_NAMESPACE.',
        );
  return [exec, inEnvironment, await ruby(kubernetes, target)];
}

async function ruby(kubernetes: KubernetesClient, container: ConsumingContainer): Promise<Finding> {
  const who = describeContainer(container);
  try {
    const { kind } = await kubernetes.exec(container, digestWithRuby([container.variable]));
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

/** A ready container with a variable that holds a token of some pair. */
async function someReader(kubernetes: KubernetesClient): Promise<ConsumingContainer | undefined> {
  const { pods } = await kubernetes.snapshot();
  for (const template of pods) {
    const ready = inPod(template.pod, tokenVariablesOf(template)).find((one) => one.ready && !one.terminating);
    if (ready) return ready;
  }
  return undefined;
}
