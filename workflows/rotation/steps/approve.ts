import { type Evidence, givenUpIn } from '../../../domain/evidence/index.ts';
import type { Round } from '../../../domain/rotation/index.ts';
import type { Runbook } from '../runbook.ts';

/**
 * Asks for an approval of what a round has shown.
 * @returns the ids to revoke; undefined where the evidence is to be gathered afresh
 */
export function askApproval(
  book: Runbook,
  round: Round,
  evidence: Evidence,
): Promise<number[] | undefined> {
  const { also, passing } = round.readers;
  const { isPart } = book.report.remembered ?? {};
  book.record.remember({ givenUp: givenUpIn(evidence), also, passing, isPart });
  return book.step('approve', () =>
    book.sightings.whileAsking(evidence, round, (outdated) =>
      book.approvals.ask(evidence, outdated),
    ),
  );
}
