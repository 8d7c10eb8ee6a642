import { judgeApproval } from '../../domain/evidence/approval.ts';
import type { Approve } from '../../domain/evidence/decisions.ts';
import { evidenceCode, type Evidence, type SmokeResult } from '../../domain/evidence/evidence.ts';
import { endOfDay } from '../../domain/tokens/tokens.ts';
import { ASKER, type Fate, type Said, type Sent } from './fates.ts';
import type { Truth, World } from './worlds.ts';

const RUN = '0197a7b2-0000-7000-8000-000000000001';
const REFUSED = /not the code of|not among|proven unused|not proven|second person/;

/** Nobody says anything any more. */
export class Unattended extends Error {}

/** What a person was shown, beside what was so in the world at that moment. */
export interface Shown {
  evidence: Evidence;
  truth: Truth;
  everSeenHeld: string[];
  smoke: SmokeResult[];
}

/** An approval as it was sent, with the very evidence whose code it quotes, if any. */
export interface Letter {
  approval: Approve;
  identity: string;
  quotes: Evidence | undefined;
}

/** A letter that counted, and what the verdict lets end. */
export interface Granted {
  shown: Shown;
  revoke: number[];
}

/**
 * The people around a modelled rotation: what they were shown, what they sent, and what came of it.
 */
export class ModelledPeople {
  readonly shown: Shown[] = [];
  readonly letters: Letter[] = [];
  readonly granted: Granted[] = [];
  /** Why approvals did not count. */
  readonly refusals: string[] = [];
  private readonly approvals: Sent[];
  private readonly classifications: Said[];

  constructor(
    private readonly fate: Fate,
    private readonly world: World,
  ) {
    this.approvals = [...fate.approvals];
    this.classifications = [...fate.classifications];
  }

  /** The number of the evidence to be gathered next. */
  nextRound(): number {
    return this.shown.length + 1;
  }

  /** @throws Unattended where nobody says anything */
  nextClassification(): Said {
    const said = this.classifications.shift();
    if (!said) throw new Unattended();
    return said;
  }

  /**
   * Shows evidence until an approval counts or one of its tokens ends.
   * @param meanwhile what happens before each approval
   * @throws Unattended where nobody says anything
   */
  ask(shown: Shown, meanwhile: () => void): number[] | 'outdated' {
    const { fate, world } = this;
    const { evidence } = shown;
    this.shown.push(shown);
    const ends = Math.min(...evidence.toRevoke.map(({ expires }) => endOfDay(expires)));
    for (;;) {
      meanwhile();
      if (world.now >= ends) return 'outdated';
      const person = this.approvals.shift();
      if (!person) throw new Unattended();
      const verdict = judgeApproval(this.write(person, evidence), {
        request: world.request,
        evidence,
        code: evidenceCode(RUN, evidence),
        starter: { identity: fate.starter },
        sender: { identity: person.identity },
        receiver: 'alert-receiver',
        standIns: true,
        approvers: undefined,
        people: [],
        given: [],
      });
      if (verdict.counts) {
        this.granted.push({ shown, revoke: verdict.revoke });
        world.meanwhile(fate.afterApproval);
        return verdict.revoke;
      }
      this.refusals.push(REFUSED.exec(verdict.why)?.[0] ?? verdict.why);
    }
  }

  /**
   * Whether somebody who may do so sent what covers this evidence, and this token if one is to end:
   * by the words of the design.
   */
  covered(shown: Shown, token?: { masked: string; authorisationId: number }): boolean {
    return this.letters.some(
      (letter) =>
        letter.quotes === shown.evidence &&
        this.isSecondPerson(letter) &&
        covers(letter, shown, token),
    );
  }

  private isSecondPerson({ approval, identity }: Letter): boolean {
    const plain = (name: string): string => name.trim().toLowerCase();
    const emails = (names: string[]): string[] =>
      names.map(plain).filter((name) => name.endsWith('@example.org'));
    const asked = emails([ASKER, this.fate.starter]);
    return (
      this.fate.environment !== 'production' ||
      !emails([approval.by ?? '', identity]).some((name) => asked.includes(name))
    );
  }

  private write({ by, identity, quotes, names, accept }: Sent, evidence: Evidence): Approve {
    const shown = this.shown.map((one) => one.evidence);
    const earlier = shown.at(-2);
    const plan = shown.findLast(({ asks }) => asks === 'hand-over');
    const asks = evidence.asks === 'revoke' ? 'hand-over' : 'revoke';
    const recipient = { name: 'somebody else', key: 'age1another-key' };
    const codeOf = (one: Evidence | undefined, run = RUN): string =>
      one ? evidenceCode(run, one) : 'none yet';
    const quoted: Record<Sent['quotes'], [code: string, quotes: Evidence | undefined]> = {
      shown: [codeOf(evidence), evidence],
      'earlier round': [codeOf(earlier), earlier],
      'a plan': [codeOf(plan), plan],
      'other question': [codeOf({ ...evidence, asks }), undefined],
      'other key': [codeOf({ ...evidence, recipient }), undefined],
      'other run': [codeOf(evidence, 'another run'), undefined],
      nonsense: ['deadbeef', undefined],
    };
    const ids = evidence.toRevoke.map(({ authorisationId }) => authorisationId);
    const newToken = evidence.newToken ? [evidence.newToken.authorisationId] : [];
    const named: Record<Sent['names'], { revoke?: number[] }> = {
      nothing: {},
      all: { revoke: ids },
      first: { revoke: ids.slice(0, 1) },
      'new token': { revoke: [...ids, ...newToken] },
      stranger: { revoke: [...ids, 4711] },
    };
    const [code, quotes_] = quoted[quotes];
    const approval = { by, evidence: code, ...named[names], accept: accept as Approve['accept'] };
    this.letters.push({ approval, identity, quotes: quotes_ });
    return approval;
  }
}

/** Whether an approval names what is to end, and takes upon itself what was not shown. */
function covers(
  { approval }: Letter,
  shown: Shown,
  token?: { masked: string; authorisationId: number },
): boolean {
  const { truth, smoke, everSeenHeld, evidence } = shown;
  const accepts = (what: string): boolean => approval.accept?.some((one) => one === what) ?? false;
  if (token) {
    const isGivenUp = everSeenHeld.includes(token.masked) && !truth.held.includes(token.masked);
    const mayEnd =
      approval.revoke?.includes(token.authorisationId) ??
      (isGivenUp && evidence.newToken !== undefined);
    if (!mayEnd) return false;
  }
  if (evidence.asks === 'hand-over') return true;
  if (truth.unasked.length > 0 && !accepts('not-asked')) return false;
  return truth.consumers.every(({ name, pods }) => {
    const verdict = smoke.find(({ workload }) => workload === name)?.verdict;
    if (pods === 0) return accepts('no-pod-seen');
    if (verdict === 'failed') return false;
    return verdict === 'passed' || accepts('not-smoke-tested');
  });
}
