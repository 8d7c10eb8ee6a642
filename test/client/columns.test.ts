import { columns } from '../../client/cli/columns.ts';
import { coloured } from '../../client/cli/command-line.ts';
import { expect, test } from '../support/jest.ts';

const HEAD = ['STAGE', 'PAIR', 'WAITS FOR'];
const ROW = [
  'blocked',
  'short-url-manager@alphagov.co.uk → publishing-api',
  'retry or abort: SyncJobFailed in “sync”',
];

test('without a terminal nothing is folded', () => {
  expect(columns({ head: HEAD, rows: [ROW] })).toEqual([
    'STAGE    PAIR                                               WAITS FOR',
    'blocked  short-url-manager@alphagov.co.uk → publishing-api  retry or abort: SyncJobFailed in “sync”',
  ]);
});

test('on a terminal the widest columns are folded between words until the table fits', () => {
  expect(columns({ head: HEAD, rows: [ROW], indent: 2 }, 80)).toEqual([
    '  STAGE    PAIR                               WAITS FOR',
    '  blocked  short-url-manager@alphagov.co.uk   retry or abort: SyncJobFailed in',
    '           → publishing-api                   “sync”',
  ]);
});

test('a word that is longer than its column is cut, and nothing of it is lost', () => {
  const [, ...lines] = columns({ head: ['A', 'B'], rows: [['x'.repeat(30), 'y'.repeat(30)]] }, 30);
  expect(lines.map((line) => line.length)).toEqual(
    [30, 30, 18].map((length) => Math.min(length, 30)),
  );
  expect(lines.join('').replaceAll(' ', '')).toHaveLength(60);
});

test.each([
  ['✓ issue: issued', '\u001b[32m✓\u001b[39m issue: issued'],
  ['  app  ✗ 1 of 2 pods', '  app  \u001b[31m✗\u001b[39m 1 of 2 pods'],
  ['"✓ issue" is text', '"✓ issue" is text'],
])('marks are coloured on a terminal: %j', (line, expected) => {
  expect(coloured(line, { isTTY: true, hasColors: () => true })).toBe(expected);
});

test('without a terminal, or where it has no colours, as with NO_COLOR, nothing is coloured', () => {
  expect(coloured('✓ issue', { isTTY: false, hasColors: () => true })).toBe('✓ issue');
  expect(coloured('✓ issue', { isTTY: true, hasColors: () => false })).toBe('✓ issue');
});
