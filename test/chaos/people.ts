import {
  WorkflowFailedError,
  WorkflowNotFoundError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import type { Waiting } from '../../domain/rotation/checklist.ts';
import type { DecisionName } from '../../domain/evidence/decisions.ts';
import { evidenceCode, type Evidence } from '../../domain/evidence/evidence.ts';
import { approvalFor, retriesFor } from '../../domain/rotation/offers.ts';
import type { RotationReport } from '../../domain/rotation/report.ts';
import type { SweepProgress } from '../../domain/sweep/sweep-details.ts';
import type { RotationRequest } from '../../domain/request/request.ts';
import type { Status } from '../support/request.ts';
import type { Act, Fate } from './fate.ts';
import type { Moments } from './moments.ts';

export const REQUESTER = 'ada@example.org';
const APPROVER = 'grace@example.org';
const STRANGER = 999_999;
/** How often people act on one rotation before they leave it waiting. */
const PATIENCE = 6;
/** How long they give it to show something else before they act on the same again. */
const PAUSE_MS = 800;
/** How long anybody waits for one answer of Temporal, which may be down. */
const ANSWER_MS = 3000;

/** An approval that was sent, and what it is good for. */
export interface Sent {
  runId: string;
  /** Ms since the epoch, before it was sent. */
  at: number;
  /** Ids it covers; none where it must count for nothing. */
  covers: number[];
  how: Act | 'early';
}

/** How a rotation stands as far as people are concerned. */
export type Standing =
  | { kind: 'none yet' }
  /** Temporal does not say: it may be down, or slow. */
  | { kind: 'unknown' }
  | { kind: 'at work'; runId: string }
  /** It ended; `failure` where it failed. */
  | { kind: 'ended'; runId: string; report?: RotationReport; failure?: string }
  /** It waits visibly, and nobody does anything about it any more. */
  | { kind: 'left waiting'; runId: string; waiting: Waiting };

/** The people around one run's rotations: they look what is asked, and do what the fate says. */
export class People {
  readonly sent: Sent[] = [];
  private readonly acts: Act[];
  private readonly seen = new Map<string, { acted: number; key: string; at: number }>();

  constructor(
    private readonly fate: Fate,
    private readonly moments: Moments,
  ) {
    this.acts = [...fate.acts];
  }

  /** Looks at one rotation once, and acts where a person is asked. */
  async attend(handle: WorkflowHandle): Promise<Standing> {
    const description = await described(handle);
    if ('kind' in description) return description;
    const { runId, status } = description;
    if (status.name !== 'RUNNING') return ended(handle, runId);
    const shown = await soon(handle.query<Status>('status'));
    const waiting = shown === 'no answer' ? undefined : shown.waiting;
    if (!waiting || shown === 'no answer') return { kind: 'at work', runId };
    const key = `${runId} ${waiting.kind} ${waiting.since}`;
    const before = this.seen.get(handle.workflowId) ?? { acted: 0, key: '', at: 0 };
    if (before.acted >= PATIENCE) return { kind: 'left waiting', runId, waiting };
    if (before.key === key && Date.now() - before.at < PAUSE_MS) return { kind: 'at work', runId };
    this.seen.set(handle.workflowId, { acted: before.acted + 1, key, at: Date.now() });
    this.moments.reach('person', 'before');
    await this.act(handle, runId, shown.request, waiting, before.acted);
    this.moments.reach('person', 'after');
    return { kind: 'at work', runId };
  }

  /** Looks at the sweep once, and sends it on where it is blocked. */
  async attendSweep(handle: WorkflowHandle): Promise<Standing> {
    const description = await described(handle);
    if ('kind' in description) return description;
    const { runId, status } = description;
    if (status.name !== 'RUNNING') return { kind: 'ended', runId };
    const shown = await soon(handle.query<SweepProgress>('status'));
    if (shown === 'no answer' || !shown.blocked) return { kind: 'at work', runId };
    const before = this.seen.get(handle.workflowId) ?? { acted: 0, key: '', at: 0 };
    if (before.acted >= PATIENCE)
      return {
        kind: 'left waiting',
        runId,
        waiting: { kind: 'blocked', step: 'assess', tokens: '', tries: 1, ...shown.blocked },
      };
    if (Date.now() - before.at < PAUSE_MS) return { kind: 'at work', runId };
    this.seen.set(handle.workflowId, { acted: before.acted + 1, key: '', at: Date.now() });
    await soon(handle.signal<[object]>('retry', { by: APPROVER }));
    return { kind: 'at work', runId };
  }

  /** Approves before anything was asked: it must count for nothing. */
  async approveEarly(handle: WorkflowHandle): Promise<void> {
    this.note('', 'early', []);
    await this.send(handle, 'approve', { by: APPROVER, evidence: '00000000' });
  }

  private async act(
    handle: WorkflowHandle,
    runId: string,
    request: RotationRequest,
    waiting: Waiting,
    acted: number,
  ): Promise<void> {
    const act = this.acts.shift() ?? 'does what is offered';
    if (act === 'says nothing') return;
    if (act === 'cancels') return void (await soon(handle.cancel()));
    if (
      act === 'aborts' ||
      waiting.kind === 'classification' ||
      (act === 'rejects' && waiting.kind === 'blocked')
    )
      return this.send(handle, 'abort', { by: APPROVER, reason: 'so it was drawn' });
    if (act === 'rejects')
      return this.send(handle, 'reject', { by: APPROVER, reason: 'so it was drawn' });
    if (waiting.kind === 'blocked') {
      const offered = retriesFor(waiting).map(({ retry }) => retry);
      const retry = { ...offered[acted % offered.length]!, by: APPROVER };
      await this.send(handle, 'retry', retry, act === 'does it as an update');
      if (act === 'does it twice') await this.send(handle, 'retry', retry);
      return;
    }
    await this.approve(handle, runId, request, waiting.evidence, act);
  }

  private async approve(
    handle: WorkflowHandle,
    runId: string,
    request: RotationRequest,
    evidence: Evidence,
    act: Act,
  ): Promise<void> {
    const offered = { ...approvalFor(evidence, runId), by: APPROVER };
    const all = evidence.toRevoke.map(({ authorisationId }) => authorisationId);
    switch (act) {
      case 'quotes another run':
        this.note(runId, act, []);
        return this.send(handle, 'approve', {
          ...offered,
          evidence: evidenceCode(randomUUID(), evidence),
        });
      case 'quotes the round before': {
        this.note(runId, act, []);
        const earlier = evidenceCode(runId, { ...evidence, round: evidence.round - 1 });
        return this.send(handle, 'approve', { ...offered, evidence: earlier });
      }
      case 'names a stranger':
        this.note(runId, act, []);
        return this.send(handle, 'approve', { ...offered, revoke: [...all, STRANGER] });
      case 'approves as the requester': {
        const alone = this.fate.environment === 'production' && request.requestedBy === REQUESTER;
        this.note(runId, act, alone ? [] : all);
        return this.send(handle, 'approve', { ...offered, by: ` ${REQUESTER.toUpperCase()} ` });
      }
      default:
        this.note(runId, act, all);
        await this.send(handle, 'approve', offered, act === 'does it as an update');
        if (act === 'does it twice') await this.send(handle, 'approve', offered);
        if (act === 'approves and aborts at once')
          await this.send(handle, 'abort', { by: APPROVER, reason: 'thought again' });
    }
  }

  private note(runId: string, how: Sent['how'], covers: number[]): void {
    this.sent.push({ runId, at: Date.now(), covers, how });
  }

  private async send(
    handle: WorkflowHandle,
    what: DecisionName,
    body: object,
    asUpdate = false,
  ): Promise<void> {
    await soon(
      asUpdate
        ? handle.executeUpdate<unknown, [object]>(what, { args: [body] })
        : handle.signal<[object]>(what, body),
    );
  }
}

/** What Temporal says of a workflow: that there is none is another answer than none. */
async function described(handle: WorkflowHandle): Promise<WorkflowExecutionDescription | Standing> {
  const none = (error: unknown): Standing => {
    if (error instanceof WorkflowNotFoundError) return { kind: 'none yet' };
    throw error;
  };
  const answer = await soon(handle.describe().catch(none));
  return answer === 'no answer' ? { kind: 'unknown' } : answer;
}

async function ended(handle: WorkflowHandle, runId: string): Promise<Standing> {
  const result = handle.client
    .getHandle<() => Promise<RotationReport>>(handle.workflowId, runId)
    .result();
  const standing = result.then(
    (report): Standing => ({ kind: 'ended', runId, report }),
    (error: unknown): Standing => {
      if (!(error instanceof WorkflowFailedError)) throw error;
      return { kind: 'ended', runId, failure: String(error.cause ?? error) };
    },
  );
  const known = await soon(standing);
  return known === 'no answer' ? { kind: 'at work', runId } : known;
}

/** The answer; or that there is none, for Temporal or the worker may be down. */
async function soon<T>(answer: Promise<T>): Promise<T | 'no answer'> {
  return Promise.race([
    answer.catch(() => 'no answer' as const),
    after(ANSWER_MS, 'no answer' as const, { ref: false }),
  ]);
}
