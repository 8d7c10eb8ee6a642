import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as after } from 'node:timers/promises';
import { type RotateToken, startRotation } from '../../client/start-workflows.ts';
import { approvalFor, type Progress } from '../../domain/rotation/index.ts';
import { type Ground, REQUEST } from './ground.ts';

type Event = NonNullable<
  Awaited<ReturnType<WorkflowHandle<RotateToken>['fetchHistory']>>['events']
>[number];

/** One rotation's times in ms, by the server's clock, and what its history holds. */
export interface RotationFigures {
  toApproval: number;
  toRevoked: number;
  /** From the end of the sync Job in the stand-in to the workflow's next task. */
  jobKnownAfter: number;
  events: Record<string, number>;
  /** Each has up to three events: scheduled, started, completed. */
  workflowTasks: number;
  activities: Record<string, number>;
}

/** Rotates once through Temporal, approving by itself. */
export async function rotateOnce({ client, sandbox }: Ground): Promise<RotationFigures> {
  const { handle } = await startRotation(client, REQUEST);
  for (;;) {
    const status = await handle.query<Progress>('status').catch(() => undefined);
    if (status?.waiting?.kind === 'blocked') throw new Error(`blocked: ${status.waiting.message}`);
    if (status?.waiting?.kind === 'approval') {
      const { runId } = await handle.describe();
      const { evidence } = status.waiting;
      const revoke = evidence.toRevoke.map(({ authorisationId }) => authorisationId);
      await handle.signal<[unknown]>('approve', {
        ...approvalFor(evidence, runId),
        by: 'bench',
        revoke,
      });
      break;
    }
    await after(250);
  }
  await handle.result();
  const { events } = await handle.fetchHistory();
  return figuresOf(events ?? [], sandbox.world.state.jobs.at(-1)?.endedAt ?? Number.NaN);
}

function figuresOf(events: Event[], jobEndedAt: number): RotationFigures {
  const at = (event: Event | undefined): number =>
    Number(event?.eventTime?.seconds ?? 0) * 1000 + (event?.eventTime?.nanos ?? 0) / 1e6;
  const scheduled = (name: string): Event[] =>
    events.filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === name,
    );
  const completed = (name: string): Event | undefined =>
    events.find(
      (event) =>
        String(event.activityTaskCompletedEventAttributes?.scheduledEventId) ===
        String(scheduled(name)[0]?.eventId),
    );
  const nextTask = (event: Event | undefined): Event | undefined =>
    events.find(
      (other) =>
        Number(other.eventId) > Number(event?.eventId) && other.workflowTaskStartedEventAttributes,
    );
  const signalled = (name: string): Event | undefined =>
    events.find((event) => event.workflowExecutionSignaledEventAttributes?.signalName === name);
  const count = (names: string[]): Record<string, number> =>
    Object.fromEntries(
      [...new Set(names)].map((name) => [name, names.filter((other) => other === name).length]),
    );
  return {
    toApproval: at(nextTask(completed('smokeConsumers'))) - at(events[0]),
    toRevoked: at(completed('revokeToken')) - at(signalled('approve')),
    jobKnownAfter: at(nextTask(signalled('synced'))) - jobEndedAt,
    events: count(events.map(kindOf)),
    workflowTasks: events.filter((event) => event.workflowTaskCompletedEventAttributes).length,
    activities: count(
      events.flatMap(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
      ),
    ),
  };
}

function kindOf(event: Event): string {
  const kind = Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? 'other';
  if (kind.startsWith('workflowTask')) return 'events of workflow tasks';
  if (kind.startsWith('activityTask')) return 'events of activities';
  if (kind.startsWith('timer')) return 'events of timers';
  return 'start, signals, attributes, notices, end';
}
