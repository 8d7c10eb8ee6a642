import { expect, test } from '../support/jest.ts';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateStage } from '@temporalio/client';
import type { Answer } from '../../domain/evidence/decisions.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { gate } from '../support/gate.ts';
import type { Rotation } from '../support/rotations.ts';
import { until } from '../support/until.ts';

const { rotating } = useTimeSkipping();
const ABORT = { by: 'grace@example.org', reason: 'wrong pair' };

test.each([
  ['findPair', 'UnknownApiUser', 'No token was issued.'],
  ['awaitSyncJob', 'SyncJobFailed', 'Both tokens are live'],
  ['awaitRollout', 'NotPermitted', 'Both tokens are live'],
  ['smokeConsumers', 'NotPermitted', 'Both tokens are live'],
  ['createToken', 'CreateAnswerLost', 'A new token may have been issued.'],
] as const)(
  'an abort while %s is blocked ends tidily and says what lives',
  (activity, failure, says) =>
    rotating(
      async (rotation) => {
        await rotation.blocked(failure);
        await rotation.send('abort', ABORT);
        const report = await rotation.report();
        expect(report).toMatchObject({ outcome: 'aborted', revoked: [] });
        expect(report.why).toContain('grace@example.org stopped it (wrong pair)');
        expect(report.why).toContain(says);
        expect(rotation.systems.revoked).toEqual([]);
      },
      { prepare: (systems) => systems.fail(activity, failure) },
    ),
);

test('an abort in the middle of a create lets it end, and the report knows the new token', () => {
  const create = gate();
  return rotating(
    async (rotation) => {
      await create.reached;
      await rotation.send('abort', ABORT);
      await rotation.heard(/stopping/);
      create.open();
      const report = await rotation.report();
      expect(report).toMatchObject({
        outcome: 'aborted',
        newToken: { authorisationId: 102 },
        revoked: [],
      });
      expect(rotation.systems.calls).not.toContain('createSyncJob');
    },
    {
      prepare: (systems) =>
        (systems.onCall = (name) => (name === 'createToken' ? create.stop() : undefined)),
    },
  );
});

test('an abort in the middle of a revoke lets it end, and the report names what was revoked', () => {
  const revoke = gate();
  return rotating(
    async (rotation) => {
      await rotation.approve();
      await revoke.reached;
      await rotation.send('abort', ABORT);
      await rotation.heard(/stopping/);
      revoke.open();
      const report = await rotation.report();
      expect(report).toMatchObject({ outcome: 'aborted', revoked: [{ authorisationId: 101 }] });
      expect(report.why).toContain('Revoked: first101…last0101 (authorisation 101)');
    },
    {
      prepare: (systems) =>
        (systems.onCall = (name) => (name === 'revokeToken' ? revoke.stop() : undefined)),
    },
  );
});

test('an abort after the first of two approved revokes lets the second be made too', () => {
  const revoke = gate();
  return rotating(
    async (rotation) => {
      await rotation.approve();
      await revoke.reached;
      await rotation.send('abort', ABORT);
      await rotation.heard(/stopping/);
      revoke.open();
      const report = await rotation.report();
      expect(report).toMatchObject({
        outcome: 'aborted',
        revoked: [{ authorisationId: 101 }, { authorisationId: 102 }],
        alive: [{ authorisationId: 103 }],
      });
    },
    {
      prepare: (systems) => {
        systems.issueByHand(9);
        systems.onCall = (name) => (name === 'revokeToken' ? revoke.stop() : undefined);
      },
    },
  );
});

test('an abort while the last look before a revoke is under way revokes nothing', () => {
  const look = gate();
  return rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.onCall = (name) => (name === 'lookAtConsumers' ? look.stop() : undefined);
    await rotation.approve();
    await look.reached;
    await rotation.send('abort', ABORT);
    look.open();
    expect(await rotation.report()).toMatchObject({
      outcome: 'aborted',
      revoked: [],
      approvals: [{}],
    });
    expect(rotation.systems.revoked).toEqual([]);
  });
});

test('an abort while the last look before a second approval’s revoke is under way revokes nothing more', () => {
  const look = gate();
  return rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.approve({ revoke: [101] });
      await rotation.passSoak();
      await rotation.awaitingApproval(1);
      systems.onCall = (name) => (name === 'lookAtConsumers' ? look.stop() : undefined);
      await rotation.approve({ revoke: [102] }, 1);
      await look.reached;
      await rotation.send('abort', ABORT);
      look.open();
      expect(await rotation.report()).toMatchObject({ outcome: 'aborted' });
      expect(systems.revoked).toEqual([101]);
    },
    { prepare: (systems) => void systems.issueByHand(9) },
  );
});

test('an abort while a lost create is waited for issues nothing more', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('CreateAnswerLost');
      await rotation.send('retry', { by: ABORT.by });
      await rotation.answered(/retrying/);
      await rotation.send('abort', ABORT);
      expect(await rotation.report()).toMatchObject({ outcome: 'aborted' });
      expect(rotation.systems.calls.filter((call) => call === 'createToken')).toHaveLength(1);
    },
    { prepare: (systems) => systems.fail('createToken', 'CreateAnswerLost') },
  ));

test('an abort after a create that was not sent says that no token was issued', () =>
  rotating(
    async (rotation) => {
      expect(await rotation.blocked('AccessEnded')).toMatchObject({
        tokens: expect.not.stringContaining('may have been issued'),
      });
      await rotation.send('abort', ABORT);
      expect((await rotation.report()).why).toContain('No token was issued.');
    },
    {
      prepare: (systems) => systems.fail('createToken', 'AccessEnded', { details: ['not sent'] }),
    },
  ));

test('an abort after a revoke whose answer was lost says that the token may be gone', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      await rotation.blocked('RevokeNotSeen');
      await rotation.send('abort', ABORT);
      const { why } = await rotation.report();
      expect(why).toContain(
        'May be revoked, because Signon’s answer was lost: first101…last0101 (authorisation 101)',
      );
    },
    { prepare: (systems) => systems.fail('revokeToken', 'RevokeNotSeen', { after: true }) },
  ));

test('an abort during a wait ends it at once', () => {
  const job = gate();
  return rotating(
    async (rotation) => {
      await job.reached;
      await rotation.send('abort', ABORT);
      expect(await rotation.report()).toMatchObject({ outcome: 'aborted' });
      job.open();
    },
    {
      prepare: (systems) =>
        (systems.onCall = (name) => (name === 'awaitSyncJob' ? job.stop() : undefined)),
    },
  );
});

test('a cancel while a person is waited for closes as completed, with a report', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.handle.cancel();
    const report = await rotation.report();
    expect(report).toMatchObject({ outcome: 'aborted', revoked: [], alive: [{}, {}] });
    expect((await rotation.handle.describe()).status.name).toBe('COMPLETED');
  }));

test('a cancel during the soak keeps the revoke in the report', () =>
  rotating(async (rotation) => {
    await rotation.approve();
    await until('the soak', async () =>
      /checking again in/.test(await rotation.details()) ? true : undefined,
    );
    await rotation.handle.cancel();
    expect(await rotation.report()).toMatchObject({
      outcome: 'aborted',
      revoked: [{ authorisationId: 101 }],
    });
  }));

/**
 * What is under way when the stop comes, in each step. `approve` waits for a person, `confirm`
 * soaks.
 */
const UNDER_WAY = {
  // nothing beside it: this server loses a workflow whose end is refused because an answer came
  // meanwhile
  assess: 'findPair',
  issue: 'createToken',
  sync: 'awaitSyncJob',
  'roll out': 'awaitRollout',
  smoke: 'smokeConsumers',
  approve: undefined,
  revoke: 'revokeToken',
  confirm: undefined,
} as const;
/** What, once begun, runs to its end. */
const RUNS_TO_ITS_END = ['createToken', 'revokeToken'];
const stops = {
  abort: (rotation: Rotation) => rotation.send('abort', ABORT),
  cancel: (rotation: Rotation) => rotation.handle.cancel(),
};

for (const [step, activity] of Object.entries(UNDER_WAY))
  for (const [how, stop] of Object.entries(stops))
    test(`${how} in “${step}” ends tidily as completed, and says what lives`, () => {
      const act = gate();
      return rotating(
        async (rotation) => {
          if (step === 'revoke' || step === 'confirm') await rotation.approve();
          if (activity) await act.reached;
          else if (step === 'approve') await rotation.awaitingApproval();
          else
            await until('the soak', async () =>
              /checking again in/.test(await rotation.details()) ? true : undefined,
            );
          await stop(rotation);
          await rotation.heard(/stopping: asked by/);
          if (activity && RUNS_TO_ITS_END.includes(activity)) act.open();
          const report = await rotation.report();
          act.open();
          const revoked = step === 'revoke' || step === 'confirm' ? [{ authorisationId: 101 }] : [];
          expect(report).toMatchObject({ outcome: 'aborted', revoked });
          expect(report.newToken?.authorisationId).toBe(step === 'assess' ? undefined : 102);
          expect(report.why).toMatch(
            step === 'assess'
              ? /No token was issued/
              : revoked.length > 0
                ? /Revoked: first101/
                : /Both tokens are live/,
          );
          expect((await rotation.handle.describe()).status.name).toBe('COMPLETED');
          // at least once
          const said = rotation.systems.notices.filter(({ kind }) => kind === 'ended');
          expect(new Set(said.map(({ cause }) => cause))).toEqual(new Set(['aborted']));
        },
        {
          prepare: (systems) =>
            (systems.onCall = (name) => (name === activity ? act.stop() : undefined)),
        },
      );
    });

test.each(['abort', 'cancel'] as const)(
  '%s after a long wait for approval ends as tidily as at once',
  (how) =>
    rotating(async (rotation) => {
      await rotation.awaitingApproval();
      await rotation.pass('2 minutes');
      await stops[how](rotation);
      expect(await rotation.report()).toMatchObject({ outcome: 'aborted', revoked: [] });
    }),
);

test('an abort while a late approval is judged ends tidily', () => {
  const verdict = gate();
  return rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.pass('2 minutes');
    rotation.systems.onCall = (name) => (name === 'judge' ? verdict.stop() : undefined);
    await rotation.approve();
    await verdict.reached;
    await rotation.send('abort', ABORT);
    expect(await rotation.report()).toMatchObject({
      outcome: 'aborted',
      revoked: [],
      approvals: [],
    });
    verdict.open();
  });
});

test('an abort that comes when all is over is refused, and changes no outcome', () => {
  const last = gate();
  return rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.onCall = (name) => (name === 'notify' ? last.stop() : undefined);
    await rotation.send('reject', ABORT);
    await last.reached;
    const aborted = await rotation.handle.startUpdate<Answer, [unknown]>('abort', {
      args: [ABORT],
      waitForStage: WorkflowUpdateStage.ACCEPTED,
    });
    last.open();
    await expect(aborted.result()).rejects.toMatchObject({
      cause: { message: 'abort not accepted: the rotation has ended' },
    });
    expect(await rotation.report()).toMatchObject({ outcome: 'rejected' });
  });
});

test('a later rotation adopts what a stopped one issued', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.send('abort', ABORT);
    await rotation.ended();
    const { type, taskQueue } = await rotation.handle.describe();
    const again = await rotation.client.workflow.start(type, {
      workflowId: rotation.handle.workflowId,
      taskQueue,
      args: [{ ...(await rotation.status()).request }],
    });
    const status = await until('the second rotation’s approval', async () => {
      const now = await again.query<Awaited<ReturnType<typeof rotation.status>>>('status');
      return now.waiting?.kind === 'approval' ? now : undefined;
    });
    expect(status.steps.find(({ name }) => name === 'issue')?.note).toContain(
      'adopted first102…last0102',
    );
    await again.terminate();
  }));

test.each([['before it issues'], ['while it waits for the rollout']] as const)(
  'a pod that nothing lists, seen %s, is left to the next rotation, also where no approval was asked for',
  (when) =>
    rotating(
      async (rotation) => {
        await rotation.blocked('RolloutIncomplete');
        await rotation.send('abort', ABORT);
        expect(await rotation.report()).toMatchObject({
          outcome: 'aborted',
          remembered: { passing: [{ workload: 'Workflow/deploy-1', container: 'main' }] },
        });
      },
      {
        prepare: (systems) => {
          const pod = systems.container('app', 'deploy-1');
          const main = { ...pod, workload: 'Workflow/deploy-1' as never, container: 'main' };
          systems.onSync = () => undefined;
          systems.onCall = (activity) => {
            const isThere =
              when === 'before it issues'
                ? !systems.calls.includes('createSyncJob')
                : activity === 'awaitRollout';
            systems.elsewhere = isThere ? [main] : [];
          };
        },
      },
    ),
);

test('where what earlier rotations saw could not be read, the next one is told to read it', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      await rotation.send('abort', ABORT);
      expect(await rotation.report()).toMatchObject({ remembered: { isPart: true } });
    },
    {
      prepare: (systems) =>
        Object.defineProperty(systems, 'remembered', {
          get: () => {
            throw ApplicationFailure.nonRetryable('the list lags behind', 'Unreachable');
          },
        }),
    },
  ));
