import { expect, test } from '../support/jest.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating } = useTimeSkipping();

test('staging is ignored, with the runbook’s reason, and nothing outside is called', () =>
  rotating(
    async (rotation) => {
      const report = await rotation.report();
      expect(report).toMatchObject({ outcome: 'ignored', revoked: [], syncJobs: [] });
      expect(report.why).toMatch(/overwritten from production every night/);
      expect(rotation.systems.calls).toEqual([]);
    },
    { request: { environment: 'staging' } },
  ));

test.each([
  ['Trade Tariff Admin', 'referred', /wiki page “Trade Tariff Admin”/],
  ['Trade Tariff Backend', 'referred', /wiki page “Trade Tariff Admin”/],
  ['trade  tariff admin ', 'referred', /wiki/],
  ['Signon API Client (permission and suspension updater)', 'ignored', /rotates by itself/],
])(
  '%s is %s: its name in Signon says so, and nothing but its name was asked for',
  (name, outcome, why) =>
    rotating(
      async (rotation) => {
        const report = await rotation.report();
        expect(report).toMatchObject({ outcome, why: expect.stringMatching(why) });
        expect(rotation.systems.calls).toEqual(['findPair']);
        expect(rotation.systems.notices.at(-1)).toMatchObject({ kind: 'ended', cause: outcome });
      },
      { prepare: (systems) => (systems.pair.apiUser.name = name) },
    ),
);

test('an API user whose name only begins like a special case is rotated', () =>
  rotating(
    async (rotation) => {
      expect((await rotation.awaitingApproval()).code).toMatch(/^[0-9a-f]{8}$/);
    },
    { prepare: (systems) => (systems.pair.apiUser.name = 'Trade Tariff Admin Staging') },
  ));
