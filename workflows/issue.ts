import { ApplicationFailure, CancellationScope, sleep } from '@temporalio/workflow';
import type { Assessment, Plan } from '../domain/plan.ts';
import type { Recipient } from '../domain/settings.ts';
import { isLive, newestOf, type ListedToken } from '../domain/tokens.ts';
import { createToken } from './activities.ts';
import type { Runbook } from './runbook.ts';

export interface Issued {
  tokens: ListedToken[];
  newToken: ListedToken;
  /** ISO: when the token was there for certain. A sync Job made before counts for nothing. */
  issuedAt: string;
}

/** Issues the new token, or adopts the one the plan found. Runs to its end once begun. */
export async function issueToken(
  book: Runbook,
  { settings, pair, tokens }: Pick<Assessment, 'settings' | 'pair' | 'tokens'>,
  plan: Exclude<Plan, { kind: 'stop' }>,
  { force, recipient }: { force: boolean; recipient?: Recipient },
): Promise<Issued> {
  if (plan.kind === 'adopt') {
    book.report.newToken = plan.token;
    book.report.origin = 'adopted';
    book.note('issue', `adopted ${plan.token.masked} (authorisation ${plan.token.authorisationId})`);
    return { tokens, newToken: plan.token, issuedAt: new Date().toISOString() };
  }
  const before = tokens.map(({ authorisationId }) => authorisationId);
  const created = await CancellationScope.nonCancellable(async () => {
    if (book.report.createsLost) await sleep(settings.signonRequestLimit); // a late one would be there by now
    try {
      return await createToken(settings)({ pair, before, ...(recipient && { recipient }) });
    } catch (error) {
      book.report.createsLost = true;
      throw error;
    }
  });
  const listed = created.tokens.map((token) =>
    token.authorisationId === created.token.authorisationId ? created.token : token,
  );
  const newToken = newestOf(listed) ?? created.token;
  if (recipient && created.armoured !== undefined) {
    const { authorisationId, masked } = created.token;
    book.handOver({ recipient: recipient.name, authorisationId, masked, armoured: created.armoured });
  }
  book.report.newToken = created.token;
  book.report.origin = created.origin;
  book.report.alive = listed.filter((token) => isLive(token, Date.now()));
  if (force && before.includes(newToken.authorisationId))
    throw ApplicationFailure.nonRetryable(
      `${newToken.masked} (authorisation ${newToken.authorisationId}) was there before and lives until ${newToken.expires}, longer than ${created.token.masked} (authorisation ${created.token.authorisationId}): the sync would write it`,
      'OlderTokenOutlives',
    );
  book.report.newToken = newToken;
  const extra = listed.filter(
    ({ authorisationId }) => !before.includes(authorisationId) && authorisationId !== newToken.authorisationId,
  );
  for (const { masked, authorisationId } of extra)
    book.remark(
      `also made since this rotation began: ${masked} (authorisation ${authorisationId}); revoked only if named`,
    );
  book.note('issue', `${created.origin}: ${newToken.masked} (authorisation ${newToken.authorisationId})`);
  return { tokens: listed, newToken, issuedAt: new Date().toISOString() };
}
