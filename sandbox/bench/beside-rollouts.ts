import { setTimeout as after } from 'node:timers/promises';
import pLimit from 'p-limit';
import { AT_ONCE } from '../../client/cli/context.ts';
import { askStatus, listRotations } from '../../client/rotations.ts';
import { startRotation, startSweep } from '../../client/start-workflows.ts';
import type { Evidence } from '../../domain/evidence/index.ts';
import { approvalFor } from '../../domain/rotation/index.ts';
import { expireIn } from '../seed.ts';
import { layFleet, tokensOf } from './fleet.ts';
import type { Ground } from './ground.ts';

const HOUR_MS = 3_600_000;
const FIRST = {
  environment: 'integration',
  application: 'publishing-api',
  requestedBy: 'bench',
} as const;

/**
 * What an approved revoke meets while many rollouts wait: ms from scheduling it to its start, and
 * from the approval to its end.
 */
export interface BesideFigures {
  waiting: number;
  scheduledToStarted: number;
  approvalToRevoked: number;
}

/** A ground on which `rollouts` rotations will wait for pods, and one for approval. */
export async function layBeside(rollouts: number): Promise<Ground> {
  const ground = await layFleet(rollouts + 2);
  expireIn(ground.sandbox.world, 'app-0000@alphagov.co.uk', 'email-alert-api', 400); // its rollout would replace the first one's pods
  return ground;
}

export async function revokeBeside(ground: Ground): Promise<BesideFigures> {
  const { client, sandbox } = ground;
  const others = tokensOf(sandbox.world) - 2;
  const { handle } = await startRotation(client, { ...FIRST, apiUser: 'app-0000@alphagov.co.uk' });
  const askedFor = async (): Promise<Evidence> => {
    for (;;) {
      const now = await askStatus(client, handle.workflowId);
      if (now?.waiting?.kind === 'approval') return now.waiting.evidence;
      await after(250);
    }
  };
  await askedFor();
  sandbox.options.podStartMs = HOUR_MS;
  await startSweep(client, { environment: 'integration', requestedBy: 'bench' });
  const waiting = await untilWaitingForPods(ground, others);

  const evidence = await askedFor();
  const { runId } = await handle.describe();
  await handle.signal<[unknown]>('approve', { ...approvalFor(evidence, runId), by: 'approver' });
  await handle.result();
  const { events } = await handle.fetchHistory();
  const at = (event: { eventTime?: unknown } | undefined): number => {
    const { seconds, nanos } = (event?.eventTime ?? {}) as {
      seconds?: { toString: () => string };
      nanos?: number;
    };
    return Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6;
  };
  const all = events ?? [];
  const scheduled = all.find(
    (one) => one.activityTaskScheduledEventAttributes?.activityType?.name === 'revokeToken',
  );
  const of = (id: unknown): boolean => String(id) === String(scheduled?.eventId);
  const started = all.find((one) => of(one.activityTaskStartedEventAttributes?.scheduledEventId));
  const completed = all.find((one) =>
    of(one.activityTaskCompletedEventAttributes?.scheduledEventId),
  );
  const signalled = all.find(
    (one) => one.workflowExecutionSignaledEventAttributes?.signalName === 'approve',
  );
  return {
    waiting,
    scheduledToStarted: at(started) - at(scheduled),
    approvalToRevoked: at(completed) - at(signalled),
  };
}

/** Waits until so many rotations wait for their pods. */
async function untilWaitingForPods({ client }: Ground, wanted: number): Promise<number> {
  for (;;) {
    const rotations = await listRotations(client, 'integration');
    const waits = await pLimit(AT_ONCE).map(rotations, async ({ workflowId }) => {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      return (raw.pendingActivities ?? []).some(
        ({ activityType }) => activityType?.name === 'awaitRollout',
      );
    });
    const waiting = waits.filter(Boolean).length;
    if (waiting >= wanted) return waiting;
    await after(2000);
  }
}
