import { activityInfo } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { isDeepStrictEqual } from 'node:util';
import { judgeApproval, type RecordedSender } from '../../domain/approval.ts';
import { evidenceCode } from '../../domain/evidence.ts';
import { OUTCOMES, type Outcome } from '../../domain/plan.ts';
import type { Environment } from '../../domain/request.ts';
import { keyOf } from '../../domain/search-attributes.ts';
import type { Stage } from '../../domain/stage.ts';
import { syncTokensId } from '../../domain/sync-requests.ts';
import type { Settings } from '../../domain/settings.ts';
import { failure } from '../failure.ts';
import type { Delegation, TemporalActivities } from './interface.ts';

type Event = temporal.api.history.v1.IHistoryEvent;

/** What the worker is set up for. */
export interface WorkerScope {
  environment: Environment;
  settings: Settings;
  /** The identity that the alert receiver starts rotations with. */
  receiver: string;
  /** Hosts of the outside systems, by the name of their setting. */
  hosts: Record<string, string>;
}

/** What Temporal is asked in one activity ends with it: `own` of the steps gives it a minute. */
const ANSWERS_WITHIN_MS = 50_000;

/** What an activity asks of Temporal itself; all of it has a deadline. */
export function createTemporalActivities(client: Client, scope: WorkerScope): TemporalActivities {
  return withDeadline(client, {
    beginRotation(request) {
      if (request.environment !== scope.environment)
        throw failure(
          'InvalidRequest',
          `environment: this worker serves ${scope.environment}, the request says ${request.environment}`,
        );
      const pattern = scope.settings.hosts[scope.environment];
      for (const [name, host] of Object.entries(scope.hosts))
        if (!new RegExp(pattern).test(host))
          throw failure(
            'WrongEnvironment',
            `${name} is ${host}, which does not match ${scope.environment}’s pattern ${pattern}`,
          );
      return Promise.resolve(scope.settings);
    },

    async readRetries() {
      const { workflowId, runId } = own();
      const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
      return (raw.pendingActivities ?? []).flatMap(({ activityType, attempt, maximumAttempts, lastFailure }) =>
        lastFailure
          ? [
              `${activityType?.name}, attempt ${attempt} of ${maximumAttempts}: ${(lastFailure.message ?? '').slice(0, 500)}`,
            ]
          : [],
      );
    },

    async readStarter(delegation) {
      const { workflowId, runId } = own();
      const last = await startOf(client, workflowId, runId);
      const first = last.workflowExecutionStartedEventAttributes?.firstExecutionRunId;
      const start = first && first !== runId ? await startOf(client, workflowId, first) : last;
      return isParent(start, delegation) ? delegation.starter : senderOf(start);
    },

    async listOpen(environment) {
      const query = `WorkflowType = 'rotateToken' AND RotationEnvironment = '${environment}' AND ExecutionStatus = 'Running'`;
      const ids: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
      return ids;
    },

    async readStages(workflowIds) {
      const stages: (Stage | 'ended')[] = [];
      for (const workflowId of workflowIds) stages.push(await stageOf(client, workflowId));
      return stages;
    },

    async requestSync(request) {
      const { environment } = scope;
      await client.workflow.signalWithStart('syncTokens', {
        workflowId: syncTokensId(environment),
        taskQueue: activityInfo().taskQueue,
        args: [],
        signal: 'request',
        signalArgs: [request],
        staticSummary: `Syncs for all rotations of ${environment}`,
      });
    },

    async judge({ approval, sent, evidence, request, delegation }) {
      const { workflowId, runId } = own();
      const events = await historyOf(client, workflowId, runId);
      const [start] = events;
      const received = start && ('signal' in sent ? signalled(events, sent.signal) : updated(events, sent.update));
      if (!received) return { counts: false, why: 'the server’s history does not hold this approval' };
      if (!received.payload || !isDeepStrictEqual(decoded(received.payload), approval))
        return { counts: false, why: 'the server’s history holds another approval' };
      return judgeApproval(approval, {
        request,
        evidence,
        code: evidenceCode(runId, evidence),
        starter: isParent(start, delegation) ? delegation.starter : senderOf(start),
        sender: received.sender,
        receiver: scope.receiver,
      });
    },
  });
}

function withDeadline(client: Client, activities: TemporalActivities): TemporalActivities {
  const bounded = Object.entries(activities as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>).map(
    ([name, act]) => [
      name,
      (...args: unknown[]) => client.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () => act(...args)),
    ],
  );
  return Object.fromEntries(bounded);
}

/** What the server recorded of an approval. */
interface Received {
  payload: Payload | null | undefined;
  sender: RecordedSender;
}

/** The n-th `approve` signal. */
function signalled(events: Event[], ordinal: number): Received | undefined {
  const event = events.filter(({ workflowExecutionSignaledEventAttributes: sent }) => sent?.signalName === 'approve')[
    ordinal
  ];
  const sent = event?.workflowExecutionSignaledEventAttributes;
  if (!event || !sent) return undefined;
  return { payload: sent.input?.payloads?.[0], sender: { identity: sent.identity ?? '', ...principalOf(event) } };
}

/** The `approve` update of that id. One that a reset re-applied stands in the event that admitted it. */
function updated(events: Event[], id: string): Received | undefined {
  for (const event of events) {
    const request =
      event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest ??
      event.workflowExecutionUpdateAdmittedEventAttributes?.request;
    if (request?.meta?.updateId !== id || request.input?.name !== 'approve') continue;
    return {
      payload: request.input.args?.payloads?.[0],
      sender: { identity: request.meta.identity ?? '', ...principalOf(event) },
    };
  }
  return undefined;
}

/** The delegation is believed only where the server records that run as the parent. */
function isParent(start: Event, delegation: Delegation | undefined): delegation is Delegation {
  const parent = start.workflowExecutionStartedEventAttributes?.parentWorkflowExecution;
  return delegation !== undefined && parent?.workflowId === delegation.workflowId && parent.runId === delegation.runId;
}

function senderOf(start: Event): RecordedSender {
  const started = start.workflowExecutionStartedEventAttributes;
  const scheduled = started?.searchAttributes?.indexedFields?.TemporalScheduledById;
  const schedule = scheduled && decoded(scheduled);
  return {
    identity: started?.identity ?? '',
    ...principalOf(start),
    ...(typeof schedule === 'string' && { schedule }),
  };
}

/** The server's own word on who sent an event, where it has an authorizer. */
function principalOf(event: Event): { principal?: string } {
  const name = event.principal?.name;
  return name ? { principal: `${event.principal?.type ?? ''}:${name}` } : {};
}

function own(): { workflowId: string; runId: string } {
  const execution = activityInfo().workflowExecution;
  if (!execution) throw failure('Unexpected', 'this activity runs inside a workflow only');
  return execution;
}

/** Where a rotation's last run stands. One that did not complete, or says nothing, has ended somehow. */
async function stageOf(client: Client, workflowId: string): Promise<Stage | 'ended'> {
  try {
    const { status, typedSearchAttributes } = await client.workflow.getHandle(workflowId).describe();
    const stage = typedSearchAttributes.get(keyOf('RotationStage')) as Stage | undefined;
    if (status.name === 'RUNNING') return stage ?? 'preparing';
    return status.name === 'COMPLETED' && OUTCOMES.includes(stage as Outcome) ? stage! : 'ended';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'ended';
    throw error;
  }
}

/** What a signal carried; undefined where it cannot be read. */
function decoded(payload: Payload): unknown {
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}

async function startOf(client: Client, workflowId: string, runId: string): Promise<Event> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const start = history?.events?.[0];
  if (!start) throw failure('Unreachable', 'Temporal did not answer with the start of this run');
  return start;
}

async function historyOf(client: Client, workflowId: string, runId: string): Promise<Event[]> {
  return (await client.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? [];
}
