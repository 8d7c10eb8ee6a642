import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { activityInfo } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { randomUUID } from 'node:crypto';
import { createTemporalActivities } from '../../activities/temporal/create-activities.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import { approvalFor } from '../../domain/rotation/offers.ts';
import { rotationId } from '../../domain/request/request.ts';
import type { rotateToken } from '../../workflows/index.ts';
import { DAY, FakeSystems } from '../support/fake-systems.ts';
import { REQUEST } from '../support/request.ts';
import { LOOPBACK, Rotation, STAND_INS, timeSkippingServer } from '../support/rotations.ts';
import { until } from '../support/until.ts';
import { withWorkers } from '../support/with-workers.ts';

/** `LONG_WAITS=1000` measures a thousand; CI runs fewer. */
const HOW_MANY = Number(process.env.LONG_WAITS ?? 12);
/** Far fewer than wait: those that continue are replayed. A thousand fit in, to take minutes. */
const CACHED = HOW_MANY > 100 ? HOW_MANY : 4;
/** A thousand took ten minutes on two cores. */
const LIMIT_MS = 300_000 + HOW_MANY * 5000;
let server: Awaited<ReturnType<typeof timeSkippingServer>>;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.teardown());

type Acts = Record<string, (...given: unknown[]) => Promise<unknown>>;

/**
 * Fake systems for each rotation, and activities that ask those of the rotation that calls; a sync
 * is of all of them.
 */
function systemsOf(now: number): { of: (workflowId: string) => FakeSystems; activities: Acts } {
  const all = new Map<string, FakeSystems>();
  const of = (workflowId: string): FakeSystems => {
    const known = all.get(workflowId);
    if (known) return known;
    const made = new FakeSystems(now);
    const [old] = made.tokens;
    made.tokens = [{ ...old!, expires: new Date(now + 100 * DAY).toISOString().slice(0, 10) }];
    made.pair.apiUser.email = workflowId.split('/')[2]!;
    all.set(workflowId, made);
    return made;
  };
  const actsOf = (systems: FakeSystems): Acts => systems.activities() as unknown as Acts;
  const called =
    (name: string) =>
    async (...given: unknown[]): Promise<unknown> => {
      const { workflowId } = activityInfo().workflowExecution!;
      if (workflowId.startsWith('rotate-token/')) return actsOf(of(workflowId))[name]!(...given);
      const [first] = await Promise.all(
        [...all.values()].map((systems) => actsOf(systems)[name]!(...given)),
      );
      return first;
    };
  const names = Object.keys(new FakeSystems(now).activities());
  return { of, activities: Object.fromEntries(names.map((name) => [name, called(name)])) };
}

test(
  'rotations wait 90 days for an approval, are reminded, and end well; no history comes near the length at which it is cut',
  async () => {
    const systems = systemsOf(await server.currentTimeMs());
    const { client, nativeConnection: connection } = server;
    const settings = {
      ...DEFAULT_SETTINGS,
      hosts: LOOPBACK,
      syncGathering: { quietFor: '0 ms', atMost: '0 ms', askAgainAfter: '5 minutes' } as const,
    };
    const scope = {
      ROTATION_ENVIRONMENT: 'integration',
      ALERT_RECEIVER_IDENTITY: 'alert-receiver',
      ...STAND_INS,
      settings,
    } as const;
    const taskQueue = randomUUID();
    const options = {
      connection,
      taskQueue,
      activities: {
        ...systems.activities,
        ...createTemporalActivities(client, scope),
        remembersOf: () => Promise.resolve({ givenUp: [], also: [] }),
      },
      maxCachedWorkflows: CACHED,
    };
    await withWorkers(options, async () => {
      const rotations: Rotation[] = [];
      for (let at = 0; at < HOW_MANY; at++) {
        const request = { ...REQUEST, apiUser: `user-${at}@alphagov.co.uk`, force: true };
        const workflowId = rotationId(request);
        const handle = await client.workflow.start('rotateToken', {
          workflowId,
          taskQueue,
          args: [request],
        });
        rotations.push(new Rotation(handle, systems.of(workflowId), client, server));
      }
      for (const rotation of rotations) await rotation.awaitingApproval();
      // Day by day: this server fails to skip many timers of many workflows at once.
      for (let day = 0; day < 90; day++) await server.sleep('1 day');
      for (const rotation of rotations) {
        // Every week, and every day of the last two weeks before the old token ends.
        await until(
          'its reminders',
          () =>
            rotation.systems.notices.filter(({ kind }) => kind === 'reminder').length >= 15 ||
            undefined,
        );
        const { waiting } = await rotation.status();
        const { runId } = await rotation.handle.describe();
        if (waiting?.kind !== 'approval') throw new Error('it does not wait');
        await rotation.send('approve', {
          ...approvalFor(waiting.evidence, runId),
          by: 'grace@example.org',
        });
      }
      for (const rotation of rotations) await rotation.noted('confirm', /checking again in/);
      await server.sleep('11 minutes'); // the soak
      for (const rotation of rotations) await rotation.ended();
      // Without skipping time: many that skip it at once are too much for this server.
      const { workflow } = new Client({ connection: server.connection });
      const reports = await Promise.all(
        rotations.map(({ handle }) =>
          workflow.getHandle<typeof rotateToken>(handle.workflowId).result(),
        ),
      );
      expect(new Set(reports.map(({ outcome }) => outcome))).toEqual(new Set(['rotated']));
      const histories = await Promise.all(rotations.map(({ handle }) => handle.fetchHistory()));
      const events = histories.map((history) => history.events?.length ?? 0);
      const bytes = histories.map(
        (history) => proto.temporal.api.history.v1.History.encode(history).finish().length,
      );
      console.log(
        `${HOW_MANY} rotations waited 90 days: ${Math.max(...events)} events, ${Math.max(...bytes)} bytes at most`,
      );
      expect(Math.max(...events)).toBeLessThan(400);
    });
  },
  LIMIT_MS,
);
