import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { evidenceCode, judgeApproval, shapeApprove } from '../../domain/evidence/index.ts';
import { SIGNAL, WORKFLOW, rotationIdsOf, syncTokensId } from '../../domain/names/index.ts';
import { approversOf } from '../../domain/request/index.ts';
import { isLoopback } from '../../config/variables.ts';
import { rememberedByEarlierRun } from './earlier-run.ts';
import { decoded, eventsOf } from './history.ts';
import type { TemporalActivities } from './interface.ts';
import { isReapplied, receivedAs } from './recorded-decisions.ts';
import { isRunningRotation, stageOf } from './stages.ts';
import { starterOf } from './starter.ts';
import { refuseUnserved, type WorkerScope } from './worker-scope.ts';
import { WAITS_FOR } from '../heartbeat.ts';
import { isObject } from '../../domain/shape/index.ts';

type Pending = temporal.api.workflow.v1.IPendingActivityInfo;

/** How long one activity may ask Temporal: the step `own` gives it a minute. */
const ANSWERS_WITHIN_MS = 50_000;
const LOOKED_UP_AT_ONCE = 25;

/**
 * What an activity asks of Temporal itself; all of it has a deadline.
 * @param mayRestart whether the worker's role may restart Deployments; undefined if unknown
 */
export function createTemporalActivities(
  client: Client,
  scope: WorkerScope,
  mayRestart?: () => Promise<boolean | undefined>,
): TemporalActivities {
  const { ROTATION_ENVIRONMENT: environment, settings } = scope;
  return withDeadline(client, {
    async beginRotation(request) {
      refuseUnserved(request, scope);
      const may = await mayRestart?.();
      return may === undefined ? settings : { ...settings, mayRestart: may };
    },

    async readRetries() {
      const { workflowId, runId } = activityInfo().workflowExecution!;
      const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
      return (raw.pendingActivities ?? []).flatMap((pending) => {
        const { activityType, attempt, maximumAttempts, lastFailure } = pending;
        if (!lastFailure) return waitOf(pending);
        const said = [
          `${activityType?.name}, attempt ${attempt} of ${maximumAttempts}`,
          ...timeOf('next', pending.nextAttemptScheduleTime),
          ...timeOf('gives up by', pending.expirationTime),
        ];
        return [`${said.join(', ')}: ${(lastFailure.message ?? '').slice(0, 500)}`];
      });
    },

    readStarter: (delegation) => starterOf(client, delegation),

    async listOpen(asked) {
      const query = `WorkflowType = '${WORKFLOW.rotation}' AND RotationEnvironment = '${asked}' AND ExecutionStatus = 'Running'`;
      const ids: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
      return ids;
    },

    readStages: (workflowIds) =>
      pLimit(LOOKED_UP_AT_ONCE).map(workflowIds, (id) => stageOf(client, id)),

    async requestSync(request) {
      await client.workflow.signalWithStart(WORKFLOW.sync, {
        workflowId: syncTokensId(environment),
        taskQueue: activityInfo().taskQueue,
        args: [],
        signal: SIGNAL.syncRequested,
        signalArgs: [request],
        staticSummary: `Syncs for all rotations of ${environment}`,
      });
    },

    syncSettings() {
      const { syncLimit: limit, syncGathering: gathering } = settings;
      return Promise.resolve({ limit, gathering });
    },

    async runningRotations(workflowIds) {
      const ours = workflowIds.filter((id) => id.startsWith(rotationIdsOf(environment)));
      const runs = await pLimit(LOOKED_UP_AT_ONCE).map(ours, (id) => isRunningRotation(client, id));
      return ours.filter((_, index) => runs[index]);
    },

    async judge({ approval, sent, evidence, request, delegation, starter, given = [] }) {
      const { workflowId, runId } = activityInfo().workflowExecution!;
      const received = await receivedAs(eventsOf(client, workflowId, runId), sent);
      if (!received)
        return { counts: false, why: 'the server’s history does not hold this approval' };
      const recorded = received.payload && shapeApprove(decoded(received.payload));
      if (!recorded?.ok || !isDeepStrictEqual(recorded.value, approval))
        return { counts: false, why: 'the server’s history holds another approval' };
      return judgeApproval(approval, {
        request,
        evidence,
        code: evidenceCode(runId, evidence),
        starter: starter ?? (await starterOf(client, delegation)),
        sender: received.sender,
        receiver: scope.ALERT_RECEIVER_IDENTITY,
        standIns: isLoopback(scope.SIGNON_URL),
        approvers: approversOf(settings.approvers, environment),
        people: settings.people,
        given,
      });
    },

    remembersOf: () => rememberedByEarlierRun(client),

    wasSentBefore(stop) {
      const { workflowId, runId } = activityInfo().workflowExecution!;
      return isReapplied(eventsOf(client, workflowId, runId), stop);
    },
  });
}

/** What a wait last said that it waits for, and when. */
function waitOf({ heartbeatDetails, lastHeartbeatTime }: Pending): string[] {
  const [payload] = heartbeatDetails?.payloads ?? [];
  const kept = payload && decoded(payload);
  if (!isObject(kept) || typeof kept[WAITS_FOR] !== 'string') return [];
  return [
    [`waits for ${kept[WAITS_FOR].slice(0, 500)}`, ...timeOf('seen', lastHeartbeatTime)].join(', '),
  ];
}

/** `next at 10:31:05 UTC`; nothing where the server names no time. */
function timeOf(what: string, at: Pending['scheduledTime']): string[] {
  return Number(at?.seconds ?? 0) > 0
    ? [`${what} ${new Date(Number(at!.seconds) * 1000).toISOString().slice(11, 19)} UTC`]
    : [];
}

function withDeadline(client: Client, activities: TemporalActivities): TemporalActivities {
  const bounded = Object.entries(
    activities as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>,
  ).map(([name, act]) => [
    name,
    (...args: unknown[]) => client.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () => act(...args)),
  ]);
  return Object.fromEntries(bounded);
}
