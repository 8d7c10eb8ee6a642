import { workflowInfo } from '@temporalio/workflow';
import type { Delegation } from '../activities/temporal/interface.ts';
import type { Readers } from '../domain/cluster.ts';
import { gatherEvidence, othersAlive } from '../domain/evidence.ts';
import { planFor, STAGING_IS_IGNORED } from '../domain/plan.ts';
import { allHold, heldTokens, unseenConsumers } from '../domain/possession.ts';
import type { RotationReport } from '../domain/report.ts';
import { parseRequest, rotationId, type RotationRequest } from '../domain/request.ts';
import type { Recipient } from '../domain/settings.ts';
import { ApprovalDesk } from './approval.ts';
import { assess, refuseReadInCluster } from './assess.ts';
import { confirmed } from './confirm.ts';
import { Courier } from './courier.ts';
import { answerOtherSignals } from './decisions.ts';
import { delegate } from './delegate.ts';
import { HolderDesk } from './holders.ts';
import { invalidRequest } from './invalid-request.ts';
import { issueToken } from './issue.ts';
import { retire } from './retire.ts';
import { lookAgain, revokeProven, type Fresh } from './revoke.ts';
import { everyConsumerHolds } from './rollout.ts';
import { runbook } from './runbook.ts';
import { Sightings } from './sightings.ts';
import { smokeCalls } from './smoke.ts';
import { synced, type Sync } from './sync.ts';

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
    const holderDesk = new HolderDesk(book, request);
    answerOtherSignals(book);
    if (workflowInfo().workflowId !== rotationId(request)) return delegate(book, request);

    const assessment = await book.step('assess', () => assess(book, request));
    if (assessment.kind === 'stop') return book.close(assessment.outcome, assessment.why);
    const { settings, pair, cronJob } = assessment;
    const plan = planFor(assessment, request, Date.now());
    if (plan.kind === 'stop') return book.close(plan.outcome, plan.why);
    const holders = await holderDesk.find(assessment);
    book.readers = holders.readers;
    if (holders.disused) return retire(book, desk, { ...assessment, readers: holders.readers });

    const { recipient } = holders;
    const courier = recipient && new Courier(book, desk, { ...assessment, readers: holders.readers }, recipient);
    if (plan.kind === 'issue') await courier?.agreed(holders.look);
    const force = request.force === true;
    const issued = await book.step('issue', () => issueToken(book, assessment, plan, { force, recipient }));
    const before = force ? assessment.tokens.map(({ authorisationId }) => authorisationId) : [];
    const everHeld = heldTokens(holders.look, assessment.tokens);
    const sightings = new Sightings(book, request);
    let syncedFor: number | undefined;
    let confirmedRevokes = 0;
    let now: Fresh = { ...issued, look: holders.look };
    // A round proves one token and asks for one approval. What changes meanwhile (a later token, a consumer, a revoke by somebody) voids
    // its evidence, and tokens that an approval left alive are asked about afresh: then another round begins, synced only where needed.
    for (;;) {
      if (courier) now = await courier.delivered(now);
      const readers = searching(holders.readers, now);
      const expected = { pair, readers, settings, before, ...now };
      const sync = (): Promise<Sync> => synced(book, { cronJob, settings, issuedAt: expected.issuedAt });
      // What the Secret holds for a consumer of which nothing runs cannot be asked: one sync for each new token makes sure.
      const unseen = syncedFor === now.newToken.authorisationId ? [] : unseenConsumers(now.look);
      const followed =
        allHold(now.look, now.newToken) && unseen.length === 0
          ? book.skip(
              'sync',
              now.look.consumers.length > 0 ? 'every consumer holds the new token already' : NOBODY_READS,
            )
          : await book.step('sync', sync);
      syncedFor = now.newToken.authorisationId;
      const look = await book.step('roll out', async () => {
        sightings.refuseWhatWasSeen(expected);
        const held = await everyConsumerHolds(book, { ...expected, followed, sync });
        refuseReadInCluster(held, recipient);
        return held;
      });
      const smoke = await book.step('smoke', () => smokeCalls(book, look, expected));
      if (othersAlive(now.tokens, now.newToken, Date.now()).length === 0) {
        book.skip('approve', 'no other token of the pair is live');
        if (recipient) return book.close('handed-over', handedOver(recipient, 'no older one is live'));
        return book.report.revoked.length > 0
          ? book.close('rotated', ROTATED)
          : book.close('old-token-expired', 'every consumer holds the new token, and no older one is live');
      }

      const application = pair.application.name;
      const seen = { application, now: Date.now(), ...now, look, recipient, everHeld, smoke, sightings: sightings.all };
      const evidence = gatherEvidence({ round: desk.nextRound(), ...seen });
      const decision = await book.step('approve', () =>
        sightings.whileAsking(evidence, expected, (sighted) => desk.ask(evidence, sighted)),
      );
      const fresh =
        decision.kind === 'outdated'
          ? await book.step('approve', () => lookAgain(book, expected))
          : await book.step('revoke', () => revokeProven(book, { ...expected, evidence, revoke: decision.revoke }));
      if (sightings.askForSync(now)) syncedFor = undefined;
      now = 'done' in fresh ? await book.step('revoke', () => lookAgain(book, expected, fresh.listed)) : fresh;
      everHeld.push(...heldTokens(now.look, now.tokens)); // a later token may have become the new one: prove that one, ask anew
      if (book.report.revoked.length === confirmedRevokes) continue;
      await book.step('confirm', () => confirmed(book, { ...expected, ...now }, evidence));
      confirmedRevokes = book.report.revoked.length;
      if (othersAlive(now.tokens, now.newToken, Date.now()).length > 0) continue;
      return recipient
        ? book.close('handed-over', handedOver(recipient, 'the old one is revoked'))
        : book.close('rotated', ROTATED);
    }
  });
}

const ROTATED = 'every consumer holds the new token, and the old one is revoked';
const NOBODY_READS = 'no container reads the token';

function handedOver({ name, alsoInCluster }: Recipient, old: string): string {
  return `${name} was handed the new token${alsoInCluster ? ', every consumer in the cluster holds it' : ''}, and ${old}`;
}

/** Readers as they are to be looked for now: where all containers are asked, for all tokens that there are. */
function searching(readers: Readers, { tokens }: Fresh): Readers {
  return readers.holding ? { ...readers, holding: tokens } : readers;
}

/** Parses the input, or fails the workflow naming each field that is wrong. */
function requestOrFail(input: unknown): RotationRequest {
  const parsed = parseRequest(input);
  if (parsed.ok) return parsed.request;
  throw invalidRequest(parsed.problems);
}
