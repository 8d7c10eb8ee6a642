import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RotateToken, startRotation } from '../../client/start-workflows.ts';
import { approvalFor } from '../../domain/rotation/offers.ts';
import type { Waiting } from '../../domain/rotation/checklist.ts';
import type { Findings } from '../../domain/rotation/holders.ts';
import type { Answer, DecisionName } from '../../domain/evidence/decisions.ts';
import type { RotationReport } from '../../domain/rotation/report.ts';
import type { Environment, RotationRequest } from '../../domain/request/index.ts';
import { IMMEDIATE, type SandboxOptions } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { expireAllIn, expireIn, pairOf, seedWorld } from '../../sandbox/seed.ts';
import { startTemporal, type TemporalServer } from '../../sandbox/temporal-server.ts';
import { WorkerProcess } from '../../sandbox/worker-process.ts';
import type { Authorisation } from '../../sandbox/world-state.ts';
import { readConfiguration } from '../../config/configuration.ts';
import { DATA_CONVERTER } from '../../config/temporal.ts';
import { runWorker, type RunningWorker } from '../../worker/run-worker.ts';
import { BUNDLE } from './bundle.ts';
import { policyFrom, SHIPPED_POLICY } from './exec-policy.ts';
import { REQUEST, type Status } from './request.ts';
import { setUpRuntime } from './runtime.ts';
import { namespaceOfItsOwn, PROMPT_TIMERS } from './temporal.ts';
import { until } from './until.ts';
import { watchFor } from './where-things-stand.ts';

/** Every wait shortened; the rules are the shipped ones. */
export const SHORTENED = {
  forStandIns: true,
  approvers: 'anyone',
  answerLimit: '1 second',
  signonRequestLimit: '2 seconds',
  syncGathering: { quietFor: '0 ms', atMost: '0 ms', askAgainAfter: '2 seconds' },
  rolloutLimit: '3 seconds',
  pollEvery: '100 ms',
  sweep: { pause: '0 ms' },
  disusedWatch: '0 ms',
  soak: '300 ms',
  hosts: { integration: '^127\\.0\\.0\\.1$', production: '^127\\.0\\.0\\.1$' },
};

/**
 * A real Temporal server and the stand-ins on real sockets, with one pair whose token is about to
 * end.
 */
export class Stage {
  private readonly ending: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly folder: string,
    readonly temporal: TemporalServer,
    readonly namespace: string,
    readonly sandbox: Sandbox,
    readonly client: Client,
  ) {}

  /**
   * @param options what is executed in containers runs in the sandbox where they do not say
   * otherwise
   * @param server of its own, where it is asked for: else the stage has a namespace on the one that
   * all tests of the process share
   * @param seed what the world is made of: the request's pair alone, unless more API users are
   * named as `[client, application]`; or the whole fleet, all tokens about to end; `estate` gives
   * it the shape of GOV.UK's
   */
  static async set(
    options: Partial<SandboxOptions> = {},
    settings: object = {},
    seed: {
      environment?: Environment;
      also?: [client: string, application: string][];
      fleet?: boolean;
      estate?: boolean;
    } = {},
    server?: { ui?: boolean; dynamicConfig?: string[] },
  ): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'signon-stage-'));
    const { temporal, namespace } = server
      ? { temporal: await ownTemporal(folder, server), namespace: 'default' }
      : await namespaceOfItsOwn();
    const { environment = 'integration', also = [], fleet = false, estate = false } = seed;
    const only = fleet ? undefined : ['short-url-manager', ...also.map(([client]) => client)];
    const world = seedWorld({ environment, only, estate });
    expireIn(world, REQUEST.apiUser, REQUEST.application, 10);
    if (fleet) expireAllIn(world, 10);
    for (const [client, application] of also)
      expireIn(world, `${client}@alphagov.co.uk`, application, 10);
    const sandbox = await Sandbox.start(world, {
      ...IMMEDIATE,
      execs: 'in the sandbox',
      ...options,
    });
    sandbox.kubernetes.exec.allows = policyFrom(SHIPPED_POLICY);
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ ...SHORTENED, ...settings }));
    const connection = await Connection.connect({
      address: temporal.address,
      connectTimeout: '1 minute',
    });
    const client = new Client({ connection, namespace, dataConverter: DATA_CONVERTER });
    const stage = new Stage(folder, temporal, namespace, sandbox, client);
    const watched = watchFor(client);
    stage.ending.push(() => Promise.resolve(watched()));
    return stage;
  }

  /** The variables that say where Temporal is. */
  temporalEnv(): { TEMPORAL_ADDRESS: string; TEMPORAL_NAMESPACE: string } {
    return { TEMPORAL_ADDRESS: this.temporal.address, TEMPORAL_NAMESPACE: this.namespace };
  }

  /** The variables of this stage's workers. */
  env(change: Record<string, string> = {}): Record<string, string> {
    return {
      ...this.sandbox.workerEnv(),
      ...this.temporalEnv(),
      ...(this.temporal.uiUrl && { TEMPORAL_UI_URL: this.temporal.uiUrl }),
      ROTATION_SETTINGS: join(this.folder, 'settings.json'),
      WORKFLOW_BUNDLE: BUNDLE.codePath,
      ...change,
    };
  }

  /** A worker in this process. */
  async worker(change: Record<string, string> = {}): Promise<RunningWorker> {
    setUpRuntime();
    const env = this.env(change);
    const worker = await runWorker(readConfiguration(env), env, BUNDLE);
    this.ending.push(() => worker.stop());
    return worker;
  }

  /** A worker in a process of its own. */
  workerProcess(change: Record<string, string> = {}): WorkerProcess {
    const worker = new WorkerProcess(this.env(change));
    this.ending.push(() => worker.crash());
    return worker;
  }

  async rotation(request: Partial<RotationRequest> = {}): Promise<StagedRotation> {
    const { handle } = await startRotation(this.client, { ...REQUEST, ...request });
    return new StagedRotation(handle, this.sandbox);
  }

  /**
   * Another API user, with one token for the request's application that ends in ten days; no
   * workload reads its Secret.
   */
  addApiUser(name: string, email: string, days = 10): Authorisation {
    const { world } = this.sandbox;
    const id = Math.max(...world.state.apiUsers.map((user) => user.id)) + 1;
    world.state.apiUsers.push({ id, name, email, suspended: false });
    return this.issue(email, days);
  }

  /** Another token for the request's application, as an engineer issues it. */
  issue(email: string, days: number): Authorisation {
    const { user, server } = pairOf(this.sandbox.world, email, REQUEST.application);
    return this.sandbox.world.issue(user.id, server.id, days * 86_400_000);
  }

  /** The pair's tokens as Signon has them, revoked ones included, oldest first. */
  tokens(): Authorisation[] {
    const { user, server } = pairOf(this.sandbox.world, REQUEST.apiUser, REQUEST.application);
    return this.sandbox.world.state.authorisations.filter(
      ({ apiUserId, applicationId }) => apiUserId === user.id && applicationId === server.id,
    );
  }

  async strike(): Promise<void> {
    for (const end of this.ending.toReversed()) await end();
    await this.client.connection.close();
    this.temporal.process?.kill('SIGKILL'); // nothing of it is needed any more
    await this.temporal.stop();
    await this.sandbox.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function ownTemporal(
  folder: string,
  { ui = false, dynamicConfig = [] }: { ui?: boolean; dynamicConfig?: string[] },
) {
  const dataFile = join(folder, 'temporal.db');
  return startTemporal({ dataFile, ui, dynamicConfig: [PROMPT_TIMERS, ...dynamicConfig] });
}

/** A rotation on the stage, as people see it. */
export class StagedRotation {
  constructor(
    readonly handle: WorkflowHandle<RotateToken>,
    private readonly sandbox: Sandbox,
  ) {}

  /** Undefined while no worker answers. */
  status(): Promise<Status | undefined> {
    return this.handle.query<Status>('status').catch(() => undefined);
  }

  awaitingApproval(round = 1): Promise<Status> {
    return until(`approval of round ${round}`, async () => {
      const status = await this.status();
      return status?.waiting?.kind === 'approval' && status.waiting.evidence.round === round
        ? status
        : undefined;
    });
  }

  awaitingClassification(): Promise<Findings> {
    return until('a classification', async () => {
      const waiting = (await this.status())?.waiting;
      return waiting?.kind === 'classification' ? waiting.findings : undefined;
    });
  }

  blocked(failure: string): Promise<{ message: string; todo: string }> {
    return until(`being blocked by ${failure}`, async () => {
      const waiting = (await this.status())?.waiting;
      return waiting?.kind === 'blocked' && waiting.failure === failure ? waiting : undefined;
    });
  }

  /** Blocked, by whatever failure. */
  blockedByAny(): Promise<Extract<Waiting, { kind: 'blocked' }>> {
    return until('being blocked', async () => {
      const waiting = (await this.status())?.waiting;
      return waiting?.kind === 'blocked' ? waiting : undefined;
    });
  }

  answered(like: RegExp): Promise<string> {
    return until(`an answer like ${like}`, async () => {
      const answer = (await this.status())?.lastAnswer?.text;
      return answer && like.test(answer) ? answer : undefined;
    });
  }

  /** Sends the approval that the details offer, changed as given. */
  async approve(
    round = 1,
    change: object = {},
    way: 'signal' | 'update' = 'signal',
  ): Promise<void> {
    const { waiting } = await this.awaitingApproval(round);
    if (waiting?.kind !== 'approval') throw new Error('nothing waits for approval');
    const { runId } = await this.handle.describe();
    const approval = {
      ...approvalFor(waiting.evidence, runId),
      by: 'grace@example.org',
      ...change,
    };
    if (way === 'signal') await this.handle.signal<[unknown]>('approve', approval);
    else await this.handle.executeUpdate<Answer, [unknown]>('approve', { args: [approval] });
  }

  retry(how: object = {}): Promise<void> {
    return this.send('retry', how);
  }

  send(signal: DecisionName, what: object): Promise<void> {
    return this.handle.signal<[unknown]>(signal, { by: 'grace@example.org', ...what });
  }

  /**
   * The result. No rotation that revoked as it should may have had a call of a running pod refused:
   * that fails whatever test it is in.
   */
  async report(): Promise<RotationReport> {
    const report = await this.handle.result();
    const { outages } = this.sandbox.world.happened;
    if (
      ['rotated', 'handed-over', 'revoked-disused'].includes(report.outcome) &&
      outages.length > 0
    )
      throw new Error(
        `${report.outcome} with outages: ${JSON.stringify(outages.slice(0, 3), ['pod', 'container', 'application', 'status'])}`,
      );
    return report;
  }
}
