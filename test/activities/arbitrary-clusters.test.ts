import { expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { CensusTaker } from '../../activities/kubernetes/census.ts';
import { look } from '../../activities/kubernetes/look.ts';
import {
  running,
  workloadsOf,
  type ClusterLook,
  type Readers,
} from '../../domain/cluster/cluster.ts';
import { gatherDisused, gatherEvidence } from '../../domain/evidence/gather-evidence.ts';
import { judgeRollout, seenHeld } from '../../domain/cluster/possession.ts';
import { voidedBy } from '../../domain/evidence/voided.ts';
import {
  aCluster,
  LISTED,
  MadeUpCluster,
  PAIRS_SECRET,
  TOKENS,
} from '../support/arbitrary-clusters.ts';

const NOW = Date.parse('2026-09-01T12:00:00Z');
const READERS: Readers = { secret: PAIRS_SECRET, holding: LISTED, also: [], ofOtherPairs: [] };
const [, , NEW] = LISTED;

/** Says something of each namespace that a look can be had of, beside what is truly so in it. */
function inWhateverCluster(says: (seen: ClusterLook, truth: MadeUpCluster) => void): Promise<void> {
  return fc.assert(
    fc.asyncProperty(aCluster, async (fate) => {
      const truth = new MadeUpCluster(fate);
      const seen = await look(truth, new CensusTaker(truth), READERS, 0, () =>
        Promise.resolve(),
      ).catch(() => undefined);
      const silentReader = truth.containers.some(
        ({ runs, reads, program }) => runs && reads && program === 'breaks',
      );
      // a reader that gives no answer is never passed over
      expect(seen === undefined).toBe(silentReader);
      if (seen) says(seen, truth);
    }),
    { numRuns: 400 },
  );
}

/**
 * Which of the pair's tokens stand in an environment, by their full values: no rule of ours
 * computed it.
 */
const heldIn = (env: Record<string, string>): number[] =>
  TOKENS.flatMap((token, at) =>
    Object.values(env).some((value) => value.includes(token)) ? at : [],
  );
const isNamed = (
  sentences: readonly string[],
  { pod, container }: { pod: string; container: string },
): boolean => sentences.some((sentence) => sentence.startsWith(`${container} in ${pod}`));

test('every running container that holds one of the pair’s tokens is shown with it, or named as not asked', () =>
  inWhateverCluster((seen, { containers }) => {
    for (const one of containers.filter(({ runs }) => runs)) {
      const rows = running(seen).filter(
        ({ pod, container }) => pod === one.pod && container === one.container,
      );
      const shown = rows.flatMap(({ token }) => LISTED.findIndex(({ masked }) => masked === token));
      const held = heldIn(one.env);
      const isUnasked = isNamed(seen.census.unasked, one);
      // whatever hangs beside it
      expect(isUnasked && one.program === 'shell' && one.reads).toBe(false);
      expect(new Set(shown.filter((at) => at >= 0))).toEqual(new Set(isUnasked ? [] : held));
    }
  }));

test('whatever was not asked stands in the evidence, of a rotation and of an end of access alike', () =>
  inWhateverCluster((seen, { idle }) => {
    const known = workloadsOf(seen.consumers);
    const given = { round: 1, now: NOW, look: seen, tokens: LISTED };
    const evidence = gatherEvidence({
      ...given,
      application: 'x',
      newToken: NEW!,
      everHeld: [],
      known,
      smoke: [],
    });
    const disused = gatherDisused({ ...given, warnings: [], watched: { wanted: '0 ms' } });
    for (const { shortfalls } of [evidence, disused])
      expect(shortfalls.filter(({ code }) => code === 'not-asked')).toHaveLength(
        seen.census.starting.length + seen.census.unasked.length,
      );
    const isShown = (workload: string): boolean =>
      seen.consumers.some((consumer) => consumer.workload === workload) ||
      seen.census.unasked.some((sentence) => sentence.includes(workload));
    expect(
      idle.filter(({ workload, env }) => heldIn(env).length > 0 && !isShown(workload)),
    ).toEqual([]);
  }));

test('no look lets a token be revoked that a running container holds', () =>
  inWhateverCluster((seen, { containers }) => {
    const held = containers
      .filter((one) => one.runs && !isNamed(seen.census.unasked, one))
      .flatMap(({ env }) => heldIn(env));
    const others = held.filter((at) => at !== 2);
    const isHeld = judgeRollout(seen, NEW!, undefined).kind === 'held';
    expect(isHeld && others.length > 0).toBe(false);
    const known = workloadsOf(seen.consumers);
    const everHeld = seenHeld([], seen.containers, known);
    const given = { round: 1, now: NOW, look: seen, tokens: LISTED, everHeld, known, smoke: [] };
    const evidence = gatherEvidence({ ...given, application: 'x', newToken: NEW! });
    const fresh = { tokens: LISTED, look: seen, now: NOW, ended: [], revoke: [] };
    expect(voidedBy(evidence, fresh) === undefined && others.length > 0).toBe(false);
    const givenUp = evidence.toRevoke.filter(({ standing }) => standing === 'given-up');
    expect(
      givenUp.filter(({ masked }) => held.some((at) => LISTED[at]!.masked === masked)),
    ).toEqual([]);
    const disused = gatherDisused({ ...given, warnings: [], watched: { wanted: '0 ms' } });
    expect(voidedBy(disused, fresh) === undefined && held.length > 0).toBe(false);
  }));

test('no digest and no value of a variable is in what a look tells', () =>
  inWhateverCluster((seen) => {
    const said = JSON.stringify(seen);
    expect(said).not.toMatch(/[0-9a-f]{64}/);
    for (const token of TOKENS) expect(said).not.toContain(token);
  }));
