import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import {
  daysUntil,
  inventoryOf,
  type InventoryRow,
  type Reading,
  type Readings,
} from '../../domain/inventory/inventory.ts';
import type { Settings } from '../../domain/settings/settings.ts';
import type { SignonPair } from '../../domain/sweep/sweep.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const SECRET = 'signon-token-short-url-manager-publishing-api';
const READING: Reading = {
  workload: 'Deployment/short-url-manager',
  container: 'app',
  variable: 'PUBLISHING_API_BEARER_TOKEN',
  secret: SECRET,
};

const token = (authorisationId: number, expires: string): SignonPair['tokens'][number] => ({
  authorisationId,
  masked: 'aaaaaaaa…bbbbbbbb',
  expires,
});
const pair = (given: Partial<SignonPair> = {}): SignonPair => ({
  apiUser: {
    name: 'Short URL manager',
    email: 'short-url-manager@alphagov.co.uk',
    suspended: false,
  },
  application: 'Publishing API',
  tokens: [token(101, '2027-06-01')],
  ...given,
});
const take = (
  pairs: SignonPair[],
  readings: Partial<Readings> = { variables: [READING] },
  settings: Partial<Settings> = {},
): ReturnType<typeof inventoryOf> =>
  inventoryOf(
    pairs,
    { variables: [], files: [], ...readings },
    { environment: 'integration', settings: { ...DEFAULT_SETTINGS, ...settings }, now: NOW },
  );
const row = (...given: Parameters<typeof take>): InventoryRow => take(...given).rows[0]!;
const oddities = (...given: Parameters<typeof take>): string[] =>
  row(...given).oddities.map(({ kind, what }) => `${kind}: ${what}`);

describe('a pair', () => {
  test('that is as it should be has nothing odd', () => {
    expect(row([pair()])).toEqual({
      apiUser: 'short-url-manager@alphagov.co.uk',
      name: 'Short URL manager',
      suspended: false,
      application: 'publishing-api',
      secret: SECRET,
      tokens: [
        { authorisationId: 101, masked: 'aaaaaaaa…bbbbbbbb', expires: '2027-06-01', live: true },
      ],
      ends: '2027-06-01',
      accessEnds: '2027-06-01',
      due: false,
      consumers: [{ workload: READING.workload, container: 'app', variable: READING.variable }],
      oddities: [],
      remarks: [],
    });
  });

  test('that nobody reads', () => {
    expect(oddities([pair()], {})).toEqual([`nobody reads it: no workload reads ${SECRET}`]);
  });

  test('whose holder outside the settings know is nothing odd', () => {
    const recipient = {
      name: 'HMRC',
      apiUser: 'short-url-manager@alphagov.co.uk',
      key: 'age1…',
      alsoInCluster: false,
    };
    const { oddities: odd, remarks } = row([pair()], {}, { recipients: [recipient] });
    expect({ odd, remarks }).toEqual({
      odd: [],
      remarks: ['HMRC holds it outside the cluster, as the settings say'],
    });
  });

  test('that nobody reads and of which no token is live', () => {
    expect(oddities([pair({ tokens: [token(101, '2026-11-24')] })], {})).toEqual([
      'expired tokens: authorisation 101, until 2026-11-24',
    ]);
  });

  test('that is read as files', () => {
    expect(oddities([pair()], { files: [{ workload: 'Deployment/x', secret: SECRET }] })).toEqual([
      'read as files: Deployment/x: what they hold cannot be proven',
    ]);
  });

  test('whose variable does not match', () => {
    expect(
      oddities([pair()], { variables: [{ ...READING, variable: 'RUMMAGER_BEARER_TOKEN' }] }),
    ).toEqual(['variable does not match: RUMMAGER_BEARER_TOKEN in Deployment/short-url-manager']);
  });

  test('with several live tokens, by the one that ends first', () => {
    const tokens = [token(101, '2026-12-01'), token(102, '2028-06-01')];
    expect(row([pair({ tokens })])).toMatchObject({
      ends: '2026-12-01',
      accessEnds: '2028-06-01',
      due: true,
    });
    expect(oddities([pair({ tokens })])).toEqual([
      'several tokens: 2 are live: authorisation 102, until 2028-06-01, authorisation 101, until 2026-12-01',
    ]);
  });

  test('of a suspended API user', () => {
    const suspended = { ...pair().apiUser, suspended: true };
    expect(oddities([pair({ apiUser: suspended })])).toEqual([
      'suspended API user: the sync skips it',
    ]);
  });

  test('whose Secret another pair’s token is written to as well', () => {
    const other = pair({
      apiUser: { name: 'Short URL', email: 'b@alphagov.co.uk', suspended: false },
      application: 'manager Publishing API',
    });
    expect(take([pair(), other]).rows.map((one) => one.oddities.map(({ kind }) => kind))).toEqual([
      expect.arrayContaining(['shared Secret']),
      expect.arrayContaining(['shared Secret']),
    ]);
  });

  test('that is rotated elsewhere says so', () => {
    const specialCases: Settings['specialCases'] = [
      { apiUser: 'Short URL manager', outcome: 'referred', why: 'see the wiki' },
    ];
    expect(row([pair()], undefined, { specialCases }).remarks).toEqual([
      'referred: Short URL manager: see the wiki',
    ]);
  });
});

test('Secrets that are read and belong to no pair are named, with who reads them', () => {
  const variables = [READING, { ...READING, secret: 'signon-token-gone-x' }];
  const files = [{ workload: 'CronJob/y' as const, secret: 'signon-token-gone-x' }];
  expect(take([pair()], { variables, files }).unknownSecrets).toEqual([
    { secret: 'signon-token-gone-x', workloads: ['Deployment/short-url-manager', 'CronJob/y'] },
  ]);
});

test('a thousand pairs with six consumers each, all odd, fit into what Temporal takes', () => {
  const pairs = Array.from({ length: 1000 }, (_, index) =>
    pair({
      apiUser: {
        name: `Content data admin ${index}`,
        email: `content-data-admin-${index}@alphagov.co.uk`,
        suspended: false,
      },
      tokens: [token(2 * index, '2026-12-01'), token(2 * index + 1, '2028-06-01')],
    }),
  );
  const variables = pairs.flatMap(({ apiUser }) =>
    Array.from({ length: 6 }, (_, index): Reading => ({
      workload: `Deployment/content-data-admin-worker-${index}`,
      container: 'worker',
      variable: 'CONTENT_DATA_API_BEARER_TOKEN',
      secret: `signon-token-${apiUser.name.toLowerCase().replaceAll(' ', '-')}-publishing-api`,
    })),
  );
  const taken = take(pairs, { variables });
  expect(
    taken.rows.every(({ consumers, oddities: odd }) => consumers.length === 6 && odd.length === 2),
  ).toBe(true);
  expect(JSON.stringify(taken).length).toBeLessThan(2_000_000);
});

test('days are counted to the day’s beginning in London, summer time included', () => {
  expect(daysUntil('2026-11-26', NOW)).toBe(0);
  expect(daysUntil('2026-11-25', NOW)).toBe(0);
  expect(daysUntil('2027-06-01', Date.parse('2027-05-30T22:59:59Z'))).toBe(1);
  expect(daysUntil('2027-06-01', Date.parse('2027-05-30T23:00:01Z'))).toBe(0);
});

test('whatever there is, every pair has its row, those that end first first, and no token counts twice', () => {
  const day = fc
    .integer({ min: 0, max: 1500 })
    .map((days) => new Date(Date.UTC(2025, 0, 1 + days)).toISOString().slice(0, 10));
  const arbitrary = fc.array(
    fc.record({
      email: fc.emailAddress(),
      name: fc.string({ maxLength: 20 }),
      application: fc.string({ maxLength: 20 }),
      suspended: fc.boolean(),
      days: fc.array(day, { maxLength: 4 }),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(arbitrary, (given) => {
      const pairs = given.map(({ email, name, application, suspended, days }, user) =>
        pair({
          apiUser: { name, email, suspended },
          application,
          tokens: days.map((expires, index) => token(user * 10 + index, expires)),
        }),
      );
      const { rows } = take(pairs);
      expect(rows).toHaveLength(pairs.length);
      expect(rows.flatMap(({ tokens }) => tokens).length).toBe(
        pairs.flatMap(({ tokens }) => tokens).length,
      );
      const ends = rows.map((one) => one.ends ?? '9999');
      expect(ends).toEqual(ends.toSorted());
      for (const one of rows) {
        const live = one.tokens
          .filter((listed) => listed.live)
          .map(({ expires }) => expires)
          .toSorted();
        expect([one.ends, one.accessEnds]).toEqual([live.at(0), live.at(-1)]);
      }
    }),
  );
});
