import { expect, test } from '../support/jest.ts';
import { DAY, type FakeSystems } from '../support/fake-systems.ts';
import type { Rotation } from '../support/rotations.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';

const { rotating, server } = useTimeSkipping();
const BY = { by: 'grace@example.org' };

/** The pair's only token ends in so many days. */
const endsIn = (days: number) => (systems: FakeSystems) => {
  const [old] = systems.tokens;
  const expires = new Date(Date.parse(`${old!.expires}T00:00:00Z`) + (days - 10) * DAY)
    .toISOString()
    .slice(0, 10);
  systems.tokens = [{ ...old!, expires }];
};
const told = ({ systems }: Rotation, kind: string) =>
  systems.notices.filter((notice) => notice.kind === kind);
const eventsOf = async ({ handle }: Rotation): Promise<number> =>
  (await handle.fetchHistory()).events?.length ?? 0;

test('two weeks of waiting for approval bring a reminder a day, and three more before the old token ends', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      expect(told(rotation, 'needed')).toMatchObject([
        { cause: 'approval', apiUser: rotation.systems.pair.apiUser.email },
      ]);
      await rotation.pass('13 days');
      const reminders = await until('the last reminder', () => {
        const all = told(rotation, 'reminder');
        return all.length >= 15 ? all : undefined;
      });
      expect(reminders.length).toBeLessThanOrEqual(16);
      expect(new Set(reminders.map(({ cause }) => cause))).toEqual(new Set(['approval']));
      expect(reminders[0]?.ends).toBe(rotation.systems.tokens[0]?.expires);
      expect(told(rotation, 'incident')).toEqual([]);
    },
    { prepare: endsIn(14) },
  ));

test('a token that ends in months is spoken of once a week', () =>
  rotating(
    async (rotation) => {
      await rotation.awaitingApproval();
      await rotation.pass('30 days');
      expect(told(rotation, 'reminder')).toHaveLength(4);
    },
    { prepare: endsIn(300), request: { force: true } },
  ));

test('an approval after 13 days counts, once the smoke calls have passed again, and the history stays under 400 events', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('SyncJobFailed');
      await rotation.send('retry', BY);
      await rotation.awaitingApproval();
      await rotation.pass('313 hours');
      const smokes = () =>
        rotation.systems.calls.filter((call) => call === 'smokeConsumers').length;
      expect(smokes()).toBe(1);
      await rotation.approve();
      const report = await rotation.report();
      expect(report).toMatchObject({ outcome: 'rotated', revoked: [{ authorisationId: 101 }] });
      // before the revoke and after the soak: right after it, caches would answer
      expect(smokes()).toBe(3);
      expect(told(rotation, 'ended')).toMatchObject([{ cause: 'rotated' }]);
      expect(await eventsOf(rotation)).toBeLessThan(400);
    },
    {
      prepare: (systems) => {
        endsIn(14)(systems);
        systems.fail('awaitSyncJob', 'SyncJobFailed');
      },
    },
  ));

test('an approval within the hour is acted on without another smoke call', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.pass('50 minutes');
    await rotation.approve();
    await until('the revoke', () => rotation.systems.revoked.length > 0 || undefined);
    const calls = rotation.systems.calls;
    expect(
      calls.slice(0, calls.indexOf('revokeToken')).filter((call) => call === 'smokeConsumers'),
    ).toHaveLength(1);
  }));

test('a smoke call that proves nothing any more sends old evidence back: nothing is revoked, and it is asked anew', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.pass('2 hours');
    rotation.systems.smoke = 'no-proof';
    await rotation.approve();
    const { notes } = await rotation.awaitingApproval(1);
    expect(notes.join()).toMatch(
      /round 1 no longer holds: smoke calls that passed no longer do: app of/,
    );
    expect(rotation.systems.revoked).toEqual([]);
  }));

test('a smoke call that fails by then blocks the revoke', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.pass('2 hours');
    rotation.systems.smoke = 'failed';
    await rotation.approve();
    expect(await rotation.blocked('SmokeFailed')).toMatchObject({ step: 'revoke' });
    expect(rotation.systems.revoked).toEqual([]);
  }));

test('the old token ends while an approval is waited for: no incident where nobody holds it, and nothing to revoke', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    await rotation.pass('12 days');
    expect(await rotation.report()).toMatchObject({ outcome: 'old-token-expired', revoked: [] });
    expect(told(rotation, 'incident')).toEqual([]);
    expect(told(rotation, 'ended')).toMatchObject([{ cause: 'old-token-expired' }]);
  }));

test('the old token ends while containers hold it: an incident as its last day begins, told each day until nobody does, and the rotation goes on with its step', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('RolloutIncomplete');
      const [old] = rotation.systems.tokens;
      const lastDay = Date.parse(`${old!.expires}T00:00:00Z`);
      await rotation.pass(lastDay - (await server().currentTimeMs()) - 2 * 3_600_000);
      expect(told(rotation, 'incident')).toEqual([]);
      await rotation.pass('3 hours');
      const [incident, ...more] = told(rotation, 'incident');
      expect(more).toEqual([]);
      expect(incident?.text).toMatch(
        /^containers still hold first101…last0101 .*, which ends on .*: app in a-1 holds/,
      );
      expect(await rotation.details()).toContain('Incident: containers still hold');
      await rotation.pass('2 days');
      const texts = told(rotation, 'incident').map(({ text }) => text);
      expect(texts).toEqual([
        incident!.text,
        incident!.text.replace('which ends', 'which ended'),
        incident!.text.replace('which ends', 'which ended'),
      ]);
      rotation.systems.replaceAll();
      await rotation.pass('3 days'); // one more look, which finds nobody
      expect(told(rotation, 'incident')).toHaveLength(3);
      await rotation.send('retry', BY);
      expect(await rotation.report()).toMatchObject({ outcome: 'old-token-expired', revoked: [] });
    },
    { prepare: (systems) => (systems.onSync = () => undefined) },
  ));

test('a rotation that begins on the last day of the old token tells of the incident at once', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('RolloutIncomplete');
      const incident = await until('the incident', () => told(rotation, 'incident')[0]);
      expect(incident.text).toMatch(/^containers still hold first101…last0101 .*, which ends on/);
    },
    {
      prepare: (systems) => {
        systems.onSync = () => undefined;
        endsIn(0)(systems);
      },
    },
  ));

test('the old token ends while the rotation is blocked in its first step: an incident all the same', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('UnlistedToken');
      const lastDay = Date.parse(`${rotation.systems.tokens[0]!.expires}T00:00:00Z`);
      await rotation.pass(lastDay - (await server().currentTimeMs()) + 2 * 3_600_000);
      expect(told(rotation, 'incident')).toMatchObject([
        { text: expect.stringContaining('first101…last0101') },
      ]);
    },
    { prepare: (systems) => (systems.containers[2]!.holds = 77) },
  ));

test('each old token has its reminders, and none speaks of a day that is past', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('SyncJobFailed');
      const [first, second] = rotation.systems.tokens;
      const ends = Date.parse(`${second!.expires}T00:00:00Z`);
      await rotation.pass(ends - (await server().currentTimeMs()) - 5 * 3_600_000);
      const before = told(rotation, 'reminder').length;
      await rotation.pass('3 hours');
      const reminders = told(rotation, 'reminder');
      expect(reminders.length).toBeGreaterThan(before);
      expect(reminders[0]?.ends).toBe(first!.expires);
      expect(reminders.at(-1)?.ends).toBe(second!.expires);
    },
    {
      prepare: (systems) => {
        const [old] = systems.tokens;
        const earlier = new Date(Date.parse(`${old!.expires}T00:00:00Z`) - 6 * DAY)
          .toISOString()
          .slice(0, 10);
        systems.tokens.unshift({
          ...systems.token(100, 0, 0),
          generated: old!.generated,
          expires: earlier,
        });
        systems.fail('awaitSyncJob', 'SyncJobFailed');
      },
    },
  ));

test('however many containers a failure names, what people are told of it is short', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('RolloutIncomplete');
      await rotation.pass('1 minute');
      const [needed] = told(rotation, 'needed');
      expect(needed?.text).toMatch(/^in “roll out”: app in /);
      expect(needed!.text.length).toBeLessThan(310);
    },
    {
      prepare: (systems) => {
        systems.containers = Array.from({ length: 60 }, (_, at) =>
          systems.container('app', `short-url-manager-${at}`),
        );
        systems.onSync = () => undefined;
      },
    },
  ));

test('a rotation blocked before its tokens are known reminds every day', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('UnknownApiUser');
      await rotation.pass('73 hours');
      expect(told(rotation, 'needed')).toHaveLength(1);
      expect(told(rotation, 'reminder')).toHaveLength(3);
    },
    { prepare: (systems) => systems.fail('findPair', 'UnknownApiUser') },
  ));

test('a week of being blocked, then a retry: it goes on from there, reminded all the while, and no more after that', () =>
  rotating(
    async (rotation) => {
      await rotation.blocked('SyncJobFailed');
      await rotation.pass('169 hours');
      const reminded = told(rotation, 'reminder').length;
      expect(reminded).toBeGreaterThanOrEqual(7);
      await rotation.send('retry', BY);
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
      expect(told(rotation, 'reminder')).toHaveLength(reminded);
    },
    { prepare: (systems) => systems.fail('awaitSyncJob', 'SyncJobFailed') },
  ));

test('what fails after a revoke is told as an incident, and again every day', () =>
  rotating(async (rotation) => {
    await rotation.awaitingApproval();
    rotation.systems.onCall = (name) => {
      if (name === 'revokeToken') rotation.systems.smoke = 'failed';
    };
    await rotation.approve();
    await rotation.passSoak();
    await rotation.blocked('ConfirmFailed');
    await rotation.pass('25 hours');
    expect(told(rotation, 'incident')).toMatchObject([
      { cause: 'ConfirmFailed' },
      { cause: 'ConfirmFailed' },
    ]);
  }));

test('a notice that cannot be handed over holds nothing up', () =>
  rotating(
    async (rotation) => {
      await rotation.approve();
      expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
      expect(rotation.systems.notices).toEqual([]);
    },
    { prepare: (systems) => systems.fail('notify', 'Unreachable', { times: 100 }) },
  ));
