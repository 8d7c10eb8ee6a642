import {
  type Carried,
  type Plan,
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
  const assessed = await book.step('assess', () => assess(book));
  if ('outcome' in assessed) return assessed;
  const plan = planFor(assessed, book.request, Date.now());
  if (plan.kind === 'stop') return plan;
  const { disused, ...held } = await findHolders(book, assessed);
  const known = workloadsOf(held.look.consumers);
  const everHeld = seenHeld(held.everHeld, held.look.containers, known);
  const situation = { ...held, known, everHeld };
  return disused ? { kind: 'retire', situation } : prove(book, situation, plan);
}

/** Issues or adopts the token that is to be proven, once a holder outside may have it. */
async function prove(
  book: Runbook,
  situation: Situation,
  plan: Exclude<Plan, Stop>,
): Promise<Extract<Beginning, { kind: 'rotate' }>> {
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
  if (plan.kind !== 'stop') return prove(book, situation, plan);
  const newest = newestOf(situation.tokens);
  return newest ? prove(book, situation, { kind: 'adopt', token: newest }) : plan;
}
