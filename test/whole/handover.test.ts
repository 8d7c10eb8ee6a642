import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { run } from '../../client/cli/program.ts';
import { ageKey, decrypt, HAS_AGE } from '../support/age.ts';
import { REQUEST } from '../support/request.ts';
import { findSecrets, whatTemporalKeeps } from '../support/secret-search.ts';
import { Stage } from '../support/stage.ts';

const withAge = HAS_AGE ? test : test.skip;
if (!HAS_AGE)
  process.stderr.write(
    'No age, so the tests of a hand-over outside are left out: `apt-get install age`.\n',
  );

const HMRC = 'hmrc@example.org';
const LOST = 'lost@example.org';
let stage: Stage;
let keys: string;

beforeAll(async () => {
  if (!HAS_AGE) return;
  keys = mkdtempSync(join(tmpdir(), 'signon-keys-'));
  const key = ageKey(join(keys, 'hmrc'));
  const recipients = [
    { name: 'HMRC', apiUser: HMRC, key },
    { name: 'Slow', apiUser: LOST, key },
    {
      name: 'Both',
      apiUser: REQUEST.apiUser,
      key: ageKey(join(keys, 'both')),
      alsoInCluster: true,
    },
  ];
  stage = await Stage.set({}, { recipients }, {}, {}); // its data file is read
  await stage.worker();
});
afterAll(async () => {
  if (!HAS_AGE) return;
  await stage.strike();
  rmSync(keys, { recursive: true });
});

/** One command line, with the answer to its question. */
async function cli(
  args: string[],
  answer = 'integration',
): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(args, {
    env: { ...stage.temporalEnv(), ROTATION_ENVIRONMENT: 'integration' },
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    readLine: () => Promise.resolve(answer),
    readSecret: () => Promise.resolve(undefined),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

withAge(
  'a token for a holder outside leaves encrypted to their key alone: age opens it, and it is the new token',
  async () => {
    const old = stage.addApiUser('HMRC', HMRC);
    const pair = [HMRC, REQUEST.application];
    const by = ['--by', 'grace@example.org'];
    await cli(['start', ...pair, '--by', 'ada@example.org', '--recipient', 'HMRC']);
    const rotation = await stage.rotation({ apiUser: HMRC });
    await rotation.awaitingApproval(1);
    expect(await cli(['handover', ...pair])).toMatchObject({ code: EXIT.nothing, out: '' });
    const shown = await cli(['show', ...pair]);
    expect(shown.out).toMatch(/Approve: issue a token for HMRC in integration\?/);
    const plan = await cli(['approve', ...pair, ...by]);
    expect(plan.err).toMatch(
      /Issue a token in integration and encrypt it for its holder outside: HMRC\? Type integration/,
    );
    expect(plan.code).toBe(EXIT.done);

    await rotation.awaitingApproval(2);
    const { out, err } = await cli(['handover', ...pair]);
    const made = stage.sandbox.world.state.authorisations.at(-1)!;
    expect(made.id).not.toBe(old.id);
    expect(decrypt(`${out}\n`, join(keys, 'hmrc'))).toBe(made.token);
    expect(() => decrypt(`${out}\n`, join(keys, 'both'))).toThrow(/Command failed: age/);
    expect(err).toMatch(/age --decrypt --identity KEY-FILE token\.age/);
    expect(out + err).not.toContain(made.token);

    const unconfirmed = await cli(['approve', ...pair, ...by, '--revoke', String(old.id)]);
    expect(unconfirmed).toMatchObject({
      code: EXIT.notAccepted,
      err: expect.stringMatching(/--accept consumer-confirmed/),
    });
    expect(old.revokedAt).toBeUndefined();
    const confirmed = ['--accept', 'consumer-confirmed', '--revoke', String(old.id)];
    expect(await cli(['approve', ...pair, ...by, ...confirmed])).toMatchObject({ code: EXIT.done });
    expect(await rotation.report()).toMatchObject({
      outcome: 'handed-over',
      revoked: [{ authorisationId: old.id }],
    });
    expect((await cli(['handover', ...pair])).out).toBe(out); // from the report too

    const secrets = { 'the old token': old.token, 'the new token': made.token };
    expect(findSecrets(secrets, await whatTemporalKeeps(stage))).toEqual([]);
  },
);

withAge('an API user with pods and a holder outside is revoked only on both proofs', async () => {
  const [old] = stage.tokens();
  const rotation = await stage.rotation();
  await rotation.approve(1);
  const { waiting, handOver } = await rotation.awaitingApproval(2);
  const made = stage.tokens().at(-1)!;
  expect(decrypt(handOver!.armoured, join(keys, 'both'))).toBe(made.token);
  if (waiting?.kind !== 'approval') throw new Error('nothing waits for approval');
  const { consumers, shortfalls } = waiting.evidence;
  expect(consumers.filter(({ pods }) => pods.length > 0).map(({ smoke }) => smoke)).toEqual([
    'passed',
    'passed',
  ]);
  expect(shortfalls.map(({ code }) => code)).toEqual(['consumer-confirmed', 'no-pod-seen']);
  await rotation.approve(2, { accept: ['no-pod-seen'] });
  await rotation.answered(/Both uses the new token/);
  expect(old!.revokedAt).toBeUndefined();
  await rotation.approve(2);
  expect(await rotation.report()).toMatchObject({
    outcome: 'handed-over',
    revoked: [{ authorisationId: old!.id }],
  });
});

withAge(
  'a create whose answer was lost is not handed over: a person says so, and another is issued',
  async () => {
    const old = stage.addApiUser('Lost', LOST);
    stage.sandbox.signon.faults.add({
      method: 'POST',
      path: /authorisations$/,
      when: 'after',
      kind: 'cut',
    });
    const rotation = await stage.rotation({ apiUser: LOST });
    expect(await rotation.awaitingClassification()).toMatchObject({
      recipient: 'Slow',
      internal: false,
    });
    await rotation.send('classify', { as: 'external', recipient: 'HMRC' });
    await rotation.answered(/the settings name “Slow” for this API user, not “HMRC”/);
    await rotation.send('classify', { as: 'external', recipient: 'Slow' });
    await rotation.approve(1);
    await rotation.blocked('CannotHandOver');
    const lost = stage.sandbox.world.state.authorisations.at(-1)!;
    await rotation.retry({ accept: ['issue-another'] });
    const { handOver } = await rotation.awaitingApproval(2);
    const made = stage.sandbox.world.state.authorisations.at(-1)!;
    expect(made.id).toBeGreaterThan(lost.id);
    expect(decrypt(handOver!.armoured, join(keys, 'hmrc'))).toBe(made.token);
    await rotation.approve(2);
    const report = await rotation.report();
    expect(report).toMatchObject({
      outcome: 'handed-over',
      newToken: { authorisationId: made.id },
    });
    expect(new Set(report.revoked.map(({ authorisationId }) => authorisationId))).toEqual(
      new Set([old.id, lost.id]),
    );
  },
);
