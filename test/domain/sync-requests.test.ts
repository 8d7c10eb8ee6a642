import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  batchOf,
  latestOf,
  nextSyncAt,
  parseSyncAnswer,
  parseSyncRequest,
  serves,
  type Queued,
  type SyncRequest,
} from '../../domain/sync-requests.ts';

const aRequest = (given: Partial<SyncRequest> = {}): SyncRequest => ({
  workflowId: 'rotate-token/integration/a@example.org/publishing-api',
  ticket: 'one',
  cronJob: { name: 'signon-sync-token-secrets-to-k8s', uid: 'cron-1' },
  notBefore: '2026-01-01T00:00:00.000Z',
  limit: '30 minutes',
  gathering: { quietFor: '10 seconds', atMost: '1 minute', askAgainAfter: '5 minutes' },
  ...given,
});
const queued = (at: number, given: Partial<SyncRequest> = {}): Queued => ({ request: aRequest(given), at });

describe('the next Job', () => {
  test('is due when none came for a while', () => {
    expect(nextSyncAt([queued(1000), queued(4000)])).toBe(14_000);
  });

  test('is due at the latest so long after the first request, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 1, maxLength: 50 }), (times) => {
        const sorted = times.toSorted((a, b) => a - b);
        expect(nextSyncAt(sorted.map((at) => queued(at)))).toBeLessThanOrEqual(sorted[0]! + 60_000);
      }),
    );
  });

  test('is not due where nobody asks', () => {
    expect(nextSyncAt([])).toBeUndefined();
    expect(batchOf([])).toEqual([]);
  });

  test('is for all that ask for the same CronJob, and must be younger than what each asks for', () => {
    const other = queued(2, { cronJob: { name: 'other', uid: 'cron-2' } });
    const later = queued(3, { notBefore: '2026-01-01T00:05:00.000Z' });
    const batch = batchOf([queued(1), other, later]);
    expect(batch).not.toContain(other);
    expect(batch).toContain(later);
    expect(latestOf(batch)).toBe('2026-01-01T00:05:00.000Z');
  });
});

describe('a Job', () => {
  const batch = [queued(1)];
  test.each([
    ['2026-01-01T00:00:05Z', true],
    ['2026-01-01T00:00:04Z', false],
  ])('created at %s serves who came meanwhile: %p', (createdAt, served) => {
    expect(serves({ createdAt }, batch, queued(2, { ticket: 'two' }))).toBe(served);
  });

  test('serves whom it was made for, whatever its clock says, and nobody of another CronJob', () => {
    expect(serves({ createdAt: '2020-01-01T00:00:00Z' }, batch, batch[0]!)).toBe(true);
    const other = queued(2, { cronJob: { name: 'other', uid: 'cron-2' } });
    expect(serves({ createdAt: '2030-01-01T00:00:00Z' }, batch, other)).toBe(false);
  });
});

test('whatever comes as a request or an answer is read or refused, never thrown at', () => {
  expect(parseSyncRequest(aRequest())).toEqual(aRequest());
  const half = fc.record(
    {
      ticket: fc.anything(),
      kind: fc.constantFrom('synced', 'failed', 7),
      job: fc.anything(),
      seenAt: fc.anything(),
      cronJob: fc.anything(),
      notBefore: fc.anything(),
      gathering: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), half), (input) => {
      const answer = parseSyncAnswer(input);
      expect(parseSyncRequest(input)).toBeUndefined();
      expect(answer === undefined || typeof answer.ticket === 'string').toBe(true);
    }),
  );
});
