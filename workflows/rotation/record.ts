import {
  type HandOver,
  type Remembered,
  type RotationReport,
  type Round,
} from '../../domain/rotation/index.ts';
import { type Consumer, describeConsumer } from '../../domain/cluster/index.ts';
import { isLive, isToken, type ListedToken } from '../../domain/tokens/index.ts';
import type { Checklist } from './checklist.ts';

/** Writes down what a rotation did and saw: nothing else writes to its report but its end. */
export class RotationRecord {
  /** Tokens whose revoke was begun: if one is gone, this rotation revoked it. */
  readonly revokesBegun: ListedToken[];

  constructor(
    private readonly report: RotationReport,
    private readonly checklist: Checklist,
    revokesBegun: readonly ListedToken[] = [],
  ) {
    this.revokesBegun = [...revokesBegun];
  }

  /** Keeps what a later rotation of the pair need not find out anew. */
  remember(remembered: Remembered): void {
    this.report.remembered = remembered;
    this.checklist.show({ remembered });
  }

  /** A create may have taken effect, and its answer was lost. */
  createLost(): void {
    this.report.createsLost = true;
  }

  issued(token: ListedToken, origin: RotationReport['origin']): void {
    Object.assign(this.report, { newToken: token, origin });
  }

  /** The new token is on its way to a holder outside, encrypted. */
  handOver(sealed: HandOver): void {
    this.report.handOver = sealed;
    this.checklist.show({ handOver: sealed });
  }

  synced(job: string): void {
    if (!this.report.syncJobs.includes(job)) this.report.syncJobs.push(job);
  }

  /**
   * Records from a listing which tokens are live, and which begun revokes took effect.
   */
  observed(listed: readonly ListedToken[]): void {
    this.report.alive = listed.filter((token) => isLive(token, Date.now()));
    for (const token of this.revokesBegun) if (!listed.some(isToken(token))) this.revoked(token);
  }

  /** Consumers came after the evidence, and hold the new token: they void nothing. */
  joined(consumers: readonly Consumer[]): void {
    for (const one of consumers)
      this.checklist.remark(
        `${describeConsumer(one)} started after the evidence was gathered, and holds the new token`,
      );
  }

  approved(approval: RotationReport['approvals'][number]): void {
    this.report.approvals.push(approval);
  }

  /** @returns false where its revoke was begun before */
  revokeBegins(token: ListedToken): boolean {
    const isNew = !this.revokesBegun.some(isToken(token));
    if (isNew) this.revokesBegun.push(token);
    return isNew;
  }

  /** Nothing of a revoke was sent: its token lives. */
  revokeNotSent(token: ListedToken): void {
    const at = this.revokesBegun.findIndex(isToken(token));
    if (at !== -1) this.revokesBegun.splice(at, 1);
  }

  revoked(token: ListedToken): void {
    const { report } = this;
    if (!this.hasRevoked(token)) report.revoked.push(token);
    report.alive = report.alive.filter((alive) => !isToken(token)(alive));
    this.checklist.note(
      'revoke',
      `revoked ${report.revoked.map(({ masked }) => masked).join(', ')}`,
    );
  }

  hasRevoked(token: Pick<ListedToken, 'authorisationId'>): boolean {
    // One that Signon lists again, after a copy or a restore, is to be revoked again.
    const { revoked, alive } = this.report;
    return revoked.some(isToken(token)) && !alive.some(isToken(token));
  }

  /** Whether something was revoked that nothing has confirmed yet. */
  hasUnconfirmedRevokes({ confirmedRevokes }: Round): boolean {
    return this.report.revoked.length > confirmedRevokes;
  }

  /** Tokens that were live when last looked at, but the new one; the first to end comes first. */
  oldTokens(): ListedToken[] {
    return this.report.alive
      .filter(({ authorisationId }) => authorisationId !== this.report.newToken?.authorisationId)
      .toSorted((a, b) => (a.expires < b.expires ? -1 : 1));
  }
}
