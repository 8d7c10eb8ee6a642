import { ApplicationFailure, patched, sleep } from '@temporalio/workflow';
import { describeConsumer, type Readers } from '../domain/cluster.ts';
import { gatherDisused } from '../domain/evidence.ts';
import { recipientOf } from '../domain/holders.ts';
import type { Assessment, Pair } from '../domain/plan.ts';
import { isRenewed, nextRenewalOver, renewalDue, renewalWarning } from '../domain/renewal.ts';
import type { RotationReport } from '../domain/report.ts';
import type { Settings } from '../domain/settings.ts';
import { isLive, type ListedToken } from '../domain/tokens.ts';
import { listTokens, lookAtConsumers } from './activities.ts';
import type { ApprovalDesk } from './approval.ts';
import { revokeWhileEvidenceHolds, untilStarted, type Fresh } from './revoke.ts';
import { refuseUnprovable } from './rollout.ts';
import type { Runbook } from './runbook.ts';

const NO_ACCESS = 'the pair is to have no access';

/**
 * Ends the access of a pair that nobody uses, after the same approval as any revoke. Signon's renewal may bring it back the next night:
 * looks again then, and asks about what came back.
 */
export async function retire(
  book: Runbook,
  desk: ApprovalDesk,
  { pair, settings, tokens, readers }: Assessment & { readers: Readers },
): Promise<RotationReport> {
  for (const step of ['issue', 'sync', 'roll out', 'smoke'] as const) book.skip(step, NO_ACCESS);
  const known = new Map<number, ListedToken>(tokens.map((token) => [token.authorisationId, token]));
  const look = async (): Promise<Pick<Fresh, 'tokens' | 'look'>> => {
    const seen = await lookForUse(book, pair, { ...readers, holding: [...known.values()] });
    for (const token of seen.tokens) known.set(token.authorisationId, token);
    return seen;
  };
  /** Whether something was revoked, or was live at all, that no renewal has come after: Signon renews what ended, too. */
  let revokedSince = false;
  let liveSince = false;
  let revokedBefore = 0;
  for (;;) {
    const now = await book.step('approve', async () => {
      const seen = await look();
      if (seen.look.consumers.length > 0)
        throw ApplicationFailure.nonRetryable(seen.look.consumers.map(describeConsumer).join('; '), 'StillInUse');
      return seen;
    });
    const live = now.tokens.filter((token) => isLive(token, Date.now()));
    if (book.report.revoked.length > revokedBefore) revokedSince = true;
    revokedBefore = book.report.revoked.length;
    if (live.length > 0) liveSince = true;
    const mayComeBack = live.length === 0 && liveSince && isRenewed(pair.apiUser.email, settings.renewal);
    if (mayComeBack && (revokedSince || patched('renewal-after-end'))) {
      await book.step('confirm', () => afterRenewal(book, settings));
      revokedSince = false;
      liveSince = false;
      continue;
    }
    if (live.length === 0 && !isRenewed(pair.apiUser.email, settings.renewal))
      book.skip('confirm', 'Signon does not renew tokens of this API user');
    if (live.length === 0) return closeRetired(book, pair, [...known.values()], settings);
    const warning = renewalWarning(pair.apiUser, [...known.values()], settings.renewal, Date.now());
    const evidence = gatherDisused({
      round: desk.nextRound(),
      now: Date.now(),
      ...now,
      recipient: recipientOf(settings, pair),
      warnings: warning === undefined ? [] : [warning],
    });
    const decision = await book.step('approve', () => desk.ask(evidence));
    if (decision.kind === 'outdated') continue;
    const { revoke } = decision;
    await book.step('revoke', () =>
      revokeWhileEvidenceHolds(book, {
        pair,
        evidence,
        revoke,
        lookAfresh: () => untilStarted(look, settings, evidence),
      }),
    );
  }
}

/** Lists the pair's tokens, and asks all containers whether they hold one. */
async function lookForUse(book: Runbook, pair: Pair, readers: Readers): Promise<Pick<Fresh, 'tokens' | 'look'>> {
  const [tokens, look] = await Promise.all([listTokens(pair), lookAtConsumers(readers)]);
  refuseUnprovable(look, pair);
  book.report.alive = tokens.filter((token) => isLive(token, Date.now()));
  book.countRevoked(tokens);
  return { tokens, look };
}

/** Waits until Signon's next renewal, and the sync after it, are over. */
async function afterRenewal(book: Runbook, { renewal }: Settings): Promise<void> {
  const over = nextRenewalOver(Date.now(), renewal);
  book.note(
    'confirm',
    `looks again at ${new Date(over).toISOString().slice(0, 16).replace('T', ' ')} UTC, after Signon’s renewal`,
  );
  await sleep(over - Date.now(), { summary: 'Until Signon’s next renewal is over' });
  book.note('confirm', 'looked again after Signon’s renewal');
}

function closeRetired(
  book: Runbook,
  { apiUser }: Pair,
  known: readonly ListedToken[],
  { renewal }: Settings,
): RotationReport {
  if (book.report.revoked.length === 0)
    return book.close('old-token-expired', 'nobody uses this pair, and none of its tokens is live any more');
  const due = renewalDue(apiUser, known, renewal);
  const may =
    due !== undefined && due > Date.now()
      ? `; Signon’s renewal may bring access back about ${new Date(due).toISOString().slice(0, 10)}, since it looks at revoked tokens too`
      : '';
  return book.close('revoked-disused', `nobody uses this pair, and none of its tokens is live any more${may}`);
}
