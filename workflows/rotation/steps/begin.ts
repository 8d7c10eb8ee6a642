import {
  type Carried,
  planFor,
  type Round,
  type Situation,
  type Stop,
} from '../../../domain/rotation/index.ts';
import { newestOf } from '../../../domain/tokens/index.ts';
import { seenHeld, workloadsOf } from '../../../domain/cluster/index.ts';
import { assess } from './assess.ts';
import { agreed } from './hand-over.ts';
import { findHolders } from './holders.ts';
import { issued } from './issue.ts';
import { lookAgain } from './look-again.ts';
import type { Runbook } from '../runbook.ts';

/** What is to be done with a pair: prove a new token, end its access, or nothing. */
type Beginning =
  { kind: 'rotate'; round: Round } | { kind: 'retire'; situation: Carried<Situation> } | Stop;

/**
 * Finds out what there is, then issues the new token or adopts one. Goes on from a fresh look where
 * a history was cut.
 */
export async function begin(
  book: Runbook,
  carried: Carried<Situation | Round> | undefined,
): Promise<Beginning> {
  if (carried) {
    book.keep(carried);
    book.linkTo(carried.settings);
    if (!('newToken' in carried)) return { kind: 'retire', situation: carried };
    return { kind: 'rotate', round: await book.step('assess', () => lookAgain(book, carried)) };
  }
  const assessment = await book.step('assess', () => assess(book));
  if (assessment.kind === 'stop') return assessment;
  const plan = planFor(assessment, book.request, Date.now());
  if (plan.kind === 'stop') return plan;
  const { settings, pair, cronJob, tokens } = assessment;
  const { readers, look, recipient, disused } = await findHolders(book, assessment);
  const before = book.request.force ? tokens.map(({ authorisationId }) => authorisationId) : [];
  const known = workloadsOf(look.consumers);
  const everHeld = seenHeld(assessment.remembered.givenUp, look.containers, known);
  const about = {
    settings,
    pair,
    cronJob,
    recipient,
    before,
    known,
    readers,
    everHeld,
    tokens,
    look,
  };
  const situation: Situation = { ...about, confirmedRevokes: 0 };
  if (disused) return { kind: 'retire', situation };
  if (plan.kind === 'issue') await agreed(book, situation);
  return { kind: 'rotate', round: await issued(book, situation, plan) };
}

/**
 * What is to be done with a pair that was called disused and is not: its new token is issued,
 * unless one outlives the window. Nothing, where no token of it is left.
 */
export async function beginAnew(
  book: Runbook,
  situation: Situation,
): Promise<Exclude<Beginning, { kind: 'retire' }>> {
  const plan = planFor(situation, book.request, Date.now());
  if (plan.kind === 'issue') await agreed(book, situation);
  const newest = newestOf(situation.tokens);
  if (plan.kind !== 'stop') return { kind: 'rotate', round: await issued(book, situation, plan) };
  if (!newest) return plan;
  const round = await issued(book, situation, { kind: 'adopt', token: newest });
  return { kind: 'rotate', round };
}
