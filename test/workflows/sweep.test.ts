import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { rotationId } from '../../domain/request/request.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import { gate } from '../support/gate.ts';
import { timeSkippingServer } from '../support/rotations.ts';
import { sweeping, type DrivenSweep, type SweptWorld } from '../support/sweeps.ts';
import { until } from '../support/until.ts';

let server: TestWorkflowEnvironment;
beforeEach(async () => {
  server = await timeSkippingServer();
});
afterEach(() => server.teardown());

const idAt = (world: SweptWorld, at: number): string =>
  rotationId({
    environment: 'integration',
    apiUser: world.email(at),
    application: 'publishing-api',
  });
/** Rotations of which the server knows. */
const started = async ({ world }: DrivenSweep): Promise<number[]> => {
  const there: number[] = [];
  for (const at of world.pairs.keys())
    await server.client.workflow
      .getHandle(idAt(world, at))
      .describe()
      .then(
        () => there.push(at),
        () => undefined,
      );
  return there;
};
test('every pair with a token about to end is rotated, the others are left alone, and the table says how each stands', () =>
  sweeping(
    server,
    async (sweep) => {
      const { outcome, rows: ended } = await sweep.report();
      expect(outcome).toBe('swept');
      expect(ended.map(({ state }) => state)).toEqual(['blocked', 'blocked', 'left alone']);
      expect(await started(sweep)).toEqual([0, 1]);
    },
    { ends: [3, 10, 400] },
  ));

test('a wave begins when every rotation of the one before waits for a person or has ended', () => {
  const first = gate();
  return sweeping(
    server,
    async (sweep) => {
      const { world } = sweep;
      await first.reached;
      await sweep.untilStates({ preparing: 1, 'nothing-to-do': 1, 'to come': 3 });
      expect(await started(sweep)).toEqual([0, 1]);
      first.open();
      const report = await sweep.report();
      expect(report.rows.map(({ state }) => state)).toEqual(Array(5).fill('nothing-to-do'));
      expect(world.looked.slice(0, 2).toSorted()).toEqual([world.email(0), world.email(1)]);
    },
    {
      ends: [1, 2, 3, 4, 5],
      request: { maxConcurrent: 2 },
      prepare: (world) => {
        world.onLook = (apiUser) => (apiUser === world.email(0) ? first.stop() : Promise.resolve());
      },
    },
  );
});

test('paused, it begins no further wave, whatever ends; resumed, it goes on', () => {
  const first = gate();
  return sweeping(
    server,
    async (sweep) => {
      await first.reached;
      await sweep.send('resume', { by: 'ada@example.org' });
      await sweep.answered(/resume not accepted: it is not paused/);
      await sweep.send('pause', { by: 'ada@example.org' });
      await sweep.answered(/paused by ada/);
      await sweep.send('pause', { by: 'grace@example.org' });
      await sweep.answered(/pause not accepted: it is paused already/);
      first.open();
      await sweep.untilStates({ 'nothing-to-do': 1, 'to come': 1 });
      await until(
        'it to wait',
        async () => /Waits for resume/.test((await sweep.status()).doing) || undefined,
      );
      expect(await sweep.details()).toMatch(/Paused by ada/);
      expect(await started(sweep)).toEqual([0]);
      await sweep.send('resume', { by: 'ada@example.org' });
      expect((await sweep.report()).rows.map(({ state }) => state)).toEqual([
        'nothing-to-do',
        'nothing-to-do',
      ]);
    },
    {
      ends: [1, 2],
      request: { maxConcurrent: 1 },
      prepare: (world) => {
        world.onLook = (apiUser) => (apiUser === world.email(0) ? first.stop() : Promise.resolve());
      },
    },
  );
});

test('a plan says for every pair what would be done, starts nothing, and holds no lock', () =>
  sweeping(
    server,
    async (sweep) => {
      const { outcome, rows: planned } = await sweep.report();
      expect(outcome).toBe('planned');
      expect(planned.map(({ state, what }) => `${state}: ${what}`)).toEqual([
        'to come: issue a token, roll it out, then ask to revoke the old one',
        expect.stringMatching(/^left alone: no live token expires within/),
      ]);
      expect(await started(sweep)).toEqual([]);
      expect(sweep.world.looked).toEqual([]);
      expect(await sweep.details()).toContain('What a sweep would do');
    },
    { ends: [3, 400], request: { plan: true }, workflowId: 'a-plan' },
  ));

test('started under another id, it hands over to the environment’s, which is the lock', () =>
  sweeping(
    server,
    async (sweep) => {
      expect(await sweep.report()).toMatchObject({
        outcome: 'delegated',
        why: 'the sweep runs as sweep/integration',
      });
      const lock = server.client.workflow.getHandle('sweep/integration');
      expect(await lock.result()).toMatchObject({
        outcome: 'swept',
        requestedBy: 'ada@example.org',
      });
    },
    { ends: [3], workflowId: 'a-random-id' },
  ));

test('where the environment’s is open, one under another id says so and starts nothing', () => {
  const first = gate();
  return sweeping(
    server,
    async (sweep) => {
      await first.reached;
      const { taskQueue } = await sweep.handle.describe();
      const second: unknown = await server.client.workflow.execute('rotateExpiringTokens', {
        workflowId: 'sweep/integration-2026-11-25T09:07:26Z',
        taskQueue,
        args: [{ environment: 'integration', requestedBy: 'schedule' }],
      });
      expect(second).toMatchObject({
        outcome: 'delegated',
        why: expect.stringContaining('was already open'),
      });
      expect(sweep.world.reads).toBe(1);
      first.open();
      await sweep.report();
    },
    {
      ends: [3],
      prepare: (world) => {
        world.onLook = () => first.stop();
      },
    },
  );
});

test('a rotation that is open already is listed, and goes on as it was', () =>
  sweeping(
    server,
    async (sweep) => {
      const { rows: ended } = await sweep.report();
      expect(ended.map(({ state }) => state)).toEqual(['open before', 'blocked']);
      expect(sweep.world.looked).toEqual([sweep.world.email(1)]);
    },
    {
      ends: [3, 4],
      prepare: (world) => {
        world.open = [idAt(world, 0)];
      },
    },
  ));

test('one that opened after the server was asked is listed all the same', () => {
  const reading = gate();
  return sweeping(
    server,
    async (sweep) => {
      await reading.reached;
      const { taskQueue } = await sweep.handle.describe();
      const byHand = await server.client.workflow.start('rotateToken', {
        workflowId: idAt(sweep.world, 1),
        taskQueue,
        args: [
          {
            environment: 'integration',
            apiUser: sweep.world.email(1),
            application: 'publishing-api',
            requestedBy: 'grace@example.org',
          },
        ],
      });
      await until('its block', () => sweep.world.looked.length === 2 || undefined);
      reading.open();
      const { rows: ended } = await sweep.report();
      expect(ended.map(({ state }) => state)).toEqual(['blocked', 'open before']);
      expect(await byHand.describe()).toMatchObject({ status: { name: 'RUNNING' } });
    },
    {
      ends: [3, 4],
      request: { maxConcurrent: 1 },
      prepare: (world) => {
        world.onLook = async (apiUser) => {
          if (apiUser === world.email(0)) await reading.stop();
          throw ApplicationFailure.nonRetryable('no answer', 'Unreachable');
        };
      },
    },
  );
});

test('a rotation that somebody terminates tells nobody: it is looked up, and the sweep goes on', () => {
  const stuck = gate();
  return sweeping(
    server,
    async (sweep) => {
      await stuck.reached;
      await sweep.untilStates({ preparing: 1, 'to come': 1 });
      await server.client.workflow.getHandle(idAt(sweep.world, 0)).terminate('by hand');
      stuck.open();
      const { outcome, rows: ended } = await sweep.report();
      expect({ outcome, states: ended.map(({ state }) => state) }).toEqual({
        outcome: 'swept',
        states: ['ended', 'blocked'],
      });
    },
    {
      ends: [3, 4],
      request: { maxConcurrent: 1 },
      settings: { sweep: { ...DEFAULT_SETTINGS.sweep, looksEvery: '1 second' } },
      prepare: (world) => {
        world.onLook = async (apiUser) => {
          if (apiUser === world.email(0)) await stuck.stop();
          throw ApplicationFailure.nonRetryable('no answer', 'Unreachable');
        };
      },
    },
  );
});

test('paused for good, it ends after twenty hours, with what is left in its table', () => {
  const reading = gate();
  return sweeping(
    server,
    async (sweep) => {
      await reading.reached;
      await sweep.send('pause', { by: 'ada@example.org' });
      await sweep.answered(/paused by ada/);
      const begun = await server.currentTimeMs();
      reading.open();
      const { outcome, rows: ended } = await sweep.report();
      expect({ outcome, states: ended.map(({ state }) => state) }).toEqual({
        outcome: 'out-of-time',
        states: ['to come', 'to come'],
      });
      expect((await server.currentTimeMs()) - begun).toBeGreaterThanOrEqual(19.9 * 3_600_000);
      expect(await started(sweep)).toEqual([]);
    },
    {
      ends: [3, 4],
      prepare: (world) => {
        world.onRead = () => reading.stop();
      },
    },
  );
});

test('a rotation that has had its turn keeps no wave from being over, though it is at work again', () => {
  const second = gate();
  const again = gate();
  return sweeping(
    server,
    async (sweep) => {
      const { world } = sweep;
      await second.reached;
      await sweep.untilStates({ blocked: 1, preparing: 1, 'to come': 1 });
      await server.client.workflow
        .getHandle(idAt(world, 0))
        .signal('retry', { by: 'ada@example.org' });
      await again.reached;
      await sweep.untilStates({ preparing: 2, 'to come': 1 });
      second.open();
      const { outcome, rows: ended } = await sweep.report();
      expect({ outcome, states: ended.map(({ state }) => state) }).toEqual({
        outcome: 'swept',
        states: ['preparing', 'blocked', 'blocked'],
      });
      again.open();
    },
    {
      ends: [1, 2, 3],
      request: { maxConcurrent: 2 },
      prepare: (world) => {
        world.onLook = async (apiUser) => {
          const looks = world.looked.filter((one) => one === apiUser).length;
          if (apiUser === world.email(0) && looks === 2) await again.stop();
          if (apiUser === world.email(1)) await second.stop();
          throw ApplicationFailure.nonRetryable('no answer', 'Unreachable');
        };
      },
    },
  );
});

test('what somebody hands in as if a history had been cut is not believed: it reads, and asks who started it', () =>
  sweeping(
    server,
    async (sweep) => {
      const { outcome, rows: ended } = await sweep.report();
      expect({ outcome, states: ended.map(({ state }) => state) }).toEqual({
        outcome: 'swept',
        states: ['blocked'],
      });
      expect(sweep.world.reads).toBe(1);
      const [start] =
        (await server.client.workflow.getHandle(idAt(sweep.world, 0)).fetchHistory()).events ?? [];
      const given = start?.workflowExecutionStartedEventAttributes?.input?.payloads?.[1];
      expect(defaultPayloadConverter.fromPayload(given!)).toMatchObject({
        workflowId: 'sweep/integration',
        starter: { identity: expect.stringMatching(/^\d+@/) },
      });
    },
    {
      ends: [3],
      carried: () => [
        undefined,
        {
          rows: [],
          settings: DEFAULT_SETTINGS,
          starter: { identity: '', schedule: 'x' },
          endsAt: 9e15,
        },
      ],
    },
  ));

test('a plan that cannot read ends, and says why', () =>
  sweeping(
    server,
    async (sweep) => {
      expect(await sweep.report()).toMatchObject({ outcome: 'aborted', why: 'SignInRefused: no' });
    },
    {
      request: { plan: true },
      workflowId: 'a-plan',
      prepare: (world) => {
        world.onRead = () => {
          throw ApplicationFailure.nonRetryable('no', 'SignInRefused');
        };
      },
    },
  ));

test('aborted or cancelled, it starts no more and leaves its rotations as they are', async () => {
  for (const how of ['abort', 'cancel'] as const) {
    const first = gate();
    await sweeping(
      server,
      async (sweep) => {
        await first.reached;
        await sweep.untilStates({ preparing: 1, 'to come': 1 });
        if (how === 'cancel') await sweep.handle.cancel();
        else await sweep.send('abort', { by: 'grace@example.org', reason: 'freeze' });
        const { outcome, why, rows: ended } = await sweep.report();
        expect(outcome).toBe('aborted');
        expect(why).toMatch(how === 'abort' ? /grace@example\.org.*freeze/ : /cancelled/);
        expect(ended.map(({ state }) => state)).toEqual(['preparing', 'to come']);
        expect(
          await server.client.workflow.getHandle(idAt(sweep.world, 0)).describe(),
        ).toMatchObject({
          status: { name: 'RUNNING' },
        });
        first.open();
      },
      {
        ends: [3, 4],
        request: { maxConcurrent: 1 },
        prepare: (world) => {
          world.onLook = () => first.stop();
        },
      },
    );
  }
});

test('blocked by Signon, it says so, and goes on when a person says retry', () => {
  const refusal = gate();
  return sweeping(
    server,
    async (sweep) => {
      // This server loses a workflow that cancels an activity which ends just then: the one beside
      // ends first.
      await until('the open ones', async () => (await answersOf(sweep)) === 3 || undefined);
      refusal.open();
      await until(
        'its block',
        async () => (await sweep.status()).blocked !== undefined || undefined,
      );
      expect(await sweep.details()).toMatch(/Blocked: SignInRefused[^]*send \*\*retry\*\*/);
      await sweep.send('retry', { by: 'ada@example.org' });
      expect(await sweep.report()).toMatchObject({
        outcome: 'swept',
        rows: [{ state: 'blocked' }],
      });
      expect(sweep.world.reads).toBe(2);
    },
    {
      ends: [3],
      prepare: (world) => {
        world.onRead = async () => {
          if (world.reads > 1) return;
          await refusal.stop();
          throw ApplicationFailure.nonRetryable('no', 'SignInRefused');
        };
      },
    },
  );
});

/** How many activities of a sweep have ended. */
async function answersOf({ handle }: DrivenSweep): Promise<number> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).filter((event) => event.activityTaskCompletedEventAttributes).length;
}

test('what nobody knows, and what is misshapen, is answered and changes nothing', () => {
  const first = gate();
  return sweeping(
    server,
    async (sweep) => {
      await first.reached;
      await sweep.untilStates({ preparing: 1 });
      await sweep.handle.signal('approve', { by: 'ada' });
      await sweep.answered(/no signal is named approve; there are pause, resume, retry, abort/);
      await sweep.handle.signal('pause', { who: 'ada' });
      await sweep.answered(/pause/);
      await sweep.send('retry', { by: 'ada' });
      await sweep.answered(/nothing is blocked/);
      for (const bad of [
        null,
        { workflowId: 'x', stage: 'rotated' },
        { workflowId: idAt(sweep.world, 0), stage: 'x' },
      ])
        await sweep.handle.signal('rotation', bad);
      expect(await sweep.states()).toEqual({ preparing: 1 });
      first.open();
      await sweep.report();
    },
    {
      ends: [3],
      prepare: (world) => {
        world.onLook = () => first.stop();
      },
    },
  );
});

test('staging is ignored, and another environment’s request is refused before anything is read', async () => {
  await sweeping(
    server,
    async (sweep) => {
      expect(await sweep.report()).toMatchObject({ outcome: 'ignored' });
      expect(sweep.world.reads).toBe(0);
    },
    { request: { environment: 'staging' } },
  );
  await sweeping(
    server,
    async (sweep) => {
      await expect(sweep.report()).rejects.toMatchObject({ cause: { type: 'InvalidRequest' } });
      expect(sweep.world.reads).toBe(0);
    },
    { request: { environment: 'production' }, workflowId: 'sweep/production' },
  );
  await sweeping(
    server,
    async (sweep) => {
      await expect(sweep.report()).rejects.toMatchObject({ cause: { type: 'InvalidRequest' } });
    },
    { request: { maxConcurrent: 0 } },
  );
});

test('a name that no rotation would take fails the sweep itself, naming the field, and starts none', () =>
  sweeping(
    server,
    async (sweep) => {
      await expect(sweep.report()).rejects.toMatchObject({
        cause: { type: 'InvalidRequest', message: expect.stringContaining('requestedBy') },
      });
      expect(sweep.world.reads).toBe(0);
    },
    { ends: [3], request: { requestedBy: 'ada\u0007@example.org' } },
  ));
