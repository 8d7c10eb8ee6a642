import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import {
  askedBy,
  whyNot,
  type AlertVerdict,
  type PastRotation,
} from '../../domain/alerts/index.ts';
import { OUTCOMES, type Outcome } from '../../domain/rotation/index.ts';
import { plain } from '../../domain/text/index.ts';
import { rotationId, type Environment } from '../../domain/request/index.ts';
import { isPolled } from '../polling.ts';
import { attributeOf, lastRunOf } from '../rotations.ts';
import { startRotation } from '../start-workflows.ts';
import type { Read } from './payload.ts';
import type { Starts } from './starts.ts';

export const RESULTS = [
  'started',
  'already running',
  'ignored',
  'refused',
  'later',
  'throttled',
] as const;

export interface Taken {
  result: (typeof RESULTS)[number];
  /** Of an alert that was ignored, refused or is to come again. */
  why?: string;
  apiUser?: string;
  application?: string;
  workflowId?: string;
}

/**
 * All calls to Temporal for one payload end within this, in ms; what is left then is to come again.
 */
const ANSWER_WITHIN_MS = 20_000;
/** gRPC's: what is asked for can never be. */
const INVALID_ARGUMENT = 3;
/**
 * Cancelled, deadline exceeded, permission denied, unavailable, unauthenticated: what one meets,
 * all would.
 */
const ANSWERS_NOBODY = [1, 4, 7, 14, 16];
const LONGEST_SHOWN = 254;
const AWAY = 'Temporal does not answer';

type Start = Extract<AlertVerdict, { kind: 'start' }>;

/**
 * Takes the alerts of one payload, one after the other. Nothing is started where Temporal does not
 * answer or no worker polls: what asks for a rotation then is answered `later`, and what is more
 * than the hour allows `throttled`, for Alertmanager to send again.
 * @param now ms since the epoch
 */
export async function takeAlerts(
  client: Client,
  environment: Environment,
  alerts: readonly Read[],
  starts: Starts,
  now: number,
): Promise<Taken[]> {
  const asked = alerts.map((read): AlertVerdict =>
    read.ok ? askedBy(read.alert, environment) : { kind: 'refused', ...read },
  );
  const until = Date.now() + ANSWER_WITHIN_MS;
  let away = asked.some(({ kind }) => kind === 'start')
    ? await whatIsAway(client, environment)
    : undefined;
  const take = async (one: AlertVerdict): Promise<Taken> => {
    if (one.kind !== 'start') return { result: one.kind, why: shown(one.why) };
    if (away !== undefined) return { result: 'later', why: away };
    try {
      return await client.withDeadline(until, () => startUnless(client, one, starts, now));
    } catch (error) {
      const code = grpcCodeOf(error);
      if (code === INVALID_ARGUMENT) return { result: 'refused', why: 'Temporal calls it invalid' };
      if (code !== undefined && ANSWERS_NOBODY.includes(code)) away = AWAY;
      return { result: 'later', why: AWAY };
    }
  };
  const taken: Taken[] = [];
  for (const [at, one] of asked.entries())
    taken.push({ ...namesIn(alerts[at]), ...(await take(one)) });
  return taken;
}

/** Why nothing can be started now; undefined where it can. */
async function whatIsAway(client: Client, environment: Environment): Promise<string | undefined> {
  try {
    const polled = await isPolled(client, environment);
    return polled ? undefined : `no worker polls the task queue of ${environment}`;
  } catch {
    return AWAY;
  }
}

/** Starts a rotation, unless those that the server remembers say otherwise. */
async function startUnless(
  client: Client,
  { request, startsAt }: Start,
  starts: Starts,
  now: number,
): Promise<Taken> {
  const workflowId = rotationId(request);
  const against = whyNot(await rotationsOf(client, workflowId), startsAt, now);
  if (against)
    return { workflowId, result: against.kind, ...('why' in against && { why: against.why }) };
  if (!starts.take(now))
    return {
      workflowId,
      result: 'throttled',
      why: 'as many rotations were started as an hour allows',
    };
  let fresh = false;
  try {
    ({ fresh } = await startRotation(client, request, { startsAt }));
  } finally {
    if (!fresh) starts.giveBack();
  }
  return { workflowId, result: fresh ? 'started' : 'already running' };
}

/**
 * The rotations of a pair, as far back as the namespace keeps them: the last as the server knows
 * it, the others as it lists them.
 */
async function rotationsOf(client: Client, workflowId: string): Promise<PastRotation[]> {
  const last = await lastRunOf(client, workflowId);
  if (!last) return [];
  const rotations = [pastRotation(last)];
  if (rotations[0]!.open) return rotations; // the others change nothing
  const query = `WorkflowId = '${workflowId.replace(/['\\]/g, '\\$&')}'`;
  for await (const execution of client.workflow.list({ query }))
    rotations.push(pastRotation(execution));
  return rotations;
}

function pastRotation(
  execution: Pick<WorkflowExecutionInfo, 'status' | 'closeTime' | 'memo' | 'typedSearchAttributes'>,
): PastRotation {
  const { status, closeTime, memo } = execution;
  const stage = attributeOf(execution, 'RotationStage') as Outcome;
  return {
    open: status.name === 'RUNNING',
    closedAt: closeTime?.getTime(),
    ...(status.name === 'COMPLETED' && OUTCOMES.includes(stage) && { outcome: stage }),
    ...(typeof memo?.startsAt === 'string' && { startsAt: memo.startsAt }),
  };
}

function namesIn(read: Read | undefined): Pick<Taken, 'apiUser' | 'application'> {
  if (!read?.ok) return {};
  const { api_user: apiUser, application } = read.alert.labels;
  return {
    apiUser: apiUser === undefined ? undefined : shown(apiUser),
    application: application === undefined ? undefined : shown(application),
  };
}

/** Undefined where it is no answer of the server. */
function grpcCodeOf(error: unknown): number | undefined {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return isGrpcServiceError(cause) ? cause.code : undefined;
}

/** Text from outside, bounded and without what moves a cursor. */
function shown(text: string): string {
  return plain(text.slice(0, LONGEST_SHOWN));
}
