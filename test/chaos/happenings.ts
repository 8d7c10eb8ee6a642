import { setTimeout as after } from 'node:timers/promises';
import { tokenSecretName } from '../../domain/parameterize.ts';
import { pairOf } from '../../sandbox/seed.ts';
import { makeToken, makeUid } from '../../sandbox/world.ts';
import type { Authorisation } from '../../sandbox/world-state.ts';
import type { Happening } from './fate.ts';
import type { Ground } from './ground.ts';

/** How long a CronJob's pod runs. */
const TASK_MS = 500;

/** Brings about what happens beside a rotation: each settles once it has run its course. */
export function happenings(ground: Ground): (what: Happening) => Promise<unknown> {
  const { sandbox, register } = ground;
  const { world, cluster, argo, kubernetes } = sandbox;
  const [first] = ground.pairs;
  const { user, server } = pairOf(world, first!.apiUser, first!.application);
  /** Live tokens of the first pair, oldest first. */
  const live = (): Authorisation[] =>
    world.state.authorisations.filter(
      ({ apiUserId, applicationId, revokedAt, expiresAt }) =>
        apiUserId === user.id && applicationId === server.id && revokedAt === undefined && expiresAt > world.now(),
    );
  const pick = <T>(of: readonly T[], which: number): T | undefined => of[which % Math.max(1, of.length)];
  const deployments = (): string[] =>
    world.state.workloads.filter(({ kind }) => kind === 'Deployment').map(({ name }) => name);
  let joined = 0;

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
      case 'streams are cut':
        argo.cutStreams();
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
      case 'a consumer joins': {
        const secret = tokenSecretName(user.name, server.name);
        return cluster.deploy({
          kind: 'Deployment',
          name: `joined-${++joined}`,
          uid: makeUid(),
          replicas: 1,
          generation: 1,
          containers: [{ name: 'app', tokens: [{ variable: 'PUBLISHING_API_BEARER_TOKEN', secret }], ruby: true }],
        });
      }
    }
  };
}
