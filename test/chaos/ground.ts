import { Client, Connection } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { OwnProcess } from '../../sandbox/own-process.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { expireIn, pairOf, readTopology, seedWorld } from '../../sandbox/seed.ts';
import { SlackStandIn } from '../../sandbox/slack/server.ts';
import { freePort, startTemporal, type TemporalServer } from '../../sandbox/temporal-server.ts';
import { WorkerProcess } from '../../sandbox/worker-process.ts';
import type { World } from '../../sandbox/world.ts';
import { BUNDLE } from '../support/bundle.ts';
import { policyFrom, SHIPPED_POLICY } from '../support/exec-policy.ts';
import { SHORTENED } from '../support/stage.ts';
import { PROMPT_TIMERS } from '../support/temporal.ts';
import { PAIRS, type Fate, type Happening } from './fate.ts';
import { happenings } from './happenings.ts';
import { Moments } from './moments.ts';
import { Register } from './register.ts';

/** Answers that come late come after the worker's limit and within Signon's. */
const SETTINGS = {
  ...SHORTENED,
  answerLimit: '2 seconds',
  signonRequestLimit: '3 seconds',
  rolloutLimit: '4 seconds',
  notices: { collectFor: '100 ms', quietFor: '300 ms' },
  sweep: { maxConcurrent: 10, pause: '0 ms' },
};

/** How often a server that was killed is started again on its data. */
const RESTARTS = 5;
const RESTART_PAUSE_MS = 500;

/** A pair that is rotated in a run. */
export interface Pair {
  apiUser: string;
  application: string;
}

/**
 * Everything one run plays on: Temporal on a data file, the stand-ins, a worker; all of it may be
 * killed and comes back.
 */
export class Ground {
  readonly pairs: readonly Pair[];
  readonly moments: Moments;
  readonly register: Register;
  /** What is still to come of what happened: servers that start again, controllers that recover. */
  private readonly pending: Promise<unknown>[] = [];
  /** Why what was to happen could not be brought about. */
  private broke?: unknown;
  private readonly processes: OwnProcess[] = [];
  private connection?: Connection;
  /** Workers that nobody killed. */
  readonly endedWorkers: string[] = [];
  /** Of whichever worker lives: they come one after the other. */
  private metricsAddress = '';
  readonly receiver = { address: '', token: randomBytes(24).toString('base64url') };

  private constructor(
    readonly fate: Fate,
    readonly folder: string,
    readonly sandbox: Sandbox,
    readonly slack: SlackStandIn,
    private readonly webhook: string,
    private temporal: TemporalServer,
    readonly client: Client,
  ) {
    this.pairs = pairsOf(fate);
    this.register = new Register(sandbox);
    const bring = happenings(this);
    this.moments = new Moments(fate, (what: Happening) => {
      this.pending.push(bring(what).catch((error: unknown) => void (this.broke ??= error)));
    });
    this.moments.bind(sandbox, slack);
  }

  static async lay(fate: Fate): Promise<Ground> {
    const folder = mkdtempSync(join(tmpdir(), 'signon-chaos-'));
    const slack = new SlackStandIn();
    const [temporal, webhook, sandbox] = await Promise.all([
      startTemporal(inFolder(folder)),
      slack.listen(),
      Sandbox.start(worldOf(fate), {
        ...IMMEDIATE,
        jobMs: fate.jobMs,
        podStartMs: fate.podMs,
        readyMs: fate.podMs,
        terminationMs: fate.podMs,
        execs: 'in the sandbox',
      }),
    ]);
    sandbox.kubernetes.exec.allows = policyFrom(SHIPPED_POLICY);
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(SETTINGS));
    const connection = await Connection.connect({
      address: temporal.address,
      connectTimeout: '1 minute',
    });
    const ground = new Ground(
      fate,
      folder,
      sandbox,
      slack,
      webhook,
      temporal,
      new Client({ connection }),
    );
    ground.connection = connection;
    ground.metricsAddress = `127.0.0.1:${await freePort()}`;
    ground.startWorker();
    if (fate.started === 'by an alert') await ground.startReceiver();
    return ground;
  }

  get world(): World {
    return this.sandbox.world;
  }

  /** What workers, and the receiver, printed. */
  get printed(): string {
    return this.processes.map(({ output }) => output).join('\n');
  }

  /** What the worker and the receiver tell Prometheus; nothing of one that is starting or dead. */
  async metrics(): Promise<string> {
    const addresses = [
      `http://${this.metricsAddress}`,
      ...(this.receiver.address ? [this.receiver.address] : []),
    ];
    const told = await Promise.all(
      addresses.map((address) =>
        fetch(`${address}/metrics`).then(
          (answer) => answer.text(),
          () => '',
        ),
      ),
    );
    return told.join('\n');
  }

  startWorker(): void {
    const env = {
      ...this.sandbox.workerEnv(),
      TEMPORAL_ADDRESS: this.temporal.address,
      TEMPORAL_UI_URL: 'https://temporal.example.org',
      ROTATION_SETTINGS: join(this.folder, 'settings.json'),
      SLACK_WEBHOOK_URL: this.webhook,
      WORKFLOW_BUNDLE: BUNDLE.codePath,
      LOG_LEVEL: 'DEBUG',
      METRICS_ADDRESS: this.metricsAddress,
      ...(process.env.MAX_CACHED_WORKFLOWS && {
        MAX_CACHED_WORKFLOWS: process.env.MAX_CACHED_WORKFLOWS,
      }),
    };
    const worker = new WorkerProcess(env);
    this.processes.push(worker);
    void worker
      .exit()
      .then((code) => (code === null ? undefined : this.endedByItself(code, worker.output)));
  }

  /**
   * A port that was free a moment ago may be taken when a worker starts: it gets another. Any other
   * end of its own is a defect of the worker.
   */
  private async endedByItself(code: number, output: string): Promise<void> {
    if (!/address already in use/i.test(output)) {
      this.endedWorkers.push(`a worker ended by itself with ${code}: ${output.slice(-300)}`);
      return;
    }
    this.metricsAddress = `127.0.0.1:${await freePort()}`;
    this.startWorker();
  }

  private async startReceiver(): Promise<void> {
    const port = await freePort();
    this.receiver.address = `http://127.0.0.1:${port}`;
    this.processes.push(
      new OwnProcess('client/alert-receiver', {
        ROTATION_ENVIRONMENT: this.fate.environment,
        TEMPORAL_ADDRESS: this.temporal.address,
        RECEIVER_TOKEN: this.receiver.token,
        RECEIVER_ADDRESS: `127.0.0.1:${port}`,
        LOG_LEVEL: 'DEBUG',
      }),
    );
  }

  /** Ends the worker as a crash would; another starts at once. */
  async killWorker(): Promise<void> {
    const worker = this.processes.findLast((process) => process instanceof WorkerProcess);
    await worker?.crash(); // first, for its address is the next one's
    this.startWorker();
  }

  /** Ends the server as a crash would, and starts it again on its data. */
  async killTemporal(): Promise<void> {
    const { address, process: child, stop } = this.temporal;
    child?.kill('SIGKILL');
    await stop();
    const port = Number(address.split(':')[1]);
    for (let tries = 1; ; tries++)
      try {
        this.temporal = await startTemporal({ ...inFolder(this.folder), port });
        return;
      } catch (error) {
        if (tries === RESTARTS) throw error;
        await after(RESTART_PAUSE_MS); // its data, or its port, may not be free yet
      }
  }

  /** Waits until what happened has run its course. */
  async quiet(): Promise<void> {
    for (let settled = -1; settled < this.pending.length;) {
      settled = this.pending.length;
      await Promise.all(this.pending);
    }
    if (this.broke !== undefined) throw this.broke;
  }

  /** Ends the programs; what they printed stays. */
  async endPrograms(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.crash()));
  }

  async clear(): Promise<void> {
    await this.endPrograms();
    // What was asked and given up may try once more: that must meet an open channel.
    setTimeout(() => void this.connection?.close(), 10_000).unref();
    await this.temporal.stop();
    await Promise.all([this.sandbox.stop(), this.slack.close()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function inFolder(folder: string): Parameters<typeof startTemporal>[0] {
  return { dataFile: join(folder, 'temporal.db'), ui: false, dynamicConfig: [PROMPT_TIMERS] };
}

function pairsOf(fate: Fate): Pair[] {
  return fate.pairs.map((place) => {
    const [client, application] = PAIRS[place]!;
    return { apiUser: `${client}@alphagov.co.uk`, application };
  });
}

function worldOf(fate: Fate): World {
  const wanted = fate.pairs.map((place) => `signon-token-${PAIRS[place]!.join('-')}`);
  const readings = readTopology()
    .filter(({ secret }) => wanted.includes(secret))
    .map((reading) => ({ ...reading, replicas: Math.min(reading.replicas, 2) }));
  const world = seedWorld({ environment: fate.environment, readings, estate: true });
  world.state.clockOffsetMs = fate.skewMs;
  const pairs = pairsOf(fate);
  for (const { apiUser, application } of pairs)
    expireIn(world, apiUser, application, fate.force ? 300 : 10);
  if (fate.expiredToo) {
    const { user, server } = pairOf(world, pairs[0]!.apiUser, pairs[0]!.application);
    world.issue(user.id, server.id, -5 * 86_400_000);
    world.happened.created.length = 0;
  }
  return world;
}
