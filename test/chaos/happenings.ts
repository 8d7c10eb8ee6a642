import type { Client } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import { tokenSecretName } from '../../domain/text/parameterize.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { pairOf } from '../../sandbox/seed.ts';
import { makeToken, makeUid } from '../../sandbox/world.ts';
import { rotationId } from '../../domain/request/request.ts';
import type { Authorisation, ContainerSpec } from '../../sandbox/world-state.ts';
import type { Fate, Happening } from './fate.ts';
import type { Moments } from './moments.ts';
import type { Register } from './register.ts';
import { syncTokensId } from '../../domain/names/names.ts';

/** How long a CronJob's pod runs. */
const TASK_MS = 500;

/** Where it happens. */
interface Place {
  fate: Fate;
  sandbox: Sandbox;
  register: Register;
  client: Client;
  moments: Moments;
  pairs: readonly { apiUser: string; application: string }[];
  killWorker: () => Promise<void>;
  killTemporal: () => Promise<void>;
}

/** Brings about what happens beside a rotation: each settles once it has run its course. */
export function happenings(ground: Place): (what: Happening) => Promise<unknown> {
  const { sandbox, register } = ground;
  const { world, cluster, argo, kubernetes } = sandbox;
  const [first] = ground.pairs;
  const { user, server } = pairOf(world, first!.apiUser, first!.application);
  const pairsSecret = tokenSecretName(user.name, server.name);
  /** Live tokens of the first pair, oldest first. */
  const live = (): Authorisation[] =>
    world.state.authorisations.filter(
      ({ apiUserId, applicationId, revokedAt, expiresAt }) =>
        apiUserId === user.id &&
        applicationId === server.id &&
        revokedAt === undefined &&
        expiresAt > world.now(),
    );
  const pick = <T>(of: readonly T[], which: number): T | undefined =>
    of[which % Math.max(1, of.length)];
  const deployments = (): string[] =>
    world.state.workloads.filter(({ kind }) => kind === 'Deployment').map(({ name }) => name);
  let joined = 0;

  /** A container with the oldest live token, by another way than the Secret. */
  const deployCopy = async ({
    how,
    follows,
    ms,
  }: Extract<Happening, { kind: 'a copy is deployed' }>): Promise<void> => {
    const name = `copy-${++joined}`;
    const variable = 'UPSTREAM_CREDENTIALS';
    const secret =
      how === 'a Secret under an older name'
        ? tokenSecretName(`renamed ${joined}`, server.name)
        : `by-hand-${joined}`;
    const wrapped = (token: string): string =>
      ({ 'a line break after it': `${token}\n`, 'Bearer before it': `Bearer ${token}` })[
        how as string
      ] ?? token;
    const token = live()[0]?.token;
    if (token === undefined) return;
    world.state.secrets[secret] = wrapped(token);
    const app: ContainerSpec = { name: 'app', ruby: true, tokens: [{ variable, secret }] };
    if (how === 'all of a Secret') Object.assign(app, { tokens: [], whole: { secret } });
    if (how === 'a literal of an older template')
      Object.assign(app, { tokens: [], literals: { [variable]: token } });
    cluster.deploy({
      kind: 'Deployment',
      name,
      uid: makeUid(),
      replicas: 1,
      generation: 1,
      containers: [app],
    });
    if (how === 'a literal of an older template')
      cluster.retemplate(name, [
        { ...app, literals: {}, tokens: [{ variable, secret: pairsSecret }] },
      ]);
    await after(ms);
    if (follows && how !== 'a literal of an older template') {
      world.state.secrets[secret] = wrapped(live().at(-1)?.token ?? token);
      return cluster.roll(name);
    }
    if (follows) return cluster.roll(name);
    world.state.workloads = world.state.workloads.filter((one) => one.name !== name);
    for (const pod of world.state.pods.filter(({ workload }) => workload === name))
      cluster.kill(pod.name);
  };

  return async (what) => {
    switch (what.kind) {
      case 'the worker is killed':
        return ground.killWorker();
      case 'the Temporal server is killed':
        return ground.killTemporal();
      case 'a pod is killed': {
        const pod = pick(
          world.state.pods.filter(({ running }) => running),
          what.which,
        );
        return pod && cluster.kill(pod.name);
      }
      case 'a workload is restarted': {
        const name = pick(deployments(), what.which);
        return name && cluster.roll(name);
      }
      case 'Reloader overlooks': {
        const name = pick(deployments(), what.which);
        return name && world.overlooked.add(name);
      }
      case 'a CronJob runs': {
        const task = pick(
          world.state.workloads.filter(({ kind }) => kind === 'CronJob'),
          what.which,
        );
        return task && cluster.runTask(task.name, TASK_MS);
      }
      case 'Signon renews':
        return register.hand(() => world.renewNightly());
      case 'the sync runs':
        return cluster.createJob(`${world.state.cronJob.name}-${Math.floor(world.now() / 1000)}`);
      case 'ended tokens are deleted':
        return world.deleteExpired();
      case 'the session ends':
        return void world.state.account.sessionEpoch++;
      case 'an engineer issues':
        return register.hand(() => world.issue(user.id, server.id));
      case 'an engineer revokes': {
        const token = live().at(what.which === 'oldest' ? 0 : -1);
        return token && register.hand(() => world.revoke(token.id));
      }
      case 'a token is copied over': {
        const token = pick(live(), what.which);
        return token && register.copyOver(token, makeToken());
      }
      case 'watches are cut':
        return kubernetes.cutWatches();
      case 'watches are gone':
        kubernetes.watchesThatAreGone++;
        return kubernetes.cutWatches();
      case 'a sync fails':
        return void world.sync.fails++;
      case 'a sync writes nothing':
        return void world.sync.writesNothing++;
      case 'v2 is gone':
        argo.withoutV2 = true;
        return undefined;
      case 'Argo CD’s controller is down':
        argo.controllerDown = true;
        await after(what.ms);
        argo.controllerDown = false;
        return undefined;
      case 'Kubernetes is down for Argo CD':
        argo.kubernetesDown = true;
        await after(what.ms);
        argo.kubernetesDown = false;
        return undefined;
      case 'a copy is deployed':
        // Between the last look and a revoke, two minutes at most, nobody looks: what starts then
        // is named in docs/security.md.
        return ground.moments.hasAnybodyActed ? undefined : deployCopy(what);
      case 'a one-off Job runs': {
        const name = pick(deployments(), what.which);
        return name && cluster.runJob(name, what.how, what.ms);
      }
      case 'a Workflow runs':
        return cluster.runWorkflow(pairsSecret, what.ms);
      case 'messages are forged':
        return forgeMessages(ground);
      case 'a consumer joins': {
        const secret = pairsSecret;
        return cluster.deploy({
          kind: 'Deployment',
          name: `joined-${++joined}`,
          uid: makeUid(),
          replicas: 1,
          generation: 1,
          containers: [
            {
              name: 'app',
              tokens: [{ variable: 'PUBLISHING_API_BEARER_TOKEN', secret }],
              ruby: true,
            },
          ],
        });
      }
    }
  };
}

/** Sends workflows what nobody should: each is to change nothing. */
async function forgeMessages({ client, fate, pairs }: Place): Promise<void> {
  const { environment } = fate;
  const send = (workflowId: string, signal: string, ...input: unknown[]): Promise<unknown> =>
    client.workflow
      .getHandle(workflowId)
      .signal(signal, ...input)
      .catch(() => undefined); // it may not run, or Temporal may be away
  const rotation = rotationId({ environment, ...pairs[0]! });
  await send(syncTokensId(environment), 'request', {
    workflowId: rotation,
    ticket: 'forged',
    cronJob: { name: 'signon-delete-expired-tokens', uid: 'forged' },
    cronJobUid: 'forged',
    notBefore: '2999-01-01T00:00:00Z',
    limit: '300000y',
    gathering: { quietFor: '100y', atMost: '100y', askAgainAfter: '100y' },
  });
  await send(syncTokensId(environment), 'request', 'x');
  await send(`notifications/${environment}`, 'notice', {
    kind: 'incident',
    text: 'x'.repeat(100_000),
  });
  for (let at = 0; at < 3; at++)
    await send('sign-in-ledger/' + environment, 'settle', `forged-${at}`, true);
  await send(rotation, 'synced', {
    ticket: 'forged',
    kind: 'synced',
    job: 'x',
    seenAt: 'now',
    seenHealthy: true,
  });
  await send(rotation, 'approve', { by: 'mallory@example.org', evidence: 'x'.repeat(1_000_000) });
  for (let wrong = 0; wrong < 5; wrong++)
    await send(rotation, 'approve', {
      by: 'mallory@example.org',
      evidence: 'deadbeef',
      revoke: [1],
      accept: [],
    });
}
