import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { randomUUID } from 'node:crypto';
import { createTemporalActivities } from '../../activities/temporal/create-activities.ts';
import { approvalFor } from '../../domain/rotation/offers.ts';
import type { Progress } from '../../domain/rotation/checklist.ts';
import type { DecisionName } from '../../domain/evidence/decisions.ts';
import type { Findings } from '../../domain/rotation/holders.ts';
import type { RotationReport } from '../../domain/rotation/report.ts';
import { rotationId, type RotationRequest } from '../../domain/request/request.ts';
import type { Settings } from '../../domain/settings/settings.ts';
import { findBinary } from '../../sandbox/temporal-binary.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import { FakeSystems } from './fake-systems.ts';
import { REQUEST, type Status } from './request.ts';
import { setUpRuntime } from './runtime.ts';
import { registerSearchAttributes } from './temporal.ts';
import { until } from './until.ts';
import { withWorkers } from './with-workers.ts';

setUpRuntime();

/** Where a worker's Signon and Argo CD are unless a test says, and hosts that allow it. */
export const STAND_INS = { SIGNON_URL: 'http://127.0.0.1', ARGOCD_URL: 'http://127.0.0.1' };
const host = String.raw`^127\.0\.0\.1$`;
export const LOOPBACK = { integration: host, staging: host, production: host };

/** A Temporal server whose time can be skipped. */
export async function timeSkippingServer(): Promise<TestWorkflowEnvironment> {
  const path = await findBinary('temporal-test-server');
  const server = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  await registerSearchAttributes(server.connection);
  return server;
}

/** One rotation as a test drives it: what people see and send. */
export class Rotation {
  constructor(
    readonly handle: WorkflowHandle,
    readonly systems: FakeSystems,
    readonly client: Client,
    private readonly server: TestWorkflowEnvironment,
  ) {}

  status(): Promise<Status> {
    return this.handle.query<Status>('status');
  }

  /** Waits until an approval is asked for, in a later round than `after`. */
  awaitingApproval(after = 0): Promise<Status & { code: string }> {
    return until(`an approval after round ${after}`, async () => {
      const status = await this.status();
      const waits = status.waiting?.kind === 'approval' && status.waiting.evidence.round > after;
      return waits && status.code ? { ...status, code: status.code } : undefined;
    });
  }

  blocked(failure: string): Promise<Extract<Progress['waiting'], { kind: 'blocked' }>> {
    let last: unknown;
    return until(`being blocked by ${failure}`, async () => {
      const { waiting, steps, retrying } = await this.status();
      last = waiting ?? { retrying, now: steps.find(({ state }) => state === 'now') };
      return waiting?.kind === 'blocked' && waiting.failure === failure ? waiting : undefined;
    }).catch((error: Error) => {
      throw new Error(`${error.message}; last seen: ${JSON.stringify(last).slice(0, 500)}`);
    });
  }

  /** Waits until a person is asked who holds the token. */
  awaitingClassification(): Promise<Findings> {
    return until('a classification', async () => {
      const { waiting } = await this.status();
      return waiting?.kind === 'classification' ? waiting.findings : undefined;
    });
  }

  /** Waits until a step says something. */
  noted(step: string, like: RegExp): Promise<string> {
    return until(`“${step}” to say ${like}`, async () => {
      const note = (await this.status()).steps.find(({ name }) => name === step)?.note;
      return note && like.test(note) ? note : undefined;
    });
  }

  /** Sends the approval that the details offer, changed as given. */
  async approve(change: object = {}, after = 0): Promise<void> {
    const { waiting } = await this.awaitingApproval(after);
    const { runId } = await this.handle.describe();
    if (waiting?.kind !== 'approval') throw new Error('no approval is asked for');
    await this.send('approve', {
      ...approvalFor(waiting.evidence, runId),
      by: 'grace@example.org',
      ...change,
    });
  }

  send(signal: DecisionName, input: unknown): Promise<void> {
    return this.handle.signal<[unknown]>(signal, input);
  }

  /** The answer to the last decision, once it matches. */
  answered(like: RegExp): Promise<string> {
    return until(`an answer like ${like}`, async () => {
      const lastAnswer = (await this.status()).lastAnswer?.text;
      return lastAnswer !== undefined && like.test(lastAnswer) ? lastAnswer : undefined;
    });
  }

  /** Once a decision was answered so, or the rotation has ended: then its answer is gone. */
  async heard(like: RegExp): Promise<void> {
    await until(`an answer like ${like}, or the end`, async () => {
      const { lastAnswer, ended } = await this.status();
      return ended !== undefined || like.test(lastAnswer?.text ?? '') || undefined;
    });
  }

  /** The current details as the UI shows them. */
  async details(): Promise<string> {
    const { currentDetails } = await this.handle.query<{ currentDetails?: string }>(
      '__temporal_workflow_metadata',
    );
    return currentDetails ?? '';
  }

  /** Lets the soak after a revoke pass: smoke calls come after it. */
  async passSoak(meanwhile: () => void = () => undefined): Promise<void> {
    await this.noted('confirm', /checking again in/);
    meanwhile();
    await this.pass('11 minutes');
  }

  /**
   * Lets time pass, timers and retries included. Reminders come at whole days: a signal at that very
   * moment cancels a timer that fires, and the server then gives the workflow no more tasks
   * (temporalio/sdk-java#3088).
   */
  pass(time: Parameters<TestWorkflowEnvironment['sleep']>[0]): Promise<void> {
    return this.server.sleep(time);
  }

  /**
   * Lets time pass until the renewal that the rotation waits for is over; that is more than a day
   * where one has just begun.
   */
  async passRenewal(): Promise<void> {
    const over = await until(
      'the rotation to wait for a renewal',
      async () => (await this.status()).renewalOver,
    );
    await this.pass(Date.parse(over) - (await this.server.currentTimeMs()) + 60_000);
  }

  /**
   * The result, once it is there; time is skipped until then, and past it: in ten years the run
   * would time out.
   */
  report(): Promise<RotationReport> {
    return this.handle.result();
  }

  /** Waits until it has ended, and skips no time. */
  async ended(): Promise<void> {
    await until(
      'the end',
      async () => (await this.handle.describe()).status.name !== 'RUNNING' || undefined,
    );
  }

  /** The type and message of the failure that ended the workflow. */
  async failure(): Promise<{ type?: string | null; message: string }> {
    const error: unknown = await this.handle.result().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure)
      return { type: error.cause.type, message: error.cause.message };
    throw new Error('the workflow did not fail');
  }
}

/**
 * Starts a rotation over fake systems, under its canonical id unless another is given, and lets a
 * test drive it.
 */
export async function rotating(
  server: TestWorkflowEnvironment,
  drive: (rotation: Rotation) => Promise<void>,
  options: {
    request?: Partial<RotationRequest> | Record<string, unknown>;
    prepare?: (systems: FakeSystems) => void;
    workflowId?: string;
    serves?: RotationRequest['environment'];
    settings?: Partial<Settings>;
    /** Where Signon and Argo CD are; stand-ins on loopback unless said. */
    addresses?: typeof STAND_INS;
    /** Acts at the same time; waits have a task queue of their own. */
    actsAtOnce?: number;
  } = {},
): Promise<void> {
  const systems = new FakeSystems(await server.currentTimeMs());
  // Each test has a pair of its own, so that ids do not meet.
  const apiUser = `user-${randomUUID().slice(0, 8)}@alphagov.co.uk`;
  systems.pair.apiUser.email = apiUser;
  options.prepare?.(systems);
  const request: RotationRequest = {
    ...REQUEST,
    apiUser: systems.pair.apiUser.email,
    ...options.request,
  };
  const taskQueue = randomUUID();
  const { client, nativeConnection: connection } = server;
  const scope = {
    ROTATION_ENVIRONMENT: options.serves ?? 'integration',
    ALERT_RECEIVER_IDENTITY: 'alert-receiver',
    ...(options.addresses ?? STAND_INS),
    settings: {
      ...DEFAULT_SETTINGS,
      ...(!options.addresses && { hosts: LOOPBACK }),
      disusedWatch: '0 ms' as const,
      syncGathering: { quietFor: '0 ms', atMost: '0 ms', askAgainAfter: '5 minutes' } as const,
      ...options.settings,
    },
  };
  // This server knows no pages: a history of more than 4 MB comes in one answer. The real one's
  // pages are tested in test/long/floods.test.ts.
  const unpaged = await Connection.connect({
    address: server.address,
    channelArgs: { 'grpc.max_receive_message_length': 64 * 1024 * 1024 },
  });
  const temporal = createTemporalActivities(new Client({ connection: unpaged }), scope);
  const judge: typeof temporal.judge = async (judged) => {
    await systems.onCall('judge');
    return temporal.judge(judged);
  };
  await withWorkers(
    {
      connection,
      taskQueue,
      activities: {
        ...systems.activities(),
        ...temporal,
        judge,
        remembersOf: () => Promise.resolve(systems.remembered),
      },
      ...(options.actsAtOnce && { maxConcurrentActivityTaskExecutions: options.actsAtOnce }),
    },
    async () => {
      const workflowId = options.workflowId ?? rotationId(request);
      const handle = await client.workflow.start('rotateToken', {
        workflowId,
        taskQueue,
        args: [request],
      });
      try {
        await drive(new Rotation(handle, systems, client, server));
      } finally {
        await handle.terminate().catch(() => undefined);
      }
    },
  );
  await unpaged.close();
}
