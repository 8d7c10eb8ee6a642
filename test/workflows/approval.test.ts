import { expect, test } from '../support/jest.ts';
import { ApplicationFailure } from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import { gate } from '../support/gate.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';

const { rotating } = useTimeSkipping();

test('an approval that comes before any evidence counts for nothing and is answered', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('UnknownApiUser');
      await rotation.send('approve', {
        by: 'grace@example.org',
        evidence: '00000000',
        revoke: [101],
      });
      await rotation.answered(/nothing waits for approval now/);
      await rotation.send('retry', { by: 'ada@example.org' });
      await rotation.awaitingApproval();
      expect(rotation.systems.revoked).toEqual([]);
    },
    { prepare: (systems) => systems.fail('findPair', 'UnknownApiUser') },
  ));

test('an approval that quotes the round before revokes nothing', () =>
  rotating(async (rotation) => {
    const { code } = await rotation.awaitingApproval();
    rotation.systems.issueByHand();
    await rotation.approve();
    const { code: second, waiting } = await rotation.awaitingApproval(1);
    expect(second).not.toBe(code);
    expect(waiting).toMatchObject({ evidence: { newToken: { authorisationId: 103 } } });
    await rotation.send('approve', { by: 'grace@example.org', evidence: code, revoke: [101] });
    await rotation.answered(/not the code of this evidence/);
    expect(rotation.systems.revoked).toEqual([]);
    await rotation.approve({ revoke: [101, 102] });
    expect(await rotation.report()).toMatchObject({
      outcome: 'rotated',
      newToken: { authorisationId: 103 },
    });
    expect(rotation.systems.revoked.toSorted((a, b) => a - b)).toEqual([101, 102]);
  }));

test('an approval covers the tokens given up; one whose holder is unknown lives on until it is named', () =>
  rotating(
    async (rotation) => {
      await rotation.approve({ revoke: undefined });
      await until('the revoke', () => rotation.systems.revoked.length > 0 || undefined);
      // what was revoked is confirmed before anything else is asked
      await rotation.pass('11 minutes');
      const { waiting } = await rotation.awaitingApproval(1);
      expect(rotation.systems.revoked).toEqual([101]);
      expect(waiting).toMatchObject({
        evidence: { toRevoke: [{ authorisationId: 100, standing: 'holder-unknown' }] },
      });
      await rotation.approve({ revoke: [100] });
      await rotation.report();
      expect(rotation.systems.revoked).toEqual([101, 100]);
    },
    {
      prepare: (systems) => {
        const [old] = systems.tokens;
        systems.tokens.unshift({
          ...systems.token(100, 0, 0),
          generated: old!.generated,
          expires: old!.expires,
        });
      },
    },
  ));

test('production wants a second person, whatever the case of their name', () =>
  rotating(
    async (rotation) => {
      await rotation.approve({ by: ' ADA@example.org ' });
      await rotation.answered(/production needs a second person/);
      expect(rotation.systems.revoked).toEqual([]);
      await rotation.approve({ by: 'grace@example.org' });
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    },
    {
      request: { environment: 'production' },
      serves: 'production',
      prepare: (systems) => (systems.environment = 'production'),
    },
  ));

test('a smoke call that any token passes is no proof, and is accepted by name or not at all', () =>
  rotating(
    async (rotation) => {
      await rotation.approve({ accept: undefined });
      await rotation.answered(
        /not proven: app of Deployment\/short-url-manager: lookup_content_id no-proof/,
      );
      await rotation.approve({ accept: ['not-smoke-tested'] });
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    },
    { prepare: (systems) => (systems.smoke = 'no-proof') },
  ));

test('a failed smoke call is never up for acceptance: it blocks', () =>
  rotating(
    async (rotation) => {
      const { todo } = await rotation.blocked('SmokeFailed');
      expect(todo).toContain('then retry');
      await rotation.send('approve', {
        by: 'grace@example.org',
        evidence: 'x',
        accept: ['not-smoke-tested'],
      });
      await rotation.answered(/nothing waits for approval/);
      rotation.systems.smoke = 'passed';
      await rotation.send('retry', { by: 'grace@example.org' });
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    },
    { prepare: (systems) => (systems.smoke = 'failed') },
  ));

test('a rejection ends the rotation with both tokens alive', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.send('reject', { by: 'grace@example.org', reason: 'a release is under way' });
    const report = await rotation.report();
    expect(report).toMatchObject({
      outcome: 'rejected',
      why: expect.stringMatching(
        /^grace@example\.org: a release is under way\. Both tokens are live: the new one until/,
      ),
      revoked: [],
    });
    expect(rotation.systems.tokens).toHaveLength(2);
  }));

test.each([
  ['approve', 'yes', /expected one JSON object/],
  ['approve', { by: 'grace@example.org' }, /evidence: expected a text/],
  ['approve', { by: 'grace@example.org', evidence: 'x', revoke: '101' }, /revoke: expected a list/],
  [
    'approve',
    { by: 'grace@example.org', evidence: 'x', accept: ['smoke-failed'] },
    /accept: expected a list/,
  ],
  ['reject', { by: 'grace@example.org' }, /reason: expected a text/],
  ['retry', { by: '' }, /by: expected your name/],
  ['abort', { by: 'grace@example.org', why: 'x' }, /why: unknown field/],
] as const)('a misshapen %s changes nothing and is answered: %j', (signal, input, answer) =>
  rotating(async (rotation) => {
    const { code } = await rotation.awaitingApproval();
    await rotation.send(signal, input);
    await rotation.answered(answer);
    expect((await rotation.status()).code).toBe(code);
    expect(rotation.systems.revoked).toEqual([]);
  }),
);

test('a rejection that comes while an approval is judged is heard', () => {
  const verdict = gate();
  return rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.onCall = (name) => (name === 'judge' ? verdict.stop() : undefined);
    await rotation.approve();
    await verdict.reached;
    await rotation.send('reject', { by: 'grace@example.org', reason: 'not now' });
    verdict.open();
    expect(await rotation.report()).toMatchObject({ outcome: 'rejected', revoked: [] });
    expect(rotation.systems.revoked).toEqual([]);
  });
});

test('a rejection that was accepted is heard although the verdict beside it fails', () => {
  const verdict = gate();
  return rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.onCall = async (name) => {
      if (name !== 'judge') return;
      await verdict.stop();
      throw ApplicationFailure.nonRetryable('as told', 'Unreachable');
    };
    await rotation.approve();
    await verdict.reached;
    await rotation.send('reject', { by: 'grace@example.org', reason: 'not now' });
    verdict.open();
    expect(await rotation.report()).toMatchObject({ outcome: 'rejected', revoked: [] });
    expect(rotation.systems.revoked).toEqual([]);
  });
});

test.each([
  ['json/protobuf', '{"by": '],
  ['binary/unheard-of', '{"by": '],
  ['json/plain', '{"by": '],
  ['binary/plain', 'any bytes'],
  ['json/plain', '['.repeat(200_000) + ']'.repeat(200_000)],
])(
  'a signal whose payload is of no use (%s, %.8s) is answered, and stops nothing',
  (encoding, data) =>
    rotating(async (rotation) => {
      await rotation.awaitingApproval();
      const { client, handle } = rotation;
      await client.workflowService.signalWorkflowExecution({
        namespace: client.options.namespace,
        workflowExecution: { workflowId: handle.workflowId },
        signalName: 'approve',
        requestId: randomUUID(),
        input: {
          payloads: [{ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) }],
        },
      });
      await rotation.answered(/expected one JSON object/);
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
    }),
);

test('two people approve where the settings say so; the page says who has and how many are missing', () =>
  rotating(
    async (rotation) => {
      await rotation.approve({ by: 'grace@example.org' });
      await rotation.answered(
        /^approved by grace@example\.org; 1 more approval is needed, by other people$/,
      );
      expect(await rotation.details()).toMatch(
        /Approved:\*\* 1 of 2: by grace@example\.org .*not authenticated.*; 1 missing/,
      );
      await rotation.approve({ by: 'Grace <GRACE@example.org>' });
      await rotation.answered(/has approved this evidence already/);
      await rotation.approve({ by: 'mallory@evil.org' });
      await rotation.answered(/mallory@evil\.org is not among approvers\.integration/);
      expect(rotation.systems.revoked).toEqual([]);
      // People are told of the question and of the first approval; a refused one brings no notice.
      expect(rotation.systems.notices.filter(({ kind }) => kind === 'needed')).toHaveLength(2);
      await rotation.approve({ by: 'joan@example.org' });
      const report = await rotation.report();
      expect(report).toMatchObject({
        outcome: 'rotated',
        approvals: [{ by: 'grace@example.org', authenticated: false }, { by: 'joan@example.org' }],
      });
    },
    { settings: { approvers: { integration: { who: ['@example.org'], approvals: 2 } } } },
  ));

test('what one of two people approved stays where the verdict on the second could not be had', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.approve({ by: 'grace@example.org' });
      await rotation.answered(/1 more approval is needed/);
      systems.onCall = (name) => {
        if (name === 'judge') throw ApplicationFailure.nonRetryable('away', 'Unreachable');
      };
      await rotation.approve({ by: 'joan@example.org' });
      await rotation.blocked('Unreachable');
      systems.onCall = () => undefined;
      await rotation.send('retry', { by: 'joan@example.org' });
      const { waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({ approvedBy: ['grace@example.org (not authenticated)'] });
      await rotation.approve({ by: 'joan@example.org' });
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated', approvals: [{}, {}] });
    },
    { settings: { approvers: { integration: { who: ['@example.org'], approvals: 2 } } } },
  ));

test('what one of two people approved lapses with its evidence, and a rejection ends the question', () =>
  rotating(
    async (rotation) => {
      await rotation.approve({ by: 'grace@example.org' });
      await rotation.answered(/1 more approval is needed/);
      await rotation.send('retry', { by: 'ada@example.org' });
      const { waiting } = await rotation.awaitingApproval(1);
      expect(waiting).toMatchObject({ needed: 2, approvedBy: [] });
      await rotation.approve({ by: 'grace@example.org' });
      await rotation.answered(/1 more approval is needed/);
      await rotation.send('reject', { by: 'joan@example.org', reason: 'not today' });
      expect(await rotation.report()).toMatchObject({ outcome: 'rejected' });
      expect(rotation.systems.revoked).toEqual([]);
    },
    { settings: { approvers: { integration: { who: ['@example.org'], approvals: 2 } } } },
  ));

test('retry while an approval is asked for gathers the evidence anew, e.g. once a smoke call can be made', () =>
  rotating(
    async (rotation) => {
      const { code, waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({
        evidence: { shortfalls: [{ code: 'not-smoke-tested' }, { code: 'not-smoke-tested' }] },
      });
      await rotation.send('retry', { by: 'ada@example.org', restart: true });
      await rotation.answered(
        /while an approval is asked for, send retry with the field “by” alone/,
      );
      rotation.systems.smoke = 'passed';
      await rotation.send('retry', { by: 'ada@example.org' });
      const second = await rotation.awaitingApproval(1);
      expect(second.code).not.toBe(code);
      expect(second.waiting).toMatchObject({ evidence: { shortfalls: [], round: 2 } });
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({
        outcome: 'rotated',
        notes: expect.arrayContaining(['ada@example.org had the evidence gathered anew']),
      });
    },
    { prepare: (systems) => (systems.smoke = 'no-proof') },
  ));

test('a consumer that only an earlier rotation saw, by the token it held, is still one: nothing shows that it has the new token', () =>
  rotating(
    async (rotation) => {
      const { waiting } = await rotation.awaitingApproval();
      expect(waiting).toMatchObject({
        evidence: {
          consumers: expect.arrayContaining([
            expect.objectContaining({ workload: 'CronJob/nightly-export', pods: [] }),
          ]),
          shortfalls: [{ code: 'no-pod-seen' }],
        },
      });
      await rotation.approve({ accept: undefined });
      await rotation.answered(/not proven: .*CronJob\/nightly-export/);
      expect(rotation.systems.revoked).toEqual([]);
    },
    {
      prepare: (systems) => {
        const also = [
          {
            workload: 'CronJob/nightly-export' as const,
            container: 'main',
            variable: 'LEGACY_TOKEN',
          },
        ];
        systems.remembered = { givenUp: [], also };
      },
    },
  ));
