import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadSettings, DEFAULT_SETTINGS, readSettings } from '../../worker/settings.ts';

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
  expect(DEFAULT_SETTINGS).toMatchObject({ window: '14 days', rolloutLimit: '15 minutes', evidenceHoldsFor: '1 hour' });
  expect(DEFAULT_SETTINGS.specialCases.map(({ apiUser, outcome }) => [apiUser, outcome])).toEqual([
    ['Trade Tariff Admin', 'referred'],
    ['Trade Tariff Backend', 'referred'],
    ['Signon API Client (permission and suspension updater)', 'ignored'],
  ]);
  expect(Object.keys(DEFAULT_SETTINGS.smokeCalls)).toHaveLength(7);
});

test('an empty file, or one of comments, changes nothing', () => {
  for (const text of ['', '# nothing\n', '{}']) expect(readSettings(fileOf(text))).toEqual(DEFAULT_SETTINGS);
});

test('a file replaces what it names: values whole, hosts, notices and smoke calls entry by entry', () => {
  const call = '{ adapter: Router, requires: gds_api/router, method: get_route, positional: [/], keyword: {} }';
  const read = readSettings(
    fileOf(`soak: 1 minute\nnotices: { quietFor: 1 hour }\nsmokeCalls:\n  router: ${call}\nspecialCases: []\n`),
  );
  expect(read).toMatchObject({ soak: '1 minute', window: '14 days', specialCases: [] });
  expect(read.notices).toEqual({ collectFor: '30 seconds', quietFor: '1 hour' });
  expect(Object.keys(read.smokeCalls)).toEqual([...Object.keys(DEFAULT_SETTINGS.smokeCalls), 'router']);
});

test('JSON is read too', () => {
  expect(readSettings(fileOf('{"soak": "2 minutes"}')).soak).toBe('2 minutes');
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
  ['soak: [1\n', 'line '],
  ['- soak\n', 'line 1: '],
])('a mistake is named with its line and field: %j', (source, says) => {
  expect(problemsOf(source)).toEqual([expect.stringContaining(says)]);
});

test('all mistakes are named at once', () => {
  expect(problemsOf('soak: soon\nwindow: later\n')).toHaveLength(2);
});
