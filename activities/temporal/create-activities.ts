import { activityInfo } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { isDeepStrictEqual } from 'node:util';
import {
  ALERT,
  evidenceCode,
  isExampleAddress,
  judgeApproval,
  type RecordedSender,
  SCHEDULE,
  type DecisionId,
  shapeApprove,
} from '../../domain/evidence/index.ts';
import { keyOf, type Outcome, OUTCOMES, type Stage } from '../../domain/rotation/index.ts';
import { approversOf, type Environment, needsSecondPerson } from '../../domain/request/index.ts';
import { isHostOf, type Settings } from '../../domain/settings/index.ts';
import { failure } from '../failure.ts';
import { rememberedByEarlierRun } from './earlier-run.ts';
import type { Delegation, TemporalActivities } from './interface.ts';
import { SIGNAL, WORKFLOW, rotationIdsOf, syncTokensId } from '../../domain/names/index.ts';

type Event = temporal.api.history.v1.IHistoryEvent;

/** What the worker is set up for. */
export interface WorkerScope {
  environment: Environment;
  settings: Settings;
  /** The identity that the alert receiver starts rotations with. */
  receiver: string;
  /** Hosts of the outside systems, by the name of their setting. */
  hosts: Record<string, string>;
  /**
   * Whether Signon is a stand-in on loopback: only there may people have the addresses of examples.
   */
  standIns: boolean;
  /** Whether the worker's role may restart Deployments; undefined where that is not known. */
  mayRestart?: () => Promise<boolean | undefined>;
}

/** What Temporal is asked in one activity ends with it: `own` of the steps gives it a minute. */
const ANSWERS_WITHIN_MS = 50_000;
const LOOKED_UP_AT_ONCE = 25;

/** What an activity asks of Temporal itself; all of it has a deadline. */
export function createTemporalActivities(client: Client, scope: WorkerScope): TemporalActivities {
  return withDeadline(client, {
    async beginRotation(request) {
      if (request.environment !== scope.environment)
        throw failure(
          'InvalidRequest',
          `environment: this worker serves ${scope.environment}, the request says ${request.environment}`,
        );
      const { requestedBy = '' } = request;
      if (!scope.standIns && isExampleAddress(requestedBy))
        throw failure(
          'InvalidRequest',
          `requestedBy: ${requestedBy} is an address of the docs’ examples; start again with your own`,
        );
      const isNobody = requestedBy === ALERT || requestedBy === SCHEDULE;
      if (
        needsSecondPerson(scope.environment) &&
        approversOf(scope.settings.approvers, scope.environment) !== 'anyone'
      )
        if (!isNobody && requestedBy !== '' && !requestedBy.includes('@'))
          throw failure(
            'InvalidRequest',
            `requestedBy: expected an e-mail address, since another person must approve in ${scope.environment}`,
          );
      const pattern = scope.settings.hosts[scope.environment];
      for (const [name, host] of Object.entries(scope.hosts))
        if (!isHostOf(pattern, host))
          throw failure(
            'WrongEnvironment',
            `${name} is ${host}, which does not match ${scope.environment}’s pattern ${pattern}`,
          );
      const mayRestart = await scope.mayRestart?.();
      return mayRestart === undefined ? scope.settings : { ...scope.settings, mayRestart };
    },

    async readRetries() {
      const { workflowId, runId } = own();
      const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
      return (raw.pendingActivities ?? []).flatMap((pending) => {
        const {
          activityType,
          attempt,
          maximumAttempts,
          lastFailure,
          nextAttemptScheduleTime,
          expirationTime,
        } = pending;
        if (!lastFailure) return [];
        const said = [
          `${activityType?.name}, attempt ${attempt} of ${maximumAttempts}`,
          ...timeOf('next', nextAttemptScheduleTime),
          ...timeOf('gives up by', expirationTime),
        ];
        return [`${said.join(', ')}: ${(lastFailure.message ?? '').slice(0, 500)}`];
      });
    },

    readStarter: (delegation) => starterOf(client, delegation),

    async listOpen(environment) {
      const query = `WorkflowType = '${WORKFLOW.rotation}' AND RotationEnvironment = '${environment}' AND ExecutionStatus = 'Running'`;
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
      const { syncLimit: limit, syncGathering: gathering } = scope.settings;
      return Promise.resolve({ limit, gathering });
    },

    async runningRotations(workflowIds) {
      const ours = workflowIds.filter((id) => id.startsWith(rotationIdsOf(scope.environment)));
      const running: string[] = [];
      for (let at = 0; at < ours.length; at += LOOKED_UP_AT_ONCE) {
        const some = ours.slice(at, at + LOOKED_UP_AT_ONCE);
        const runs = await Promise.all(some.map((id) => isRunningRotation(client, id)));
        running.push(...some.filter((_, index) => runs[index]));
      }
      return running;
    },

    async judge({ approval, sent, evidence, request, delegation, starter, given = [] }) {
      const { workflowId, runId } = own();
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
        receiver: scope.receiver,
        standIns: scope.standIns,
        approvers: approversOf(scope.settings.approvers, scope.environment),
        people: scope.settings.people,
        given,
      });
    },

    remembersOf() {
      const { taskQueue, workflowExecution } = activityInfo();
      return rememberedByEarlierRun(client, {
        workflowId: workflowExecution?.workflowId ?? '',
        taskQueue,
      });
    },

    wasSentBefore(stop) {
      const { workflowId, runId } = own();
      return isReapplied(eventsOf(client, workflowId, runId), stop);
    },
  });
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

/** What the server recorded of an approval. */
interface Receipt {
  payload: Payload | null | undefined;
  sender: RecordedSender;
}

/** The approval that came so, read event by event: nothing else of the history is kept. */
async function receivedAs(
  events: AsyncIterable<Event>,
  sent: DecisionId,
): Promise<Receipt | undefined> {
  let signals = 0;
  for await (const event of events) {
    const received = 'signal' in sent ? signalled(event) : updated(event, sent.update);
    if (received && (!('signal' in sent) || signals++ === sent.signal)) return received;
  }
  return undefined;
}

/**
 * Whether a stop is one that a reset applied again: an update then stands in the event that admits
 * it; signals and cancel requests stand between the workflow task that the reset failed and the
 * next one.
 */
async function isReapplied(
  events: AsyncIterable<Event>,
  stop: DecisionId | 'cancel',
): Promise<boolean> {
  let signals = 0;
  let byReset = false;
  for await (const event of events) {
    if (event.workflowTaskFailedEventAttributes?.newRunId) byReset = true;
    else if (event.workflowTaskScheduledEventAttributes) byReset = false;
    if (stop === 'cancel') {
      if (event.workflowExecutionCancelRequestedEventAttributes) return byReset;
    } else if ('update' in stop) {
      if (
        event.workflowExecutionUpdateAdmittedEventAttributes?.request?.meta?.updateId ===
        stop.update
      )
        return true;
    } else if (
      event.workflowExecutionSignaledEventAttributes?.signalName === 'abort' &&
      signals++ === stop.signal
    )
      return byReset;
  }
  return false;
}

/** An `approve` signal. */
function signalled(event: Event): Receipt | undefined {
  const sent = event.workflowExecutionSignaledEventAttributes;
  if (sent?.signalName !== 'approve') return undefined;
  return {
    payload: sent.input?.payloads?.[0],
    sender: { identity: sent.identity ?? '', ...principalOf(event) },
  };
}

/**
 * The `approve` update of that id. One that a reset re-applied stands in the event that admitted
 * it.
 */
function updated(event: Event, id: string): Receipt | undefined {
  const request =
    event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest ??
    event.workflowExecutionUpdateAdmittedEventAttributes?.request;
  if (request?.meta?.updateId !== id || request.input?.name !== 'approve') return undefined;
  return {
    payload: request.input.args?.payloads?.[0],
    sender: { identity: request.meta.identity ?? '', ...principalOf(event) },
  };
}

/** The delegation is believed only where the server records that run as the parent. */
function isParent(start: Event, delegation: Delegation | undefined): delegation is Delegation {
  const parent = start.workflowExecutionStartedEventAttributes?.parentWorkflowExecution;
  return (
    !!parent && parent.workflowId === delegation?.workflowId && parent.runId === delegation?.runId
  );
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

/**
 * Where a rotation's last run stands. One that did not complete, or says nothing, has ended
 * somehow.
 */
async function stageOf(client: Client, workflowId: string): Promise<Stage | 'ended'> {
  try {
    const { status, typedSearchAttributes } = await client.workflow
      .getHandle(workflowId)
      .describe();
    const stage = typedSearchAttributes.get(keyOf('RotationStage')) as Stage | undefined;
    if (status.name === 'RUNNING') return stage ?? 'preparing';
    return status.name === 'COMPLETED' && OUTCOMES.includes(stage as Outcome) ? stage! : 'ended';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'ended';
    throw error;
  }
}

async function isRunningRotation(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status, type } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' && type === WORKFLOW.rotation;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** `next at 10:31:05 UTC`; nothing where the server names no time. */
function timeOf(
  what: string,
  at: temporal.api.workflow.v1.IPendingActivityInfo['scheduledTime'],
): string[] {
  return Number(at?.seconds ?? 0) > 0
    ? [`${what} ${new Date(Number(at!.seconds) * 1000).toISOString().slice(11, 19)} UTC`]
    : [];
}

/** What a signal carried; undefined where it cannot be read. */
function decoded(payload: Payload): unknown {
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}

/**
 * Who started the calling run, or the first of those that it continues, or the run that handed it
 * over.
 */
async function starterOf(
  client: Client,
  delegation: Delegation | undefined,
): Promise<RecordedSender> {
  const { workflowId, runId } = own();
  const last = await startOf(client, workflowId, runId);
  const first = last.workflowExecutionStartedEventAttributes?.firstExecutionRunId;
  const start = first && first !== runId ? await startOf(client, workflowId, first) : last;
  return isParent(start, delegation) ? delegation.starter : senderOf(start);
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

/**
 * An answer of the server holds 4 MB, and one event may be as large as what somebody may send, 2
 * MB.
 */
const FITS_ANY_PAGE = 3_000_000;

/**
 * A run's history, page by page. One that may not fit into one answer is read event by event: the
 * client would retry a page that is too large for minutes.
 */
async function* eventsOf(client: Client, workflowId: string, runId: string): AsyncGenerator<Event> {
  const { historySize } = await client.workflow.getHandle(workflowId, runId).describe();
  const maximumPageSize = (historySize ?? 0) < FITS_ANY_PAGE ? undefined : 1;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize,
      nextPageToken,
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken?.length);
}
