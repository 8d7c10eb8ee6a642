import type { Client } from '@temporalio/client';
import { Gauge, type Registry } from 'prom-client';
import type { Environment } from '../../domain/request/index.ts';
import { startOfDay } from '../../domain/tokens/index.ts';
import { isPolled } from '../polling.ts';
import { attributeOf, lastRunOf, listRotations, rotationsOf } from '../rotations.ts';
import { apiUserIdsOf, sweepId, WORKFLOW } from '../../domain/names/index.ts';

const LOOK_EVERY_MS = 60_000;
/** How long to wait for all answers of one look. */
const LOOK_WITHIN_MS = 50_000;
/** Figures older than this are not shown: another receiver may have newer ones. */
const HOLDS_FOR_MS = 5 * 60_000;
const LOST_WITHIN_MS = 24 * 60 * 60_000;
/** Of lost rotations, so many are looked up; more are an incident of another size. */
const LOOKED_UP_AT_MOST = 100;

const PAIR = ['environment', 'api_user', 'application'];

/**
 * What no worker can tell, for it may be the worker that is away: which rotations are open and in
 * which stage, whether anybody works on them, when the last sweep began. Read from Temporal every
 * minute.
 */
export class OpenRotations {
  private readonly gauges: ReturnType<typeof gaugesOf>;
  /**
   * Ends the look that is under way. One for each look: the SDK keeps every call that a signal was
   * given to.
   */
  private looking = new AbortController();
  private readAt = 0;

  constructor(
    private readonly client: Client,
    private readonly environment: Environment,
    registry: Registry,
  ) {
    this.gauges = gaugesOf(registry);
    this.gauges.lastLook.set({ environment }, 0);
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
          if (!this.looking.signal.aborted) failed(error);
        })
        .finally(() => (looking = undefined));
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return async () => {
      clearInterval(timer);
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
      const { open, tokenEnds, polled, lost } = this.gauges;
      if (now - this.readAt > HOLDS_FOR_MS)
        for (const figure of [open, tokenEnds, polled, lost]) figure.reset();
      throw error;
    }
  }

  private async lookFurther(polled: boolean, now: number): Promise<void> {
    const { client, environment, gauges } = this;
    const rotations = await listRotations(client, environment);
    const lastSweep = await lastRunOf(client, sweepId(environment));
    const sweeps = await this.openSweeps();
    const lost = await this.lostSince(now - LOST_WITHIN_MS);
    gauges.open.reset();
    for (const { apiUser: api_user, stage } of sweeps)
      gauges.open.set({ environment, api_user, application: 'all applications', stage }, 1);
    gauges.tokenEnds.reset();
    for (const { apiUser: api_user, application, stage, firstEnd } of rotations) {
      const pair = { environment, api_user, application };
      gauges.open.set({ ...pair, stage }, 1);
      if (stage === 'waiting-approval' && firstEnd !== undefined)
        gauges.tokenEnds.set(pair, startOfDay(firstEnd) / 1000);
    }
    gauges.polled.set({ environment }, polled ? 1 : 0);
    gauges.lastSweep.set({ environment }, (lastSweep?.startTime.getTime() ?? 0) / 1000);
    gauges.lost.set({ environment }, lost);
    gauges.lastLook.set({ environment }, now / 1000);
  }

  /** The environment's open sweep and leaks: what blocks one is as urgent as in a rotation. */
  private async openSweeps(): Promise<{ apiUser: string; stage: string }[]> {
    const query = `WorkflowType IN ('${WORKFLOW.sweep}', '${WORKFLOW.apiUser}') AND ExecutionStatus = 'Running'`;
    const ofOne = apiUserIdsOf(this.environment);
    const found = [];
    for await (const execution of this.client.workflow.list({ query })) {
      const { workflowId } = execution;
      const stage = attributeOf(execution, 'RotationStage') || 'sweeping';
      if (workflowId === sweepId(this.environment)) found.push({ apiUser: 'all API users', stage });
      else if (workflowId.startsWith(ofOne))
        found.push({ apiUser: workflowId.slice(ofOne.length), stage });
    }
    return found;
  }

  /**
   * How many rotations the server ended, or somebody by terminating them. Leaves out those that
   * were started again since, e.g. by a reset.
   */
  private async lostSince(moment: number): Promise<number> {
    const query = [
      rotationsOf(this.environment),
      `ExecutionStatus IN ('Terminated', 'TimedOut')`,
      `CloseTime > '${new Date(moment).toISOString()}'`,
    ].join(' AND ');
    let [lost, looked] = [0, 0];
    for await (const { workflowId, runId } of this.client.workflow.list({ query })) {
      const isLookedUp = ++looked <= LOOKED_UP_AT_MOST;
      const last = isLookedUp ? await lastRunOf(this.client, workflowId) : undefined;
      if (last === undefined || last.runId === runId) lost++; // the server may have deleted it
    }
    return lost;
  }
}

function gaugesOf(registry: Registry) {
  const gauge = (name: string, help: string, labelNames = ['environment']): Gauge =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  return {
    open: gauge(
      'signon_rotation_open',
      'Open rotations, sweeps and leaks: 1 for each, with its stage.',
      [...PAIR, 'stage'],
    ),
    tokenEnds: gauge(
      'signon_rotation_waiting_token_ends_timestamp_seconds',
      'Of each rotation that waits for approval: when the first token that it is to revoke ends.',
      PAIR,
    ),
    polled: gauge(
      'signon_rotation_worker_polls',
      '1 where a worker gets the tasks of the environment, else 0.',
    ),
    lastSweep: gauge(
      'signon_rotation_last_sweep_timestamp_seconds',
      'When the last sweep began; 0 where none is known.',
    ),
    lost: gauge(
      'signon_rotation_lost',
      'Rotations that were terminated or timed out within a day, and not started again: they left no report.',
    ),
    lastLook: gauge(
      'signon_rotation_last_look_timestamp_seconds',
      'When Temporal last answered all of this; 0 before the first time.',
    ),
  };
}
