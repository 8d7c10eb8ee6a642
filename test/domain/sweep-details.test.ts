import { expect, test } from '../support/jest.ts';
import { drawSweep, introduceSweep, type SweepProgress } from '../../domain/sweep/sweep-details.ts';
import { RANK, type RowState, type SweepRow } from '../../domain/sweep/sweep.ts';

const row = (at: number, state: RowState): SweepRow => ({
  apiUser: `user-${String(at).padStart(4, '0')}@alphagov.co.uk`,
  application: 'publishing-api',
  ends: '2026-09-10',
  state,
  what: 'issue a token, roll it out, then ask to revoke the old one',
});
const progress = (rows: SweepRow[], given: Partial<SweepProgress> = {}): SweepProgress => ({
  request: { environment: 'integration', requestedBy: 'ada@example.org' },
  rows,
  doing: 'Waits.',
  ...given,
});
const rowsIn = (drawn: string): string[] =>
  drawn.split('\n').filter((line) => line.includes('@alphagov'));

test('62 pairs are all named, those that need a person first', () => {
  const rows = Array.from({ length: 62 }, (_, at) => row(at, RANK[at % RANK.length]!));
  const drawn = drawSweep(progress(rows));
  expect(rowsIn(drawn)).toHaveLength(62);
  const headings = drawn.split('\n').filter((line) => /^\*\*. /.test(line));
  expect(headings[0]).toBe(
    '**✗ blocked**: issue a token, roll it out, then ask to revoke the old one',
  );
  expect(headings.at(-1)).toMatch(/^\*\*– left alone/);
  expect(drawn).toMatch(/\*\*blocked:\*\* 4 · \*\*waiting-classification:\*\* 4/);
});

test('of a thousand, the count of each state stands there, and those that people can do something about by name', () => {
  const rows = Array.from({ length: 1000 }, (_, at) =>
    row(at, at < 30 ? 'blocked' : at < 60 ? 'preparing' : 'left alone'),
  );
  const drawn = drawSweep(progress(rows));
  expect(rowsIn(drawn)).toHaveLength(60);
  expect(drawn).toContain('**blocked:** 30 · **preparing:** 30 · **left alone:** 940');
  expect(drawn).toContain('and 940 more');
});

test('the details of a thousand that all wait stay short enough to be read, and to be kept', () => {
  const drawn = drawSweep(
    progress(Array.from({ length: 1000 }, (_, at) => row(at, 'waiting-approval'))),
  );
  expect(rowsIn(drawn)).toHaveLength(100);
  expect(drawn).toContain('and 900 more');
  expect(drawn.length).toBeLessThan(20_000);
  expect(drawn).toContain('`npx signon-rotation approve --waiting --environment integration`');
});

test('what is blocked says what happened, what to do, and what to send', () => {
  const blocked = {
    failure: 'Unreachable',
    message: 'no answer',
    todo: 'wait',
    since: '2026-09-01T12:00:00Z',
  };
  const drawn = drawSweep(progress([], { blocked }));
  expect(drawn).toMatch(/^### ✗ Blocked: Unreachable\n/);
  expect(drawn).toContain('**Blocked since:** 2026-09-01 12:00 UTC');
  expect(drawn).toMatch(/send \*\*retry\*\*.*\n\n```json\n{\n {2}"by": ""\n}\n```/);
});

test('paused, it says by whom and how to go on; an ended one and a plan offer nothing', () => {
  expect(drawSweep(progress([], { pausedBy: 'ada@example.org' }))).toMatch(
    /Paused by ada@example\\?\.org[^]*send \*\*resume\*\*/,
  );
  expect(drawSweep(progress([]))).toMatch(/\*\*pause\*\*[^]*\*\*abort\*\*/);
  expect(drawSweep(progress([], { outcome: 'swept' }))).not.toContain('send **');
  const request = { environment: 'integration', requestedBy: 'ada', plan: true } as const;
  expect(drawSweep(progress([], { request }))).not.toContain('send **');
});

test('names from outside stay names', () => {
  const evil = { ...row(1, 'blocked'), apiUser: '<img src=x onerror=alert(1)>|**approved** ✅' };
  const [line] = drawSweep(progress([evil]))
    .split('\n')
    .filter((one) => one.includes('approved'));
  expect(line).not.toMatch(/(?<!\\)<img/);
  expect(line).not.toContain('**approved**');
  expect(line!.replaceAll('\\|', '').split('|')).toHaveLength(4);
  const { staticDetails } = introduceSweep({
    environment: 'integration',
    requestedBy: '<b>ada</b>',
  });
  expect(staticDetails).not.toMatch(/(?<!\\)<b>/);
});
