import { Client, Connection } from '@temporalio/client';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMMEDIATE, type SandboxOptions } from '../options.ts';
import { Sandbox } from '../sandbox.ts';
import { expireIn, seedWorld } from '../seed.ts';
import type { World } from '../world.ts';
import { type BenchServer, benchServer } from './temporal.ts';

export const REQUEST = {
  environment: 'integration',
  apiUser: 'short-url-manager@alphagov.co.uk',
  application: 'publishing-api',
  requestedBy: 'bench',
  force: true,
} as const;

/** What a bench runs on: a real Temporal server, and the stand-ins without delays. */
export interface Ground {
  temporal: BenchServer;
  sandbox: Sandbox;
  client: Client;
  env: Record<string, string>;
  clear: () => Promise<void>;
}

/** @param fleet a world of its own, and settings for its worker; one pair where absent */
export async function layGround(
  options: Partial<SandboxOptions> = {},
  fleet?: { world: World; settings: object },
): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'signon-bench-'));
  const temporal = await benchServer(folder);
  const world = fleet?.world ?? seedOne();
  const sandbox = await Sandbox.start(world, {
    ...IMMEDIATE,
    jobNameEveryMs: 1,
    trafficEveryMs: 1000,
    ...options,
  });
  const settings = join(folder, 'settings.json');
  const hosts = { integration: '^127\\.0\\.0\\.1$' };
  const syncGathering = { quietFor: '0 ms', atMost: '0 ms' };
  const own = { forStandIns: true, soak: '1 ms', pollEvery: '1 second', syncGathering, hosts };
  writeFileSync(settings, JSON.stringify({ ...own, ...fleet?.settings }));
  const connection = await Connection.connect({ address: temporal.address });
  return {
    temporal,
    sandbox,
    client: new Client({ connection, namespace: temporal.namespace }),
    env: {
      ...sandbox.workerEnv(),
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      ROTATION_SETTINGS: settings,
      ...(process.env.MAX_CACHED_WORKFLOWS && {
        MAX_CACHED_WORKFLOWS: process.env.MAX_CACHED_WORKFLOWS,
      }),
    },
    clear: async () => {
      await connection.close();
      await sandbox.stop();
      await temporal.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function seedOne(): World {
  const world = seedWorld({ only: ['short-url-manager'] });
  expireIn(world, REQUEST.apiUser, REQUEST.application, 10);
  return world;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
