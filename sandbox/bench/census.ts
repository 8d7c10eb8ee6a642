import { KubeConfig } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { KubernetesClient } from '../../activities/kubernetes/client.ts';
import { createKubernetesActivities } from '../../activities/kubernetes/create-activities.ts';
import { fingerprintOf, Secret } from '../../config/secret.ts';
import type { ClusterLook, Readers } from '../../domain/cluster/index.ts';
import { IMMEDIATE } from '../options.ts';
import { Sandbox } from '../sandbox.ts';
import { seedWorld } from '../seed.ts';

/** What one look took. */
export interface LookFigures {
  asked: number;
  ms: number;
  /** Requests to the Kubernetes API, execs included. */
  requests: number;
  execs: number;
}

/**
 * The first look at a namespace, which asks every container by its own shell, and one after it.
 * @param containers that may hold a token
 */
export async function takeCensus(
  containers: number,
): Promise<{ first: LookFigures; second: LookFigures }> {
  const world = seedWorld({ only: ['short-url-manager'] });
  const [workload] = world.state.workloads;
  workload!.replicas = containers - 1; // its twin has one
  const sandbox = await Sandbox.start(world, { ...IMMEDIATE, trafficEveryMs: 3_600_000 });
  const config = new KubeConfig();
  config.loadFromFile(sandbox.workerEnv().KUBECONFIG!);
  const waits = { everyMs: 1000, draining: new AbortController().signal };
  const kubernetes = createKubernetesActivities(
    new KubernetesClient(config, 'apps', 60_000),
    waits,
  );
  const secret = 'signon-token-short-url-manager-publishing-api';
  const holding = [fingerprintOf(new Secret(world.state.secrets[secret]!))];
  const readers: Readers = { secret, holding, also: [], ofOtherPairs: [] };
  const look = async (): Promise<LookFigures> => {
    const { happened } = sandbox.world;
    const before = { requests: happened.requests.kubernetes, execs: happened.execs };
    const began = performance.now();
    const seen: ClusterLook = await new MockActivityEnvironment().run(() =>
      kubernetes.lookAtConsumers(readers),
    );
    return {
      asked: seen.census.asked,
      ms: performance.now() - began,
      requests: happened.requests.kubernetes - before.requests,
      execs: happened.execs - before.execs,
    };
  };
  const figures = { first: await look(), second: await look() };
  await sandbox.stop();
  return figures;
}
