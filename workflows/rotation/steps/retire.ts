import { condition } from '@temporalio/workflow';
import { describeConsumer, type SeenReader } from '../../../domain/cluster/index.ts';
import { gatherDisused } from '../../../domain/evidence/index.ts';
import {
  type Carried,
  type Pair,
  readersAfter,
  withPassing,
  type RotationReport,
  type Observation,
  type Situation,
} from '../../../domain/rotation/index.ts';
import {
  isRenewed,
  nextRenewalOver,
  renewalDue,
  renewalWarning,
  type Settings,
} from '../../../domain/settings/index.ts';
import { isLive, type ListedToken } from '../../../domain/tokens/index.ts';
import { minute } from '../../../domain/text/index.ts';
import { activities, blocks } from '../../shared/index.ts';
import { refuseReadInCluster, refuseUnprovable } from './assess.ts';
import { lookAtHolders } from './look-at-holders.ts';
import { revokeEach, untilStarted } from './revoke.ts';
import { DisusedWatch } from '../disused-watch.ts';
import type { Runbook } from '../runbook.ts';

const NO_ACCESS = 'the pair is to have no access';

/**
 * Ends the access of a pair that nobody uses, after the same approval as any revoke. Signon's
 * renewal may bring it back the next night: looks again then, and asks about what came back.
 * Meanwhile every pod is watched.
 * @returns how it ended; or what is known now, where a pod was seen that reads the Secret: then the
 * pair is rotated as for any consumer
 */
export async function retire(
  book: Runbook,
  situation: Carried<Situation>,
): Promise<RotationReport | Situation> {
  for (const step of ['issue', 'sync', 'roll out', 'smoke'] as const) book.skip(step, NO_ACCESS);
  const { readers, settings } = situation;
  const watch = new DisusedWatch(readers, settings.disusedWatch, situation.watch);
  try {
    return await giveUp(book, situation, watch);
  } finally {
    watch.end();
    book.keepWatch(watch.state); // what was seen by now is passed to continue-as-new
  }
}

async function giveUp(
  book: Runbook,
  situation: Carried<Situation>,
  watch: DisusedWatch,
): Promise<RotationReport | Situation> {
  const { pair, settings, tokens, readers, recipient } = situation;
  const known = new Map<number, ListedToken>(tokens.map((token) => [token.authorisationId, token]));
  /** Lists the pair's tokens, and asks all containers whether they hold one. */
  const look = async (): Promise<Observation> => {
    const [listed, seen] = await Promise.all([
      activities.listTokens(pair),
      lookAtHolders(readersAfter(readers, [...known.values()])),
    ]);
    refuseUnprovable(seen.look, pair);
    book.record.observed(listed);
    await watch.untilKnown();
    for (const token of listed) known.set(token.authorisationId, token);
    return { tokens: listed, look: seen.look };
  };
  /**
   * Whether a token was live or revoked since the last renewal: Signon renews ended tokens, too.
   */
  let mayComeBack = book.report.revoked.length > 0;
  const mayBeRenewed = isRenewed(pair.apiUser.email, settings.renewal);
  for (;;) {
    book.keep({ ...situation, tokens: [...known.values()] });
    let refused = false;
    const { now, reader: user } = await book.step('approve', async () => {
      if (refused) watch.startAnew(); // after a retry, only what reads the Secret from now on counts
      refused = false;
      const seen = await look();
      const reader = watch.seen;
      if (reader && book.report.revoked.length > 0) {
        refused = true;
        throw blocks(
          'StillInUse',
          `${describeConsumer(reader)} read the Secret ${reader.secret} in ${reader.pod}, ${minute(reader.at)}`,
        );
      }
      if (!reader && seen.look.consumers.length > 0)
        throw blocks('StillInUse', seen.look.consumers.map(describeConsumer).join('; '));
      return { now: seen, reader };
    });
    if (user) return usedAfterAll(book, situation, now, user);
    const live = now.tokens.filter((token) => isLive(token, Date.now()));
    if (live.length > 0) mayComeBack = true;
    if (live.length === 0 && mayComeBack && mayBeRenewed) {
      const isSeen = (): boolean => watch.seen !== undefined;
      const isOver = await book.step('confirm', () => afterRenewal(book, settings, isSeen));
      if (isOver) mayComeBack = false;
      continue;
    }
    if (live.length === 0 && !mayBeRenewed)
      book.skip('confirm', 'Signon does not renew tokens of this API user');
    if (live.length === 0) return closeRetired(book, pair, [...known.values()], settings);
    const warning = renewalWarning(pair.apiUser, [...known.values()], settings.renewal, Date.now());
    const evidence = gatherDisused({
      round: book.approvals.nextRound(),
      now: Date.now(),
      ...now,
      recipient,
      warnings: warning === undefined ? [] : [warning],
      watched: watch.watched,
    });
    const { enough: wasEnough } = watch;
    const outdated = (isApproved: boolean): boolean =>
      watch.changedSince(evidence.watched!, wasEnough, isApproved);
    const revoke = await book.step('approve', () => book.approvals.ask(evidence, outdated));
    if (!revoke && !outdated(false)) watch.startAnew(); // a person had it gathered anew
    if (!revoke) continue;
    const after = await book.step('revoke', () =>
      revokeEach(book, {
        pair,
        evidence,
        revoke,
        lookAfresh: () => untilStarted(look, settings, evidence),
        voids: () =>
          watch.seen
            ? `${describeConsumer(watch.seen)} read the Secret ${watch.seen.secret} in ${watch.seen.pod}`
            : watch.wasInterruptedSince(evidence.watched!)
              ? 'pods that read the Secret were not watched all the time'
              : undefined,
      }),
    );
    if (!('done' in after)) book.revokeLeftUndone();
  }
}

/** What is known of a pair that was called disused, once a pod was seen that reads its Secret. */
async function usedAfterAll(
  book: Runbook,
  situation: Carried<Situation>,
  now: Observation,
  { pod, at, secret, ...consumer }: SeenReader,
): Promise<Situation> {
  book.remark(
    `${describeConsumer(consumer)} read the Secret ${secret} in ${pod}, ${minute(at)}: the pair is in use, and is rotated`,
  );
  const readers = withPassing(readersAfter(situation.readers, now.tokens), [consumer]);
  const look = await book.step('approve', async () => {
    const seen = await activities.lookAtConsumers(readers);
    refuseReadInCluster(seen, situation.recipient);
    return seen;
  });
  return { ...situation, tokens: now.tokens, readers, look };
}

/**
 * Waits until Signon's next renewal, and the sync after it, are over. False where a pod that reads
 * the Secret is seen before: it has no access.
 */
async function afterRenewal(
  book: Runbook,
  { renewal }: Settings,
  isSeen: () => boolean,
): Promise<boolean> {
  const over = nextRenewalOver(Date.now(), renewal);
  const renewalOver = new Date(over).toISOString();
  book.note('confirm', `looks again at ${minute(renewalOver)}, after Signon’s renewal`);
  book.checklist.show({ renewalOver });
  try {
    const summary = 'Until Signon’s next renewal is over';
    if (await condition(isSeen, Math.max(1, over - Date.now()), { summary })) return false;
  } finally {
    book.checklist.show({ renewalOver: undefined });
  }
  book.note('confirm', 'looked again after Signon’s renewal');
  return true;
}

function closeRetired(
  book: Runbook,
  { apiUser }: Pair,
  known: readonly ListedToken[],
  { renewal }: Settings,
): RotationReport {
  const why = 'nobody uses this pair, and none of its tokens is live any more';
  if (book.report.revoked.length === 0) return book.close('old-token-expired', why);
  const due = renewalDue(apiUser, known, renewal);
  const may =
    due !== undefined && due > Date.now()
      ? `; Signon’s renewal may bring access back about ${new Date(due).toISOString().slice(0, 10)}, since it looks at revoked tokens too`
      : '';
  return book.close('revoked-disused', `${why}${may}`);
}
