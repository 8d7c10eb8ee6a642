import { expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { aFate } from '../support/arbitrary-fates.ts';
import { ModelledRotation } from '../support/modelled-rotation.ts';
import type { Revoke } from '../support/modelled-steps.ts';

/** What worlds must come to, or the model shows little. */
const ENDS = [
  'rotated',
  'handed-over',
  'revoked-disused',
  'old-token-expired',
  'nothing-to-do',
  'waiting',
  ...[
    'UnlistedToken',
    'AccessEnded',
    'RolloutIncomplete',
    'SmokeFailed',
    'NewTokenGone',
    'OlderTokenOutlives',
  ].map((failure) => `blocked: ${failure}`),
  ...['ReadInCluster', 'CannotHandOver', 'StillInUse'].map((failure) => `blocked: ${failure}`),
  ...['not the code of', 'not among', 'proven unused', 'not proven', 'second person'].map(
    (why) => `refused: ${why}`,
  ),
  ...[
    'token appeared',
    'revoked by somebody',
    'new consumer',
    'has not started',
    'could not be asked',
    'holds',
    'smoke lapsed',
  ].map((why) => `voided: ${why}`),
  ...['readers', 'found', 'as requested', 'external', 'internal', 'disused'].map(
    (how) => `revoked: holders ${how}`,
  ),
  ...[
    'in integration',
    'in production',
    'given-up',
    'holder-unknown',
    'in a later round',
    'after another',
  ].map((kind) => `revoked: ${kind}`),
  ...[
    'with no pod seen',
    'not smoke-tested',
    'not asked',
    'for a holder outside and containers',
  ].map((kind) => `revoked: ${kind}`),
  'revoked: what Signon’s renewal brought back',
  ...['agreed', 'nobody outside'].map((kind) => `issued: ${kind}`),
];

test('rotations over a fixed sample of worlds come to every end: revoked, handed over, retired, voided, refused and blocked for each reason', () => {
  const counts: Record<string, number> = {};
  for (const fate of fc.sample(aFate, { numRuns: 3500, seed: 20260901 })) {
    const rotation = new ModelledRotation(fate).run();
    for (const what of endsOf(rotation)) counts[what] = (counts[what] ?? 0) + 1;
  }
  expect(ENDS.filter((end) => (counts[end] ?? 0) < 3)).toEqual([]);
  for (const often of ['in production', 'given-up', 'holder-unknown', 'holders disused'])
    expect([often, (counts[`revoked: ${often}`] ?? 0) > 50]).toEqual([often, true]);
});

function endsOf(rotation: ModelledRotation): string[] {
  const { outcome, people, voided, revokes, issues } = rotation;
  return [
    outcome,
    ...people.refusals.map((why) => `refused: ${why}`),
    ...voided.map((why) => `voided: ${why}`),
    ...issues.map(({ recipient }) => `issued: ${recipient ? 'agreed' : 'nobody outside'}`),
    ...revokes.flatMap((revoke) => kindsOf(revoke, rotation).map((kind) => `revoked: ${kind}`)),
  ];
}

/** What is particular about a revoke, so that none of it goes untried. */
function kindsOf(
  { token, granted, begun }: Revoke,
  { world, holders }: ModelledRotation,
): string[] {
  const { evidence, truth } = granted!.shown;
  const standing = evidence.toRevoke.find(({ masked }) => masked === token.masked)?.standing;
  const kinds: [kind: string, is: boolean][] = [
    ['in a later round', evidence.round > 1],
    ['after another', begun.length > 0],
    ['with no pod seen', truth.consumers.some(({ pods }) => pods === 0)],
    ['not smoke-tested', evidence.shortfalls.some(({ code }) => code === 'not-smoke-tested')],
    ['not asked', truth.unasked.length > 0],
    [
      'for a holder outside and containers',
      evidence.recipient !== undefined && evidence.consumers.length > 0,
    ],
    [
      'what Signon’s renewal brought back',
      holders === 'disused' && world.renewals.some(({ masked }) => masked === token.masked),
    ],
  ];
  return [
    `in ${world.request.environment}`,
    `holders ${holders}`,
    `${standing}`,
    ...kinds.filter(([, is]) => is).map(([kind]) => kind),
  ];
}
