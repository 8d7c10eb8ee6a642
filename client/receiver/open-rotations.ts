import type { Client } from '@temporalio/client';
import { Gauge, type Registry } from 'prom-client';
import pLimit from 'p-limit';
import type { Environment } from '../../domain/request/index.ts';
import { startOfDay } from '../../domain/tokens/index.ts';
import { isPolled } from '../polling.ts';
import { askStatus, listRotations, rotationsOf, type ListedRotation } from '../rotations.ts';
import { apiUserIdsOf, sweepId, WORKFLOW } from '../../domain/names/index.ts';
import type { SweepProgress } from '../../domain/sweep/index.ts';

const LOOK_EVERY_MS = 60_000;
/** How long to wait for all answers of one look. */
const LOOK_WITHIN_MS = 50_000;
/**
 * How often a rotation is asked what it waits to revoke, which changes seldom; and how often after
 * it gave no answer.
 */
const ASKED_EVERY_MS = 30 * 60_000;
const ASKED_IN_VAIN_EVERY_MS = 5 * 60_000;
/** Figures older than this are not shown: another receiver may have newer ones. */
const HOLDS_FOR_MS = 5 * 60_000;
const ASKED_AT_ONCE = 4;
const LOST_WITHIN_MS = 24 * 60 * 60_000;

/** Where an open sweep or leak stands: at work for hours, or waiting for a person. */
type SweepStage = 'sweeping' | 'blocked';
type Run = Pick<ListedRotation, 'workflowId' | 'runId'>;

const PAIR = ['environment', 'api_user', 'application'] as const;

/**
 * What no worker can tell, for it may be the worker that is away: which rotations are open and in
 * which stage, whether anybody works on them, when the last sweep began. Read from Temporal every
 * minute.
 */
export class OpenRotations {
  private readonly open: Gauge;
  private readonly tokenEnds: Gauge;
  private readonly polled: Gauge;
  private readonly lastSweep: Gauge;
  private readonly lost: Gauge;
  private readonly lastLook: Gauge;
  private ended = false;
  /**
   * Ends the look that is under way. One for each look: the SDK keeps every call that a signal was
   * given to.
   */
  private looking = new AbortController();
  private readAt = 0;
  /**
   * By run id: when it is to be asked again; the end of the first token it waits to revoke, in
   * seconds since the epoch; where a sweep stands.
   */
  private readonly asked = new Map<string, { again: number; ends?: number; stage?: SweepStage }>();

  constructor(
    private readonly client: Client,
    private readonly environment: Environment,
    registry: Registry,
  ) {
    const gauge = (
      name: string,
      help: string,
      labelNames: readonly string[] = ['environment'],
    ): Gauge => new Gauge({ name, help, labelNames, registers: [registry] });
    this.open = gauge(
      'signon_rotation_open',
      'Open rotations, sweeps and leaks: 1 for each, with its stage.',
      [...PAIR, 'stage'],
    );
    this.tokenEnds = gauge(
      'signon_rotation_waiting_token_ends_timestamp_seconds',
      'Of each rotation that waits for approval: when the first token that it is to revoke ends.',
      PAIR,
    );
    this.polled = gauge(
      'signon_rotation_worker_polls',
      '1 where a worker gets the tasks of the environment, else 0.',
    );
    this.lastSweep = gauge(
      'signon_rotation_last_sweep_timestamp_seconds',
      'When the last sweep began; 0 where none is known.',
    );
    this.lost = gauge(
      'signon_rotation_lost',
      'Rotations of the last day that were terminated or timed out: they ended without a report, and told nobody.',
    );
    this.lastLook = gauge(
      'signon_rotation_last_look_timestamp_seconds',
      'When Temporal last answered all of this; 0 before the first time.',
    );
    this.lastLook.set({ environment }, 0);
  }

  /**
   * Looks at once and then every minute.
   * @param failed told of a look that failed
   * @returns what ends it, and waits for what it asks
   */
  watch(failed: (error: unknown) => void): () => Promise<void> {
    let looking: Promise<void> | undefined;
    const look = (): void => {
      looking ??= this.look()
        .catch((error: unknown) => {
          if (!this.ended) failed(error);
        })
        .finally(() => (looking = undefined));
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return async () => {
      clearInterval(timer);
      this.ended = true;
      this.looking.abort();
      await looking; // a connection that is closed under a question ends the process
    };
  }

  /**
   * Reads what is open and sets the figures. Where Temporal does not answer they stay as they were
   * for five minutes, and are then left out.
   */
  async look(now = Date.now()): Promise<void> {
    const { client, environment } = this;
    this.looking = new AbortController();
    try {
      await client.withAbortSignal(this.looking.signal, async () => {
        const polled = await isPolled(client, environment);
        await client.withDeadline(Date.now() + LOOK_WITHIN_MS, () => this.lookFurther(polled, now));
      });
      this.readAt = now;
    } catch (error) {
      if (now - this.readAt > HOLDS_FOR_MS)
        for (const figure of [this.open, this.tokenEnds, this.polled, this.lost]) figure.reset();
      throw error;
    }
  }

  private async lookFurther(polled: boolean, now: number): Promise<void> {
    const { client, environment } = this;
    const rotations = await listRotations(client, environment);
    const sweptAt = await this.lastSweepAt();
    const sweeps = await this.openSweeps();
    const lost = await this.lostSince(now - LOST_WITHIN_MS);
    const waiting = rotations.filter(({ stage }) => stage === 'waiting-approval');
    const until = Date.now() + LOOK_WITHIN_MS;
    // Otherwise nobody would answer, or hear the answer.
    const mayAsk = (): boolean => polled && !this.ended && Date.now() < until;
    const ends = await pLimit(ASKED_AT_ONCE).map(waiting, (rotation) =>
      this.endOf(rotation, mayAsk, now),
    );
    const stages = await pLimit(ASKED_AT_ONCE).map(sweeps, (sweep) =>
      this.stageOf(sweep, mayAsk, now),
    );
    this.open.reset();
    for (const [at, sweep] of sweeps.entries())
      this.open.set({ environment, ...allPairsOf(sweep, environment), stage: stages[at]! }, 1);
    for (const rotation of rotations)
      this.open.set({ environment, ...pairOf(rotation), stage: rotation.stage }, 1);
    this.tokenEnds.reset();
    for (const [at, end] of ends.entries())
      if (end !== undefined) this.tokenEnds.set({ environment, ...pairOf(waiting[at]!) }, end);
    this.polled.set({ environment }, polled ? 1 : 0);
    this.lastSweep.set({ environment }, sweptAt);
    this.lost.set({ environment }, lost);
    this.lastLook.set({ environment }, now / 1000);
    const open = new Set([...rotations, ...sweeps].map(({ runId }) => runId));
    for (const runId of this.asked.keys()) if (!open.has(runId)) this.asked.delete(runId);
  }

  /** Seconds since the epoch. */
  private async lastSweepAt(): Promise<number> {
    const query = `WorkflowType = '${WORKFLOW.sweep}' AND WorkflowId = '${sweepId(this.environment)}'`;
    let last = 0;
    for await (const { startTime } of this.client.workflow.list({ query }))
      last = Math.max(last, startTime.getTime());
    return last / 1000;
  }

  /** The environment's open sweep and leaks: what blocks one is as urgent as in a rotation. */
  private async openSweeps(): Promise<Run[]> {
    const query = `WorkflowType IN ('${WORKFLOW.sweep}', '${WORKFLOW.apiUser}') AND ExecutionStatus = 'Running'`;
    const ids = [sweepId(this.environment), apiUserIdsOf(this.environment)];
    const found: Run[] = [];
    for await (const { workflowId, runId } of this.client.workflow.list({ query }))
      if (workflowId === ids[0] || workflowId.startsWith(ids[1]!))
        found.push({ workflowId, runId });
    return found;
  }

  private async stageOf(
    { workflowId, runId }: Run,
    mayAsk: () => boolean,
    now: number,
  ): Promise<SweepStage> {
    const known = this.asked.get(runId);
    const before = known?.stage ?? 'sweeping';
    if ((known && now < known.again) || !mayAsk()) return before;
    const status = await askStatus<SweepProgress>(this.client, workflowId, runId).catch(
      () => undefined,
    );
    const stage = status ? (status.blocked ? 'blocked' : 'sweeping') : before;
    this.asked.set(runId, { again: status ? now : now + ASKED_IN_VAIN_EVERY_MS, stage });
    return stage;
  }

  /** How many rotations the server ended, or somebody by terminating them. */
  private async lostSince(moment: number): Promise<number> {
    const { count } = await this.client.workflow.count(
      [
        rotationsOf(this.environment),
        `ExecutionStatus IN ('Terminated', 'TimedOut')`,
        `CloseTime > '${new Date(moment).toISOString()}'`,
      ].join(' AND '),
    );
    return count;
  }

  private async endOf(
    { workflowId, runId }: ListedRotation,
    mayAsk: () => boolean,
    now: number,
  ): Promise<number | undefined> {
    const known = this.asked.get(runId);
    if ((known && now < known.again) || !mayAsk()) return known?.ends;
    const status = await askStatus(this.client, workflowId, runId).catch(() => undefined);
    if (!status) {
      this.asked.set(runId, { again: now + ASKED_IN_VAIN_EVERY_MS, ends: known?.ends });
      return known?.ends;
    }
    const { waiting } = status;
    const days =
      waiting?.kind === 'approval'
        ? waiting.evidence.toRevoke.map(({ expires }) => startOfDay(expires))
        : [];
    const ends = days.length > 0 ? Math.min(...days) / 1000 : undefined;
    this.asked.set(runId, { again: now + ASKED_EVERY_MS, ends });
    return ends;
  }
}

/** The labels of a sweep or a leak, which is of many pairs. */
function allPairsOf({ workflowId }: Run, environment: Environment): ReturnType<typeof pairOf> {
  const isSweep = workflowId === sweepId(environment);
  const apiUser = isSweep ? 'all API users' : workflowId.slice(apiUserIdsOf(environment).length);
  return pairOf({ apiUser, application: 'all applications' });
}

function pairOf({ apiUser, application }: Pick<ListedRotation, 'apiUser' | 'application'>): {
  api_user: string;
  application: string;
} {
  return { api_user: apiUser, application };
}
