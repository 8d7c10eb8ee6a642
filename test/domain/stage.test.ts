import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import {
  STEPS,
  type StepName,
  type StepProgress,
  type Waiting,
} from '../../domain/rotation/checklist.ts';
import {
  firstEndOf,
  SEARCH_ATTRIBUTES,
  stageOf,
  WAITS_FOR_PERSON,
} from '../../domain/rotation/stage.ts';
import { newReport } from '../../domain/rotation/report.ts';
import { anEvidence, aRequest } from '../support/builders.ts';

const since = '2026-09-01T12:00:00.000Z';
const approval: Waiting = { kind: 'approval', evidence: anEvidence(), since };
const classification: Waiting = {
  kind: 'classification',
  findings: {
    secret: 'signon-token-hmrc-support-api',
    domain: 'example.org',
    internal: false,
    tokens: [],
    census: { asked: 1, starting: [], unasked: [] },
  },
  since,
};
const blockedIn = (step: StepName): Waiting => ({
  kind: 'blocked',
  step,
  failure: 'Unreachable',
  message: 'Signon did not answer',
  tokens: 'Both tokens are live.',
  todo: 'Retry.',
  since,
  tries: 1,
});

/**
 * The checklist of a rotation that is at one step: what is before it is done, what comes after it
 * is to come.
 */
function at(step: StepName, state: StepProgress['state'] = 'now'): StepProgress[] {
  const here = STEPS.indexOf(step);
  return STEPS.map((name, index) => ({
    name,
    note: '',
    state: index < here ? 'done' : index === here ? state : 'to come',
  }));
}

describe('a rotation’s stage', () => {
  test.each([
    ['assess', 'preparing'],
    ['classify', 'preparing'],
    ['approve plan', 'waiting-approval'],
    ['issue', 'preparing'],
    ['hand over', 'preparing'],
    ['sync', 'preparing'],
    ['roll out', 'preparing'],
    ['smoke', 'preparing'],
    ['approve', 'waiting-approval'],
    ['revoke', 'revoking'],
    ['confirm', 'revoking'],
  ] as const)('in “%s” is %s', (step, stage) => {
    expect(stageOf({ steps: at(step) })).toBe(stage);
  });

  test.each(STEPS)('is blocked where “%s” is', (step) => {
    expect(stageOf({ steps: at(step, 'blocked'), waiting: blockedIn(step) })).toBe('blocked');
    expect(stageOf({ steps: at(step), waiting: blockedIn(step) })).toBe('blocked');
  });

  test('is what it was between two steps', () => {
    expect(stageOf({ steps: at('issue', 'done') })).toBeUndefined();
    expect(stageOf({ steps: at('sync', 'to come') })).toBeUndefined();
    expect(stageOf({ steps: at('sync', 'skipped') })).toBeUndefined();
    expect(stageOf({ steps: [] })).toBeUndefined();
  });

  test.each([
    'rotated',
    'revoked-disused',
    'handed-over',
    'old-token-expired',
    'ignored',
    'nothing-to-do',
    'delegated',
    'rejected',
    'aborted',
  ] as const)('is the outcome once it ended as %s, wherever it stood', (outcome) => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STEPS),
        fc.constantFrom('now' as const, 'blocked' as const, 'done' as const),
        fc.constantFrom(undefined, approval, blockedIn('revoke')),
        (step, state, waiting) => {
          expect(
            stageOf({
              steps: at(step, state),
              waiting,
              ended: { ...newReport(aRequest()), outcome },
            }),
          ).toBe(outcome);
        },
      ),
    );
  });

  test('says that a person is waited for exactly where one is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STEPS.filter((step) => step !== 'approve' && step !== 'approve plan')),
        fc.boolean(),
        (step, blocked) => {
          const stage = stageOf({
            steps: at(step),
            waiting: blocked ? blockedIn(step) : undefined,
          });
          expect(WAITS_FOR_PERSON.includes(stage!)).toBe(blocked);
        },
      ),
    );
    for (const step of ['approve', 'approve plan'] as const)
      expect(WAITS_FOR_PERSON).toContain(stageOf({ steps: at(step), waiting: approval }));
    expect(stageOf({ steps: at('classify'), waiting: classification })).toBe(
      'waiting-classification',
    );
    expect(WAITS_FOR_PERSON).toContain('waiting-classification');
  });
});

test('of the tokens that an approval is to revoke, the day of the one that ends first is kept', () => {
  const ends = (...days: string[]): Waiting => {
    const { toRevoke, ...evidence } = anEvidence();
    const tokens = days.map((expires) => ({ ...toRevoke[0]!, expires }));
    return { kind: 'approval', evidence: { ...evidence, toRevoke: tokens }, since };
  };
  expect(firstEndOf({ waiting: ends('2027-01-09', '2026-12-31', '2027-11-01') })).toBe(
    '2026-12-31',
  );
  expect(firstEndOf({ waiting: ends() })).toBeUndefined();
  for (const waiting of [undefined, classification, blockedIn('sync')])
    expect(firstEndOf({ waiting })).toBeUndefined();
});

test('the stage is one of the search attributes, each named once', () => {
  expect(SEARCH_ATTRIBUTES).toContain('RotationStage');
  expect(new Set(SEARCH_ATTRIBUTES).size).toBe(SEARCH_ATTRIBUTES.length);
});
