import { workflowInfo } from '@temporalio/workflow';
import { parseDelegation } from '../../domain/evidence/index.ts';
import {
  endOf,
  parseCarriedRotation,
  type RotationReport,
  type Round,
  type Stop,
} from '../../domain/rotation/index.ts';
import { allHold } from '../../domain/cluster/index.ts';
import { isToken } from '../../domain/tokens/index.ts';
import { parseRequest, rotationId, whyLeftAlone } from '../../domain/request/index.ts';
import {
  askApproval,
  begin,
  beginAnew,
  confirmed,
  delivered,
  everyConsumerHolds,
  lookedAgain,
  retire,
  revokeWhileEvidenceHolds,
  smokeCalls,
  synced,
} from './steps/index.ts';
import { carriedOver, requestOrFail } from '../shared/index.ts';
import { delegate } from './delegate.ts';
import { runbook } from './open-runbook.ts';
import type { Runbook } from './runbook.ts';

/**
 * Rotates one Signon API token. The old token works until a person approves its revoke. Its
 * workflow id, `rotate-token/<environment>/<api user>/<application>`, is the pair's lock; under any
 * other id it hands over.
 * @param delegation set by a run that handed over; believed only where the server records that run
 * as the parent
 * @param given what a run passed to continue-as-new; believed only from such a run
 * @throws InvalidRequest naming each wrong field; nothing else fails a rotation, it blocks and asks
 * for a person
 */
export async function rotateToken(
  input: unknown,
  delegation?: unknown,
  given?: unknown,
): Promise<RotationReport> {
  const request = requestOrFail(parseRequest(input));
  const carried = carriedOver(given, parseCarriedRotation);
  const opening = { request, delegation: parseDelegation(delegation), carried };
  return runbook(opening, async (book) => {
    const leftAlone = whyLeftAlone(request.environment);
    if (leftAlone) return book.close('ignored', leftAlone);
    if (workflowInfo().workflowId !== rotationId(request)) return delegate(book);
    const begun = await begin(book, carried?.situation);
    if (begun.kind !== 'retire') return rotateOrStop(book, begun);
    const retired = await retire(book, begun.situation);
    // Either the pair is retired, or somebody uses it after all.
    return 'outcome' in retired ? retired : rotateOrStop(book, await beginAnew(book, retired));
  });
}

async function rotateOrStop(
  book: Runbook,
  begun: Stop | { kind: 'rotate'; round: Round },
): Promise<RotationReport> {
  return begun.kind === 'stop' ? book.close(begun.outcome, begun.why) : rotate(book, begun.round);
}

/**
 * Each round proves that every consumer holds the new token, and asks for one approval. What
 * changes meanwhile (a later token, a consumer, a revoke by somebody) voids its evidence: then
 * another round begins, as it does for tokens that an approval left alive.
 */
async function rotate(book: Runbook, first: Round): Promise<RotationReport> {
  let round = await confirmed(book, first); // after continue-as-new, a revoke may lack this
  for (;;) {
    book.keep(round);
    round = await delivered(book, round);
    book.keep(round);
    round = await synced(book, round);
    const held = await everyConsumerHolds(book, round);
    const evidence = held && (await smokeCalls(book, held));
    if (!held || !evidence) {
      round = await lookedAgain(book, round); // something changed, or a retry came days later
      continue;
    }
    round = held;
    if (endOf(round, book.done, Date.now())) {
      round = await lookedAgain(book, round); // its tokens may have been listed days ago
      const end = endOf(round, book.done, Date.now());
      const isHeld = allHold(round.look, evidence.newToken, round.inSecretSince);
      if (!end || !isHeld || !isToken(round.newToken)(evidence.newToken)) continue;
      book.skip('approve', 'no other token of the pair is live');
      return book.close(end.outcome, end.why);
    }
    const approved = await askApproval(book, round, evidence);
    round = approved
      ? await revokeWhileEvidenceHolds(book, round, evidence, approved)
      : await lookedAgain(book, round, 'approve'); // the evidence changed, or somebody asked for it anew
    if (!book.record.hasUnconfirmedRevokes(round)) continue; // nothing was revoked
    round = await confirmed(book, round);
    const end = endOf(round, book.done, Date.now());
    if (end) return book.close(end.outcome, end.why);
  }
}
