import { describe, expect, test } from '../support/jest.ts';
import {
  leftToDo,
  newReport,
  whatWorks,
  type RotationReport,
} from '../../domain/rotation/report.ts';
import { aRequest, NEW, OLD } from '../support/builders.ts';

const NOW = Date.parse('2026-09-01T12:00:00Z');
const LATER = Date.parse('2026-09-20T12:00:00Z');
const report = (given: Partial<RotationReport>): RotationReport => ({
  ...newReport(aRequest()),
  ...given,
});

describe('which tokens work, for whoever reads it while a rotation is blocked', () => {
  test('is nothing of what was changed before anything was', () => {
    expect(whatWorks(report({}), [], NOW)).toBe('No token was issued.');
    expect(whatWorks(report({ alive: [OLD] }), [], NOW)).toBe(
      'No token was issued. 1 token is live: the old one until 2026-09-10.',
    );
  });

  test('is both once a new one was issued, each with its day', () => {
    expect(whatWorks(report({ newToken: NEW, alive: [OLD, NEW] }), [], NOW)).toBe(
      'Both tokens are live: the new one until 2028-09-01, the old one until 2026-09-10.',
    );
  });

  test('is not both where a revoke was sent and its answer was lost', () => {
    const said = whatWorks(report({ newToken: NEW, alive: [OLD, NEW] }), [OLD], NOW);
    expect(said).toMatch(/^May be revoked, because Signon’s answer was lost: first101…last0101/);
    expect(said).not.toMatch(/Both|the old one until/);
  });

  test('is not the old one after its last day, nor after its revoke', () => {
    const alive = report({ newToken: NEW, alive: [OLD, NEW] });
    expect(whatWorks(alive, [], LATER)).toBe('1 token is live: the new one until 2028-09-01.');
    const revoked = report({ newToken: NEW, alive: [NEW], revoked: [OLD] });
    expect(whatWorks(revoked, [OLD], NOW)).toMatch(
      /^Revoked: first101…last0101 .*the new one until 2028-09-01\.$/,
    );
  });

  test('calls none dead that may work, and no two “both” beside one that was revoked', () => {
    expect(whatWorks(report({ newToken: NEW, alive: [OLD] }), [OLD], NOW)).toBe(
      'May be revoked, because Signon’s answer was lost: first101…last0101 (authorisation 101). Signon no longer lists the new token as live.',
    );
    const another = { ...OLD, authorisationId: 100, masked: 'first100…last0100' };
    const some = report({ newToken: NEW, alive: [OLD, NEW], revoked: [another] });
    expect(whatWorks(some, [another], NOW)).toMatch(/^Revoked: .*2 tokens are live: the new one/);
  });

  test('says so where the new one is gone, or may be there', () => {
    expect(whatWorks(report({ newToken: NEW, alive: [OLD] }), [], NOW)).toMatch(
      /no longer lists the new token as live/,
    );
    expect(whatWorks(report({ createsLost: true, alive: [OLD] }), [], NOW)).toMatch(
      /A new token may have been issued/,
    );
  });
});

test('a rotation that is stopped names no token as live that has ended since it was listed', () => {
  const listed = report({ newToken: NEW, alive: [OLD, NEW] });
  expect(whatWorks(listed, [], NOW)).toContain('Both tokens are live');
  expect(whatWorks(listed, [], LATER)).toBe('1 token is live: the new one until 2028-09-01.');
  expect(whatWorks(report({ alive: [OLD] }), [], LATER)).toBe('No token was issued.');
});

test('a rotation that ended before the old token tells to start another before that day, and only then', () => {
  const both = report({ newToken: NEW, alive: [OLD, NEW] });
  expect(leftToDo(both, NOW)).toMatch(
    /loses access after 2026-09-10: start another rotation before\.$/,
  );
  expect(leftToDo(both, LATER)).toBe('');
  expect(leftToDo(report({ newToken: NEW, alive: [NEW] }), NOW)).toBe('');
  expect(leftToDo(report({ alive: [OLD] }), NOW)).toBe('');
  // The new one is gone: nothing silences the alert.
  expect(leftToDo(report({ newToken: NEW, alive: [OLD] }), NOW)).toBe('');
});
