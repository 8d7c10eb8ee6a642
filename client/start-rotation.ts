import type { Client } from '@temporalio/client';
import { attributesOf, introduce, pairsOf, type RotationReport } from '../domain/rotation/index.ts';
import { rotationId, taskQueueOf, type RotationRequest } from '../domain/request/index.ts';
import { WORKFLOW } from '../domain/names/index.ts';
import { type Started, startOrFind } from './start-or-find.ts';

/** A rotation's workflow as its starters see it. */
export type RotateToken = (request: RotationRequest) => Promise<RotationReport>;

/**
 * Starts a rotation under its canonical id, which is the pair's lock; one that is open already is
 * used as it is.
 * @param memo `startsAt` of the alert that asks for it
 * @throws as Temporal's client does; a bad request fails the workflow, not this call
 */
export function startRotation(
  client: Client,
  request: RotationRequest,
  memo?: { startsAt: string },
): Promise<Started<RotateToken>> {
  const about = introduce(request);
  return startOrFind<RotateToken>(client, WORKFLOW.rotation, {
    workflowId: rotationId(request),
    taskQueue: taskQueueOf(request.environment),
    args: [request],
    typedSearchAttributes: pairsOf(attributesOf(request)),
    ...about,
    memo: { ...about.memo, ...memo },
  });
}
