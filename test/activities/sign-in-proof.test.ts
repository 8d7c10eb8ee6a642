import { expect, test } from '../support/jest.ts';
import { Secret } from '../../config/secret.ts';
import { createLedgerActivities, signInProof } from '../../activities/temporal/sign-in-proof.ts';

const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const ledger = createLedgerActivities(new Secret(SECRET), 'integration');
const question = { id: 'a', at: Date.now() };
const proofOf = (said: Parameters<typeof signInProof>[2]): string =>
  signInProof(new Secret(SECRET), 'integration', said);

test('a worker with the same TOTP secret, however it is written, is believed', async () => {
  const spaced = new Secret(SECRET.toLowerCase().replace(/(....)/g, '$1 '));
  const proof = signInProof(spaced, 'integration', question);
  expect(await ledger.provesWorker({ ...question, proof })).toBe(true);
  const outcome = { id: 'a', outcome: 'refused' } as const;
  expect(await ledger.provesWorker({ ...outcome, proof: proofOf(outcome) })).toBe(true);
});

test.each([
  ['another secret', signInProof(new Secret('A'.repeat(32)), 'integration', question)],
  ['another environment', signInProof(new Secret(SECRET), 'production', question)],
  ['another question', proofOf({ ...question, id: 'b' })],
  ['another moment', proofOf({ ...question, at: question.at + 1 })],
  ['an outcome', proofOf({ id: 'a', outcome: 'refused' })],
  ['nothing', ''],
])('a proof of %s is none', async (_what, proof) => {
  expect(await ledger.provesWorker({ ...question, proof })).toBe(false);
});

test('a proof of a refusal is none of its opposite', async () => {
  const proof = proofOf({ id: 'a', outcome: 'refused' });
  expect(await ledger.provesWorker({ id: 'a', outcome: 'accepted', proof })).toBe(false);
});

test('a question is believed for five minutes', async () => {
  for (const [ago, believed] of [
    [4, true],
    [6, false],
    [-6, false],
  ] as const) {
    const old = { id: 'a', at: Date.now() - ago * 60_000 };
    expect(await ledger.provesWorker({ ...old, proof: proofOf(old) })).toBe(believed);
  }
});

test('a proof shows nothing of the secret', () => {
  expect(proofOf(question)).toMatch(/^[0-9a-f]{64}$/);
});
