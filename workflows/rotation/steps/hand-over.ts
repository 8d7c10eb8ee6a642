import { gatherHandOver } from '../../../domain/evidence/index.ts';
import type { Round, Situation } from '../../../domain/rotation/index.ts';
import type { Recipient } from '../../../domain/settings/index.ts';
import { describeToken, isToken, type ListedToken } from '../../../domain/tokens/index.ts';
import { activities, blocks } from '../../shared/index.ts';
import { refuseReadInCluster } from './assess.ts';
import { issued } from './issue.ts';
import type { Runbook } from '../runbook.ts';

/**
 * Asks whether a token may be issued and handed over to a holder outside, if there is one; once for
 * a rotation.
 */
export async function agreed(
  book: Runbook,
  { recipient, look, readers }: Situation,
): Promise<void> {
  if (!recipient || book.agreedKey === recipient.key) return;
  const evidence = gatherHandOver({
    round: book.approvals.nextRound(),
    now: Date.now(),
    recipient,
    look,
  });
  let isApproved = false; // once: what keeps the look from being had takes nothing from it
  await book.step('approve plan', async () => {
    if (!isApproved) await book.approvals.ask(evidence);
    isApproved = true;
    refuseReadInCluster(await activities.lookAtConsumers(readers), recipient); // days may have passed
  });
  book.agreedKey = recipient.key;
}

/**
 * Makes sure that the new token can be with its holder outside, if there is one: as the ciphertext
 * of a token that this rotation issued, or by a person's word. Issues another where its value is
 * not known, if a person says so.
 */
export async function delivered(book: Runbook, round: Round): Promise<Round> {
  const { recipient, newToken } = round;
  if (!recipient) return round;
  const said = await book.step('hand over', () =>
    Promise.resolve(takeDelivery(book, recipient, newToken)),
  );
  if (said === 'delivered') return round;
  await agreed(book, round);
  return delivered(book, { ...round, ...(await issued(book, round, { kind: 'issue' })) });
}

function takeDelivery(
  book: Runbook,
  { name }: Recipient,
  token: ListedToken,
): 'delivered' | 'issue-another' {
  const { authorisationId } = token;
  const sealed = book.report.handOver;
  const isSealed = sealed !== undefined && isToken(sealed)(token) && sealed.masked === token.masked;
  if (book.retries.accepted.delete('already-handed-over')) book.vouchedFor = authorisationId;
  if (isSealed || book.vouchedFor === authorisationId) {
    const what = describeToken(token);
    book.note(
      'hand over',
      isSealed
        ? `${what} is encrypted for ${name}: send it to them`
        : `${name} has ${what}, as a person says`,
    );
    return 'delivered';
  }
  if (book.retries.accepted.delete('issue-another')) return 'issue-another';
  throw blocks(
    'CannotHandOver',
    `${describeToken(token)} was not issued by this rotation, or its value was lost: it cannot be encrypted for ${name}`,
  );
}
