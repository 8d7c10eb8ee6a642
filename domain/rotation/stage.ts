import type { Progress } from './checklist.ts';
import type { Outcome } from './plan.ts';
import type { RotatedPair } from '../request/index.ts';
import type { Day } from '../tokens/index.ts';

/** Where an open rotation stands: from what needs a person to what needs nobody. */
export const OPEN_STAGES = [
  'blocked',
  'waiting-classification',
  'waiting-approval',
  'waiting-renewal',
  'revoking',
  'preparing',
] as const;

/**
 * Where a rotation stands, coarse enough to filter by: the search attribute `RotationStage`. An
 * ended one shows its outcome.
 */
export type Stage = (typeof OPEN_STAGES)[number] | Outcome;

/** The stages in which a person is waited for. */
export const WAITS_FOR_PERSON: readonly Stage[] = [
  'waiting-classification',
  'waiting-approval',
  'blocked',
];

/** Undefined between steps: the stage is what it was. */
export function stageOf({
  steps,
  waiting,
  ended,
  renewalOver,
}: Pick<Progress, 'steps' | 'waiting' | 'ended' | 'renewalOver'>): Stage | undefined {
  if (ended) return ended.outcome;
  if (waiting?.kind === 'blocked') return 'blocked';
  const step = steps.find(({ state }) => state === 'now')?.name;
  if (step === undefined) return undefined;
  if (waiting?.kind === 'classification') return 'waiting-classification';
  if (step === 'approve' || step === 'approve plan') return 'waiting-approval';
  if (renewalOver !== undefined) return 'waiting-renewal';
  return step === 'revoke' || step === 'confirm' ? 'revoking' : 'preparing';
}

/** The last day of the first token that an approval is to revoke; undefined while none is asked. */
export function firstEndOf({ waiting }: Pick<Progress, 'waiting'>): Day | undefined {
  if (waiting?.kind !== 'approval') return undefined;
  return waiting.evidence.toRevoke.map(({ expires }) => expires).toSorted()[0];
}

/** Search attributes that every rotation carries, all of type Keyword. */
export const SEARCH_ATTRIBUTES = [
  'RotationEnvironment',
  'RotationApiUser',
  'RotationApplication',
  'RotationStage',
] as const;
/** The attributes of a rotation that has just begun. */
export function attributesOf(request: RotatedPair): Record<SearchAttribute, string> {
  return {
    RotationEnvironment: request.environment,
    RotationApiUser: request.apiUser,
    RotationApplication: request.application,
    RotationStage: 'preparing' satisfies Stage,
  };
}

export type SearchAttribute = (typeof SEARCH_ATTRIBUTES)[number];
