import ms from 'ms';
import { afterAll, describe, expect, test } from '../support/jest.ts';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isHostOf } from '../../domain/settings/settings.ts';
import { BadSettings, DEFAULT_SETTINGS, readSettings } from '../../config/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'signon-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(text: string): string {
  const file = join(folder, 'settings.yaml');
  writeFileSync(file, text);
  return file;
}

/** What is said of a settings file. */
function problemsOf(text: string): string[] {
  try {
    readSettings(fileOf(text));
    return [];
  } catch (error) {
    if (error instanceof BadSettings) return error.problems;
    throw error;
  }
}

test('what ships is complete, and knows the runbook’s special cases', () => {
  expect(DEFAULT_SETTINGS).toMatchObject({
    window: '14 days',
    rolloutLimit: '15 minutes',
    evidenceHoldsFor: '1 hour',
  });
  expect(DEFAULT_SETTINGS.specialCases.map(({ apiUser, outcome }) => [apiUser, outcome])).toEqual([
    ['Trade Tariff Admin', 'referred'],
    ['Trade Tariff Backend', 'referred'],
    ['Signon API Client (permission and suspension updater)', 'ignored'],
  ]);
  expect(Object.keys(DEFAULT_SETTINGS.smokeCalls)).toHaveLength(7);
});

test('an empty file, or one of comments, changes nothing', () => {
  for (const text of ['', '# nothing\n', '{}'])
    expect(readSettings(fileOf(text))).toEqual(DEFAULT_SETTINGS);
});

test('a file replaces what it names: values whole, hosts, notices and smoke calls entry by entry', () => {
  const call =
    '{ adapter: Router, requires: gds_api/router, method: get_route, positional: [/], keyword: {} }';
  const read = readSettings(
    fileOf(
      `soak: 6 minutes\nnotices: { quietFor: 1 hour }\nsmokeCalls:\n  router: ${call}\nspecialCases: []\n`,
    ),
  );
  expect(read).toMatchObject({ soak: '6 minutes', window: '14 days', specialCases: [] });
  expect(read.notices).toEqual({ collectFor: '30 seconds', quietFor: '1 hour' });
  expect(Object.keys(read.smokeCalls)).toEqual([
    ...Object.keys(DEFAULT_SETTINGS.smokeCalls),
    'router',
  ]);
});

test('a domain is compared as e-mail addresses are: in lower case', () => {
  const { renewal } = readSettings(fileOf('renewal: { domains: [Alphagov.co.uk] }'));
  expect(renewal.domains).toEqual(['alphagov.co.uk']);
});

test('JSON is read too', () => {
  expect(readSettings(fileOf('{"soak": "20 minutes"}')).soak).toBe('20 minutes');
});

test.each([
  ['# a comment\nsoak: soon\n', 'line 2: soak: expected a duration such as "10 minutes"'],
  ['soak: "60"\n', 'line 1: soak: expected a duration such as "10 minutes"'], // 60 ms, it would be
  ['soak: -10 minutes\n', 'line 1: soak: expected a duration such as "10 minutes"'],
  ['window: 14 days\nsoke: 1 minute\n', 'line 2: soke: '],
  [
    'specialCases:\n  - apiUser: A\n    outcome: referred\n    why: x\n  - apiUser: B\n    outcome: skipped\n    why: y\n',
    'line 6: specialCases.1.outcome: ',
  ],
  ['specialCases:\n  - apiUser: A\n    why: x\n', 'line 2: specialCases.0.outcome: '],
  ['hosts:\n  integration: "("\n', 'line 2: hosts.integration: expected a regular expression'],
  ['notices:\n  collectFor: 3 parsecs\n', 'line 2: notices.collectFor: '],
  ['soak: 1 minute\nsoak: 2 minutes\n', 'line 2: '],
  ['approvers: everyone\n', 'line 1: approvers: '],
  [
    'approvers:\n  production:\n    who: [ada]\n',
    'line 3: approvers.production.who.0: expected an e-mail address, or a domain',
  ],
  ['approvers:\n  production:\n    who: []\n', 'line 3: approvers.production.who: '],
  ['approvers:\n  prod: anyone\n', 'line 2: approvers.prod: '],
  [
    'approvers:\n  production:\n    who: [a@b.uk]\n    approval: 2\n',
    'line 4: approvers.production.approval: ',
  ],
  [
    'approvers:\n  production:\n    who: [a@b.uk]\n    approvals: 2\n',
    'line 4: approvers.production.approvals: expected at most 1: “who” names no more people',
  ],
  [
    'people: [[a@b.uk, c@b.uk]]\napprovers:\n  production: { who: [a@b.uk, c@b.uk], approvals: 2 }\n',
    'line 3: approvers.production.approvals: expected at most 1',
  ],
  ['people: [[a@b.uk]]\n', 'line 1: people.0: '],
  [
    'people:\n  - [a@b.uk, c@b.uk]\n  - [c@b.uk, d@b.uk]\n',
    'line 3: people.1: an address stands in another list, too',
  ],
  [
    'renewal:\n  domains: ["@alphagov.co.uk"]\n',
    'line 2: renewal.domains.0: expected a domain such as alphagov.co.uk',
  ],
  [
    'smokeCalls:\n  Frontend API: { adapter: F, requires: f, method: m, positional: [], keyword: {} }\n',
    'line 2: smokeCalls.Frontend API: expected a name as in the alert’s label application',
  ],
  [
    'syncGathering:\n  quietFor: 10 minutes\n  atMost: 1 minute\n',
    'syncGathering.quietFor: expected at most atMost (1 minute)',
  ],
  ['soak: [1\n', 'line '],
  ['- soak\n', 'line 1: '],
])('a mistake is named with its line and field: %j', (source, says) => {
  expect(problemsOf(source)).toEqual([expect.stringContaining(says)]);
});

test('all mistakes are named at once', () => {
  expect(problemsOf('soak: soon\nwindow: later\n')).toHaveLength(2);
});

test('a sweep that ships reads fewer pages than Signon’s load balancer takes, with room for rotations beside it', () => {
  const pagesIn5Minutes = ms('5 minutes') / ms(DEFAULT_SETTINGS.sweep.pause);
  expect(pagesIn5Minutes).toBeLessThanOrEqual(800); // it takes 1,000 requests from one address
});

test('a soak below the life of the server applications’ caches is refused: the smoke calls would be answered by them', () => {
  const why =
    /^soak: expected at least lookupCachedFor \((5|20) minutes\): until then caches answer the smoke calls$/;
  expect(problemsOf('soak: 4 minutes\n')).toEqual([expect.stringMatching(why)]);
  expect(problemsOf('lookupCachedFor: 20 minutes\n')).toEqual([expect.stringMatching(why)]);
  expect(readSettings(fileOf('soak: 2 minutes\nlookupCachedFor: 2 minutes\n'))).toMatchObject({
    soak: '2 minutes',
  });
});

describe('every duration has a least and a most, and says why', () => {
  test.each([
    ['soak: 0 ms', 'soak: expected 1 minute to 1 day: '],
    ['lookupCachedFor: 2 hours', 'lookupCachedFor: expected 1 minute to 1 hour: '],
    ['signonRequestLimit: 1 ms', 'signonRequestLimit: expected 30 seconds to 10 minutes: '],
    ['pollEvery: 0 ms', 'pollEvery: expected 500 ms to 1 minute: '],
    ['evidenceHoldsFor: 100 years', 'evidenceHoldsFor: expected 10 minutes to 1 day: '],
    ['rolloutLimit: 300000 years', 'rolloutLimit: expected 1 minute to 1 day: '],
    ['window: 1 hour', 'window: expected 1 day to 90 days: '],
    ['answerLimit: 2 hours', 'answerLimit: expected 5 seconds to 1 minute: '],
    ['syncLimit: 0 ms', 'syncLimit: expected 2 minutes to 6 hours: '],
    [
      'syncGathering: { quietFor: 1 day }',
      'syncGathering.quietFor: expected 1 second to 10 minutes: ',
    ],
    ['syncGathering: { atMost: 1 day }', 'syncGathering.atMost: expected 1 second to 1 hour: '],
    [
      'syncGathering: { askAgainAfter: 1 ms }',
      'syncGathering.askAgainAfter: expected 1 minute to 1 hour: ',
    ],
    ['sweep: { pause: 1 hour }', 'sweep.pause: expected 10 ms to 1 minute: '],
    ['sweep: { looksEvery: 1 ms }', 'sweep.looksEvery: expected 1 minute to 1 hour: '],
    ['sweep: { endsAfter: 21 hours }', 'sweep.endsAfter: expected 1 hour to 20 hours: '],
    ['notices: { collectFor: 1 day }', 'notices.collectFor: expected 1 second to 1 hour: '],
    ['notices: { quietFor: 1 year }', 'notices.quietFor: expected 1 second to 1 day: '],
    ['renewal: { every: 1 ms }', 'renewal.every: expected 1 hour to 31 days: '],
    ['renewal: { at: 25 hours }', 'renewal.at: expected 0 ms to 1 day: '],
    ['renewal: { takes: 0 ms }', 'renewal.takes: expected 1 minute to 12 hours: '],
    ['renewal: { before: 10 years }', 'renewal.before: expected 1 day to 365 days: '],
  ])('%s', (source, says) => {
    expect(problemsOf(source)).toEqual([expect.stringContaining(`line 1: ${says}`)]);
    expect(problemsOf(source)[0]).toMatch(/ to .*: \S/);
  });

  test('the comments of what ships name the bounds as they are', () => {
    const shipped = readFileSync(new URL('../../config/settings.yaml', import.meta.url), 'utf8');
    const bounds = [...shipped.matchAll(/\[(\d+ \w+ to \d+ \w+)\]/g)].map(([, one]) => one);
    const code = readFileSync(new URL('../../config/settings.ts', import.meta.url), 'utf8');
    const checked = [...code.matchAll(/within\(\s*'([^']+)',\s*'([^']+)'/g)].map(
      ([, least, most]) => `${least} to ${most}`,
    );
    expect(bounds).toEqual(checked);
  });

  test('but for stand-ins, where the worker’s systems are on loopback', () => {
    const file = fileOf('forStandIns: true\nsoak: 0 ms\n');
    expect(readSettings(file, true)).toEqual({ ...DEFAULT_SETTINGS, soak: '0 ms' });
    expect(problemsOf('window: 14 days\nforStandIns: true\n')).toEqual([
      expect.stringMatching(/^line 2: forStandIns: expected SIGNON_URL and ARGOCD_URL on loopback/),
    ]);
    expect(() => readSettings(fileOf('soak: 0 ms\n'), true)).toThrow(BadSettings);
  });
});

test.each(['""', '^$', '^.*$', 'signon', '^signon', 'signon$', '^signon\\$', '(', '^a?$'])(
  'a pattern of hosts that lets in others, or nothing at all, is refused: %s',
  (pattern) => {
    const source = JSON.stringify({ hosts: { integration: pattern.replace('""', '') } });
    expect(problemsOf(source)).toEqual([
      expect.stringContaining('hosts.integration: expected a regular expression'),
    ]);
  },
);

test.each(['^a$|b', '^a|b$', '^(a|b)$'])('a pattern matches hosts whole: %s', (pattern) => {
  expect(['a', 'b'].filter((host) => isHostOf(pattern, host))).toEqual(['a', 'b']);
  expect(['a.example.org', 'evil-b', 'ab', ''].filter((host) => isHostOf(pattern, host))).toEqual(
    [],
  );
});

test.each([
  'Zx8k2-_Qw7Lm3Np9Rt5: [unclosed',
  'a: b: Zx8k2-_Qw7Lm3Np9Rt5',
  '"Zx8k2-_Qw7Lm3Np9Rt5\\q"',
  'a: *Zx8k2-_Qw7Lm3Np9Rt5',
  'Zx8k2-_Qw7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8: 1',
  'soak: Zx8k2-_Qw7Lm3Np9Rt5',
])('a file that is another’s by mistake is not quoted: %j', (source) => {
  const problems = problemsOf(source);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.join()).not.toContain('Zx8k2');
});
