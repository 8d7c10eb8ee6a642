import { rowsOfApiUser } from '../../domain/sweep/api-user-rows.ts';
import { describe, expect, test } from '../support/jest.ts';
import { tokenSecretName } from '../../domain/text/parameterize.ts';
import * as fc from 'fast-check';
import { OUTCOMES } from '../../domain/rotation/plan.ts';
import {
  countByState,
  hear,
  holdsItsPlace,
  nextWave,
  parseStageReport,
  RANK,
  rowId,
  rowsOf,
  type SignonPair,
  type SweepRow,
} from '../../domain/sweep/sweep.ts';
import { parseSweepRequest } from '../../domain/sweep/sweep-request.ts';
import { isLive, outlives } from '../../domain/tokens/tokens.ts';
import { aDay, NOW, SETTINGS } from '../support/builders.ts';

const DAY = 86_400_000;
const MASKED = 'aaaaaaaa…bbbbbbbb';
const inDays = (days: number): string => new Date(NOW + days * DAY).toISOString().slice(0, 10);

function aPair(ends: number[], given: { name?: string; application?: string } = {}): SignonPair {
  const { name = 'Short url manager', application = 'Publishing API' } = given;
  return {
    apiUser: {
      name,
      suspended: false,
      email: `${name.toLowerCase().replaceAll(' ', '-')}@alphagov.co.uk`,
    },
    application,
    tokens: ends.map((days, at) => ({
      authorisationId: 100 + at,
      masked: MASKED,
      expires: inDays(days),
    })),
  };
}

function rowFor(
  pair: SignonPair,
  given: { open?: string[]; settings?: Partial<typeof SETTINGS>; isRead?: boolean } = {},
): SweepRow {
  const settings = { ...SETTINGS, ...given.settings };
  const open = new Set(given.open ?? []);
  const secret = tokenSecretName(pair.apiUser.name, pair.application);
  const readings = given.isRead === false ? [] : [secret];
  return rowsOf([pair], { settings, environment: 'integration', open, readings, now: NOW })[0]!;
}

describe('what a sweep makes of a pair', () => {
  test.each([
    ['its only token ends inside the window', [10], 'to come', /issue a token/],
    ['its only token ends today', [0], 'to come', /issue a token/],
    ['its only token outlives the window', [15], 'left alone', /no live token expires within/],
    [
      'a longer-lived token exists, and the older one lives',
      [10, 700],
      'to come',
      /roll out the token that expires .*, then ask/,
    ],
    ['the older one has expired', [-1, 700], 'left alone', /no live token expires within/],
    ['all have expired', [-1, -400], 'left alone', /it has no live token/],
    ['it has none', [], 'left alone', /it has no live token/],
  ] as const)('%s', (_, ends, state, what) => {
    expect(rowFor(aPair([...ends]))).toMatchObject({ state, what: expect.stringMatching(what) });
  });

  test('a pair that the settings leave alone is left alone, with the reason, however soon its token ends', () => {
    const specialCases = [
      { apiUser: 'Trade Tariff', outcome: 'referred', why: 'the wiki', reference: 'x' },
    ] as never;
    const row = rowFor(aPair([1], { name: 'Trade Tariff' }), { settings: { specialCases } });
    expect(row).toMatchObject({ state: 'left alone', what: expect.stringMatching(/^referred: /) });
  });

  test('of one whose Secret nothing reads it says that a person will be asked, or that it is handed over', () => {
    expect(rowFor(aPair([10]), { isRead: false }).what).toMatch(
      /^ask a person: who holds the token\?/,
    );
    const pair = aPair([10]);
    const recipients = [
      { apiUser: pair.apiUser.email, name: 'HMRC', key: 'age1x', alsoInCluster: false },
    ];
    expect(rowFor(pair, { isRead: false, settings: { recipients } }).what).toMatch(
      /^ask to approve a hand-over/,
    );
    expect(rowFor(pair, { isRead: false, settings: { recipients } }).state).toBe('to come');
  });

  test('one whose rotation is open is listed, not started', () => {
    const pair = aPair([10]);
    const open = [rowId('integration', rowFor(pair))];
    expect(rowFor(pair, { open })).toMatchObject({ state: 'open before' });
  });

  test('exactly the pairs with a live token that ends inside the window are rotated, those that end first coming first', () => {
    fc.assert(
      fc.property(fc.array(fc.array(aDay, { maxLength: 4 }), { maxLength: 20 }), (all) => {
        const pairs = all.map((days, at) => ({
          ...aPair([], { name: `user ${at}` }),
          tokens: days.map((expires, id) => ({ authorisationId: id, masked: MASKED, expires })),
        }));
        const about = {
          settings: SETTINGS,
          environment: 'integration',
          open: new Set<string>(),
          readings: [],
        } as const;
        const rows = rowsOf(pairs, { ...about, now: NOW });
        const due = pairs.filter(({ tokens }) =>
          tokens.some((token) => isLive(token, NOW) && !outlives(token, NOW, SETTINGS.window)),
        );
        const toCome = rows.filter(({ state }) => state === 'to come');
        expect(toCome.map(({ apiUser }) => apiUser).toSorted()).toEqual(
          due.map(({ apiUser }) => apiUser.email).toSorted(),
        );
        expect(rows).toHaveLength(pairs.length);
        const ends = toCome.map((row) => row.ends!);
        expect(ends).toEqual(ends.toSorted());
      }),
    );
  });
});

test('waves take what is to come, at most so many, and all of it in the end', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 1, max: 12 }),
      (count, atMost) => {
        const rows = Array.from({ length: count }, (_, at): SweepRow => ({
          apiUser: `${at}`,
          application: 'a',
          state: 'to come',
          what: '',
        }));
        const sizes: number[] = [];
        for (let wave = nextWave(rows, atMost); wave.length > 0; wave = nextWave(rows, atMost)) {
          sizes.push(wave.length);
          for (const row of wave) row.state = 'blocked';
        }
        expect(sizes.every((size) => size <= atMost)).toBe(true);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
      },
    ),
  );
});

test('every state has its rank, and a wave waits only for rotations that are at work by themselves', () => {
  expect(RANK.filter((state) => holdsItsPlace({ state }))).toEqual(['revoking', 'preparing']);
  expect(new Set(RANK).size).toBe(RANK.length);
  const rows = (['rotated', 'blocked', 'to come', 'blocked'] as const).map(
    (state) => ({ state }) as SweepRow,
  );
  expect(countByState(rows)).toEqual([
    { state: 'blocked', count: 2 },
    { state: 'to come', count: 1 },
    { state: 'rotated', count: 1 },
  ]);
});

describe('a request', () => {
  test.each([
    [{ environment: 'integration', requestedBy: 'ada@example.org' }],
    [{ environment: 'production', requestedBy: 'schedule', maxConcurrent: 1, plan: true }],
    [{ environment: 'staging', requestedBy: 'ada', maxConcurrent: 1000, plan: false }],
  ])('%j is taken as it is', (given) => {
    expect(parseSweepRequest(given)).toEqual({ ok: true, request: given });
  });

  const GOOD = { environment: 'integration', requestedBy: 'ada' };
  test.each([
    [null, /one JSON object/],
    [[], /one JSON object/],
    ['integration', /one JSON object/],
    [{ ...GOOD, environment: 'Integration' }, /^environment/],
    [{ environment: 'integration' }, /^requestedBy/],
    [{ ...GOOD, requestedBy: ' ' }, /^requestedBy/],
    [{ ...GOOD, requestedBy: 'a'.repeat(255) }, /^requestedBy/],
    [{ ...GOOD, maxConcurrent: 0 }, /^maxConcurrent/],
    [{ ...GOOD, maxConcurrent: 1001 }, /^maxConcurrent/],
    [{ ...GOOD, maxConcurrent: 1.5 }, /^maxConcurrent/],
    [{ ...GOOD, maxConcurrent: '5' }, /^maxConcurrent/],
    [{ ...GOOD, plan: 'yes' }, /^plan/],
    [{ ...GOOD, dryRun: true }, /^dryRun: unknown field/],
  ])('%j is refused, naming what was expected', (given, problem) => {
    const parsed = parseSweepRequest(given);
    expect(parsed).toMatchObject({ ok: false, problems: [expect.stringMatching(problem)] });
  });
});

test('a rotation that has waited for a person has had its turn, whatever it does then; one that this sweep did not start is not heard', () => {
  const row: SweepRow = {
    apiUser: 'a',
    application: 'b',
    state: 'preparing',
    what: '',
    started: true,
  };
  const places: boolean[] = [];
  for (const state of ['preparing', 'waiting-approval', 'revoking', 'rotated'] as const) {
    hear(row, state);
    places.push(holdsItsPlace(row));
  }
  expect(places).toEqual([true, false, false, false]);
  expect(row.state).toBe('rotated');
  const other: SweepRow = { apiUser: 'a', application: 'b', state: 'to come', what: '' };
  hear(other, 'rotated');
  expect(other.state).toBe('to come');
});

test('a pair of a suspended API user is left alone, since the sync skips it', () => {
  const pair = aPair([3]);
  pair.apiUser.suspended = true;
  expect(rowFor(pair)).toMatchObject({
    state: 'left alone',
    what: expect.stringMatching(/suspended/),
  });
});

test('a report of where a rotation stands is read strictly', () => {
  for (const stage of ['preparing', 'waiting-approval', 'blocked', 'revoking', ...OUTCOMES])
    expect(parseStageReport({ workflowId: 'a', stage })).toEqual({ workflowId: 'a', stage });
  for (const bad of [
    null,
    7,
    {},
    { workflowId: 'a' },
    { workflowId: 'a', stage: 'to come' },
    { stage: 'blocked' },
  ])
    expect(parseStageReport(bad)).toBeUndefined();
  fc.assert(
    fc.property(fc.anything(), (anything) => {
      const report = parseStageReport(anything);
      expect(report === undefined || RANK.includes(report.stage)).toBe(true);
    }),
  );
});

describe('after a leak', () => {
  const apiUser = 'short-url-manager@alphagov.co.uk';
  const about = {
    settings: SETTINGS,
    environment: 'integration',
    open: new Set<string>(),
    now: NOW,
  } as const;
  const pairsOf = (...applications: string[]): SignonPair[] =>
    applications.map((application) => aPair([400], { application }));
  const secretOf = (application: string): string => `signon-token-short-url-manager-${application}`;

  test('pairs that nobody reads are asked about first, then those with most consumers', () => {
    const readings = [
      secretOf('a'),
      secretOf('b'),
      secretOf('b'),
      secretOf('c'),
      secretOf('c'),
      secretOf('c'),
    ];
    const rows = rowsOfApiUser(pairsOf('A', 'B', 'C', 'D'), { apiUser }, { ...about, readings });
    expect(rows.map(({ application, state }) => `${application} ${state}`)).toEqual(
      ['d', 'c', 'b', 'a'].map((application) => `${application} to come`),
    );
    expect(rows[0]!.what).toContain('ask a person: who holds the token?');
  });

  test('every live token is rotated, whenever it ends; what is open, special or dead is not', () => {
    const rows = rowsOfApiUser(
      [...pairsOf('A'), aPair([-3], { application: 'B' }), ...pairsOf('C')],
      { apiUser, applications: ['a', 'b', 'c', 'bb'] },
      {
        ...about,
        readings: [],
        open: new Set(['rotate-token/integration/short-url-manager@alphagov.co.uk/c']),
      },
    );
    expect(rows.map(({ application, state }) => [application, state])).toEqual([
      ['a', 'to come'],
      ['b', 'left alone'],
      ['c', 'open before'],
      ['bb', 'left alone'],
    ]);
    expect(rows.at(-1)!.what).toBe('Signon lists no token for it: check its name');
    expect(
      rowsOfApiUser(
        pairsOf('A', 'B'),
        { apiUser, applications: ['b'] },
        { ...about, readings: [] },
      ),
    ).toHaveLength(1);
  });
});
