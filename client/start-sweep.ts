import type { Client } from '@temporalio/client';
import { taskQueueOf } from '../domain/request/index.ts';
import {
  type ApiUserRequest,
  introduceSweep,
  type SweepReport,
  type SweepRequest,
} from '../domain/sweep/index.ts';
import { apiUserIdsOf, WORKFLOW, sweepId } from '../domain/names/index.ts';
import { type Started, startOrFind } from './start-or-find.ts';

/** A sweep's workflow as its starters see it. */
export type RotateExpiringTokens = (request: SweepRequest) => Promise<SweepReport>;

/** The id under which a plan is started: it touches nothing, and so needs no lock. */
export function planId(environment: string): string {
  return `sweep-plan/${environment}`;
}

/** Starts a sweep under the environment's id, which is its lock. */
export function startSweep(
  client: Client,
  request: SweepRequest,
): Promise<Started<RotateExpiringTokens>> {
  const workflowId = request.plan ? planId(request.environment) : sweepId(request.environment);
  return start(client, WORKFLOW.sweep, workflowId, request);
}

/** Starts the rotations of an API user's tokens under its id, which is the lock. */
export function startApiUser(
  client: Client,
  request: ApiUserRequest,
): Promise<Started<RotateExpiringTokens>> {
  const workflowId = `${apiUserIdsOf(request.environment)}${request.apiUser}`;
  return start(client, WORKFLOW.apiUser, workflowId, request);
}

function start(
  client: Client,
  type: string,
  workflowId: string,
  request: SweepRequest,
): Promise<Started<RotateExpiringTokens>> {
  const taskQueue = taskQueueOf(request.environment);
  const about = { workflowId, taskQueue, ...introduceSweep(request) };
  return startOrFind<RotateExpiringTokens>(client, type, { ...about, args: [request] });
}
