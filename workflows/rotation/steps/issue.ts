import { CancellationScope, sleep } from '@temporalio/workflow';
import {
  type Plan,
  readersAfter,
  type Round,
  type Situation,
} from '../../../domain/rotation/index.ts';
import {
  describeToken,
  isToken,
  newestOf,
  type ListedToken,
} from '../../../domain/tokens/index.ts';
import { blocks, createToken, isNotSent } from '../../shared/index.ts';
import type { Runbook } from '../runbook.ts';

/** Issues the new token, or adopts the one the plan found. */
export function issued(
  book: Runbook,
  situation: Situation,
  plan: Exclude<Plan, { kind: 'stop' }>,
): Promise<Round> {
  return book.step('issue', async () => {
    const tokens = plan.kind === 'adopt' ? situation.tokens : await create(book, situation);
    const newToken = plan.kind === 'adopt' ? plan.token : newestOf(tokens)!;
    if (plan.kind === 'adopt') {
      book.record.issued(newToken, 'adopted');
      book.note('issue', `adopted ${describeToken(newToken)}`);
    }
    const readers = readersAfter(situation.readers, tokens, situation.look, newToken);
    return { ...situation, tokens, newToken, readers, issuedAt: new Date().toISOString() };
  });
}

/**
 * Creates a token, which runs to its end once begun.
 * @returns the pair's tokens as listed after it; the newest of them is the new one
 */
async function create(
  book: Runbook,
  { settings, pair, recipient, before, tokens }: Situation,
): Promise<ListedToken[]> {
  // After this, a token of a late request is listed. A stop ends it.
  if (book.report.createsLost) await sleep(settings.signonRequestLimit);
  const created = await CancellationScope.nonCancellable(async () => {
    await book.stops.stopIfJustAsked();
    try {
      const ids = tokens.map(({ authorisationId }) => authorisationId);
      return await createToken(settings)({ pair, before: ids, recipient });
    } catch (error) {
      if (!isNotSent(error)) book.record.createLost();
      throw error;
    }
  });
  const { token, origin, armoured } = created;
  const listed = created.tokens.map((one) => (isToken(token)(one) ? token : one));
  const newToken = newestOf(listed) ?? token;
  if (recipient && armoured !== undefined) {
    const { authorisationId, masked } = token;
    book.record.handOver({ recipient: recipient.name, authorisationId, masked, armoured });
  }
  book.record.issued(token, origin);
  book.record.observed(listed);
  if (before.includes(newToken.authorisationId))
    throw blocks(
      'OlderTokenOutlives',
      `${describeToken(newToken)} was there before and lives until ${newToken.expires}, longer than ${describeToken(token)}: the sync would write it`,
    );
  book.record.issued(newToken, origin);
  for (const extra of listed)
    if (!isToken(newToken)(extra) && !tokens.some(isToken(extra)))
      book.remark(
        `also made since this rotation began: ${describeToken(extra)}; revoked only if named`,
      );
  book.note('issue', `${origin}: ${describeToken(newToken)}`);
  return listed.length > 0 ? listed : [token];
}
