import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { randomUUID } from 'node:crypto';
import { createTemporalActivities } from '../../activities/temporal/create-activities.ts';
import type { Environment } from '../../domain/request/index.ts';
import type { Settings } from '../../domain/settings/settings.ts';
import type { SweepDecisions } from '../../domain/sweep/sweep-decisions.ts';
import type { SweepProgress } from '../../domain/sweep/sweep-details.ts';
import { type RowState, type SignonPair, type SweepReport } from '../../domain/sweep/sweep.ts';
import { tokenSecretName } from '../../domain/text/parameterize.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import { DAY, FakeSystems } from './fake-systems.ts';
import { LOOPBACK, STAND_INS } from './rotations.ts';
import { until } from './until.ts';
import { sweepId } from '../../domain/names/names.ts';
import { withWorkers } from './with-workers.ts';

/**
 * One sweep as a test drives it. Its rotations are real ones; Signon is made up, and what a
 * rotation finds there a test says.
 */
export class DrivenSweep {
  constructor(
    readonly handle: WorkflowHandle,
    readonly world: SweptWorld,
    private readonly server: TestWorkflowEnvironment,
  ) {}

  status(): Promise<SweepProgress> {
    return this.handle.query<SweepProgress>('status');
  }

  /** How many rows stand where. */
  async states(): Promise<Partial<Record<RowState, number>>> {
    const counts: Partial<Record<RowState, number>> = {};
    for (const { state } of (await this.status()).rows) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }

  untilStates(wanted: Partial<Record<RowState, number>>): Promise<unknown> {
    const plain = (counts: object): string =>
      JSON.stringify(Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b)));
    return until(
      `rows as ${plain(wanted)}`,
      async () => plain(await this.states().catch(() => ({}))) === plain(wanted) || undefined,
    );
  }

  send<Name extends keyof SweepDecisions>(
    signal: Name,
    input: SweepDecisions[Name],
  ): Promise<void> {
    return this.handle.signal<[unknown]>(signal, input);
  }

  answered(like: RegExp): Promise<unknown> {
    return until(
      `an answer like ${like}`,
      async () => like.test((await this.status()).lastAnswer ?? '') || undefined,
    );
  }

  async details(): Promise<string> {
    const { currentDetails } = await this.handle.query<{ currentDetails?: string }>(
      '__temporal_workflow_metadata',
    );
    return currentDetails ?? '';
  }

  pass(time: Parameters<TestWorkflowEnvironment['sleep']>[0]): Promise<void> {
    return this.server.sleep(time);
  }

  report(): Promise<SweepReport> {
    return this.handle.result() as Promise<SweepReport>;
  }
}

/** Signon as a sweep sees it, and what becomes of each rotation in its first look. */
export class SweptWorld {
  pairs: SignonPair[] = [];
  /** Calls of `listPairs`, and pairs whose rotations had their first look, in order. */
  reads = 0;
  readonly looked: string[] = [];
  /** Rotations open before, as the server lists them. */
  open: string[] = [];
  /** Called before a rotation's first look; a rotation whose look fails is blocked. */
  onLook: (apiUser: string) => Promise<void> = () =>
    Promise.reject(ApplicationFailure.nonRetryable('no answer', 'Unreachable'));
  onRead: () => void | Promise<void> = () => undefined;

  constructor(
    readonly marker: string,
    private readonly now: number,
  ) {}

  email(at: number): string {
    return `user-${String(at).padStart(4, '0')}-${this.marker}@alphagov.co.uk`;
  }

  /** API users, each with one token that ends in so many days. */
  seed(...ends: number[]): void {
    for (const days of ends) {
      const name = `User ${this.pairs.length}`;
      this.pairs.push({
        apiUser: { name, email: this.email(this.pairs.length), suspended: false },
        application: 'Publishing API',
        tokens: [
          {
            authorisationId: 100,
            masked: 'aaaaaaaa…bbbbbbbb',
            expires: new Date(this.now + days * DAY).toISOString().slice(0, 10),
          },
        ],
      });
    }
  }
}

/** Starts a sweep under the environment's id unless another is given, and lets a test drive it. */
export async function sweeping(
  server: TestWorkflowEnvironment,
  drive: (sweep: DrivenSweep) => Promise<void>,
  options: {
    ends?: number[];
    prepare?: (world: SweptWorld) => void;
    request?: object;
    workflowId?: string;
    environment?: Environment;
    settings?: Partial<Settings>;
    /** Further arguments, as if a cut history handed them on. */
    carried?: (world: SweptWorld) => unknown[];
  } = {},
): Promise<void> {
  const world = new SweptWorld(randomUUID().slice(0, 8), await server.currentTimeMs());
  world.seed(...(options.ends ?? []));
  options.prepare?.(world);
  const environment = options.environment ?? 'integration';
  const taskQueue = randomUUID();
  const { client, nativeConnection: connection } = server;
  const settings = { ...DEFAULT_SETTINGS, hosts: LOOPBACK, ...options.settings };
  const systems = new FakeSystems(await server.currentTimeMs()).activities();
  const temporal = createTemporalActivities(client, {
    ROTATION_ENVIRONMENT: environment,
    ALERT_RECEIVER_IDENTITY: 'alert-receiver',
    ...STAND_INS,
    settings,
  });
  const activities = {
    ...systems,
    ...temporal,
    listPairs: async () => {
      world.reads += 1;
      await world.onRead();
      return world.pairs;
    },
    listReadings: () =>
      Promise.resolve({
        variables: world.pairs.map(({ apiUser, application }) => ({
          workload: 'Deployment/reader' as const,
          container: 'app',
          variable: 'PUBLISHING_API_BEARER_TOKEN',
          secret: tokenSecretName(apiUser.name, application),
        })),
        files: [],
      }),
    listOpen: () => Promise.resolve(world.open), // the server that skips time lists nothing
    findPair: async (wanted: { apiUser: string; application: string }) => {
      world.looked.push(wanted.apiUser);
      await world.onLook(wanted.apiUser);
      return systems.findPair(wanted);
    },
    // so a rotation whose first look passes has nothing to do
    listTokens: () => Promise.resolve([]),
  };
  await withWorkers({ connection, taskQueue, activities }, async () => {
    const handle = await client.workflow.start('rotateExpiringTokens', {
      workflowId: options.workflowId ?? sweepId(environment),
      taskQueue,
      args: [
        { environment, requestedBy: 'ada@example.org', ...options.request },
        ...(options.carried?.(world) ?? []),
      ],
    });
    try {
      await drive(new DrivenSweep(handle, world, server));
    } finally {
      await handle.terminate().catch(() => undefined);
    }
  });
}
