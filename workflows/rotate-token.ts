import { workflowInfo } from '@temporalio/workflow';
import type { Delegation } from '../activities/temporal/interface.ts';
import { gatherEvidence, othersAlive } from '../domain/evidence.ts';
import { planFor, STAGING_IS_IGNORED } from '../domain/plan.ts';
import { allHold, heldTokens, unseenConsumers } from '../domain/possession.ts';
import { whatLives, type RotationReport } from '../domain/report.ts';
import { parseRequest, rotationId, type RotationRequest } from '../domain/request.ts';
import { ApprovalDesk } from './approval.ts';
import { assess } from './assess.ts';
import { confirmed } from './confirm.ts';
import { answerOtherSignals } from './decisions.ts';
import { handOver } from './hand-over.ts';
import { invalidRequest } from './invalid-request.ts';
import { issueToken } from './issue.ts';
import { lookAgain, revokeWhileEvidenceHolds } from './revoke.ts';
import { everyConsumerHolds } from './rollout.ts';
import { runbook } from './runbook.ts';
import { smokeCalls } from './smoke.ts';
import { synced, type Sync } from './sync.ts';

const ROTATED = 'every consumer holds the new token, and the old one is revoked';

/**
 * Rotates one Signon API token. The old token keeps working until a person approves its end.
 * Its workflow id, `rotate-token/<environment>/<api user>/<application>`, is the pair's lock; under any other id it hands over.
 * @param delegation set by a run that handed over; believed only where the server records that run as the parent
 * @throws InvalidRequest naming each wrong field; nothing else fails a rotation, it blocks and asks for a person
 */
export async function rotateToken(input: unknown, delegation?: Delegation): Promise<RotationReport> {
  const request = requestOrFail(input);
  return runbook(request, async (book) => {
    if (request.environment === 'staging') return book.close('ignored', `staging is left alone, ${STAGING_IS_IGNORED}`);
    const desk = new ApprovalDesk(book, request, delegation);
    answerOtherSignals(book);
    if (workflowInfo().workflowId !== rotationId(request)) return handOver(book, request);

    const assessment = await book.step('assess', () => assess(book, request));
    if (assessment.kind === 'stop') return book.close(assessment.outcome, assessment.why);
    const { settings, pair, cronJob } = assessment;
    const plan = planFor(assessment, request, Date.now());
    if (plan.kind === 'stop') return book.close(plan.outcome, plan.why);

    const issued = await book.step('issue', () => issueToken(book, assessment, plan, request.force === true));
    const before = request.force ? assessment.tokens.map(({ authorisationId }) => authorisationId) : [];
    const everHeld = heldTokens(assessment.look, assessment.tokens);
    let syncedFor: number | undefined;
    let confirmedRevokes = 0;
    let now = { ...issued, look: assessment.look };
    // A round proves one token and asks for one approval. What changes meanwhile (a later token, a consumer, a revoke by somebody) voids
    // its evidence, and tokens that an approval left alive are asked about afresh: then another round begins, synced only where needed.
    for (let round = 1; ; round++) {
      const expected = { pair, settings, before, ...now };
      const sync = (): Promise<Sync> => synced(book, { cronJob, settings, issuedAt: expected.issuedAt });
      // What the Secret holds for a consumer of which nothing runs cannot be asked: one sync for each new token makes sure.
      const unseen = syncedFor === now.newToken.authorisationId ? [] : unseenConsumers(now.look);
      const followed =
        allHold(now.look, now.newToken) && unseen.length === 0
          ? book.skip('sync', 'every consumer holds the new token already')
          : await book.step('sync', sync);
      syncedFor = now.newToken.authorisationId;
      const look = await book.step('roll out', () => everyConsumerHolds(book, { ...expected, followed, sync }));
      const smoke = await book.step('smoke', () => smokeCalls(book, look, pair, settings));
      if (othersAlive(now.tokens, now.newToken, Date.now()).length === 0) {
        book.skip('approve', 'no other token of the pair is live');
        return book.report.revoked.length > 0
          ? book.close('rotated', ROTATED)
          : book.close('old-token-expired', 'every consumer holds the new token, and no older one is live');
      }

      const evidence = gatherEvidence({
        round,
        application: pair.application.name,
        now: Date.now(),
        ...now,
        look,
        everHeld,
        smoke,
      });
      const decision = await book.step('approve', () => desk.ask(evidence));
      if (decision.kind === 'rejected') {
        book.note('approve', `rejected by ${decision.by}`);
        return book.close(
          'rejected',
          `${decision.by}: ${decision.reason}; ${whatLives(book.report, book.revokesBegun)}`,
        );
      }
      const fresh =
        decision.kind === 'token-ended'
          ? await book.step('approve', () => lookAgain(book, expected))
          : await book.step('revoke', () =>
              revokeWhileEvidenceHolds(book, { ...expected, evidence, revoke: decision.revoke }),
            );
      now = fresh === 'done' ? await book.step('revoke', () => lookAgain(book, expected)) : fresh;
      everHeld.push(...heldTokens(now.look, now.tokens)); // a later token may have become the new one: prove that one, ask anew
      if (book.report.revoked.length === confirmedRevokes) continue;
      await book.step('confirm', () => confirmed(book, { pair, settings, before, ...now }));
      confirmedRevokes = book.report.revoked.length;
      if (othersAlive(now.tokens, now.newToken, Date.now()).length === 0) return book.close('rotated', ROTATED);
    }
  });
}

/** Parses the input, or fails the workflow naming each field that is wrong. */
function requestOrFail(input: unknown): RotationRequest {
  const parsed = parseRequest(input);
  if (parsed.ok) return parsed.request;
  throw invalidRequest(parsed.problems);
}
