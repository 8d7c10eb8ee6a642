import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import {
  batchOf,
  carriable,
  isTaken,
  latestOf,
  MOST_REQUESTS,
  nextSyncAt,
  parseQueue,
  parseSyncAnswer,
  parseSyncRequest,
  serves,
  type Queued,
  type SyncRequest,
} from '../../domain/sync/sync-requests.ts';

const aRequest = (given: Partial<SyncRequest> = {}): SyncRequest => ({
  workflowId: 'rotate-token/integration/a@example.org/publishing-api',
  ticket: 'one',
  cronJobUid: 'cron-1',
  notBefore: '2026-01-01T00:00:00.000Z',
  ...given,
});
const GATHERING = {
  quietFor: '10 seconds',
  atMost: '1 minute',
  askAgainAfter: '5 minutes',
} as const;
const NOW = Date.parse('2026-01-02T00:00:00.000Z');
const queued = (at: number, given: Partial<SyncRequest> = {}): Queued => ({
  request: aRequest(given),
  at,
});

describe('the next Job', () => {
  test('is due when none came for a while', () => {
    expect(nextSyncAt([queued(1000), queued(4000)], GATHERING)).toBe(14_000);
  });

  test('is due at the latest so long after the first request, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 1, maxLength: 50 }),
        (times) => {
          const sorted = times.toSorted((a, b) => a - b);
          expect(
            nextSyncAt(
              sorted.map((at) => queued(at)),
              GATHERING,
            ),
          ).toBeLessThanOrEqual(sorted[0]! + 60_000);
        },
      ),
    );
  });

  test('is not due where nobody asks', () => {
    expect(nextSyncAt([], GATHERING)).toBeUndefined();
    expect(batchOf([])).toEqual([]);
  });

  test('is for all that ask for the same CronJob, and must be younger than what each asks for', () => {
    const other = queued(2, { cronJobUid: 'cron-2' });
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
    const other = queued(2, { cronJobUid: 'cron-2' });
    expect(serves({ createdAt: '2030-01-01T00:00:00Z' }, batch, other)).toBe(false);
  });
});

test('whatever comes as a request or an answer is read or refused, never thrown at', () => {
  expect(parseSyncRequest(aRequest(), NOW)).toEqual(aRequest());
  const half = fc.record(
    {
      ticket: fc.anything(),
      kind: fc.constantFrom('synced', 'failed', 7),
      job: fc.anything(),
      seenAt: fc.anything(),
      cronJobUid: fc.anything(),
      notBefore: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), half), (input) => {
      const answer = parseSyncAnswer(input);
      expect(parseSyncRequest(input, NOW)).toBeUndefined();
      expect(parseQueue([input], NOW)).toBeUndefined();
      expect(answer === undefined || typeof answer.ticket === 'string').toBe(true);
    }),
  );
});

describe('a request', () => {
  test('of what is yet to come asks for what was there when it came', () => {
    const far = aRequest({ notBefore: '+100000-01-01T00:00:00.000Z' });
    expect(parseSyncRequest(far, NOW)).toEqual(aRequest({ notBefore: '2026-01-02T00:00:00.000Z' }));
  });

  test.each([
    ['how long a Job may take', { limit: '300000y' }],
    [
      'how requests gather',
      { gathering: { quietFor: '100y', atMost: '100y', askAgainAfter: '100y' } },
    ],
    [
      'which CronJob makes the Job',
      { cronJob: { name: 'signon-delete-expired-tokens', uid: 'cron-1' } },
    ],
  ])('does not say %s', (_what, forged) => {
    expect(parseSyncRequest({ ...aRequest(), ...forged }, NOW)).toEqual(aRequest());
  });

  test.each([
    ['huge', `rotate-token/${'x'.repeat(1_900_000)}`],
    ['of another workflow', 'sweep/integration'],
    ['of characters that take six bytes each', `rotate-token/${'\u0001'.repeat(500)}`],
  ])('whose id is %s is none', (_what, workflowId) => {
    expect(parseSyncRequest(aRequest({ workflowId }), NOW)).toBeUndefined();
  });

  test('under another ticket takes no other’s place, and of one rotation a few wait at most', () => {
    const real = queued(1, { ticket: 'real' });
    const forged = ['a', 'b', 'c', 'd', 'e'].map((ticket) => aRequest({ ticket }));
    const queue = forged.reduce(
      (taken, request) => (isTaken(taken, request) ? [...taken, { request, at: 2 }] : taken),
      [real],
    );
    expect(queue.map(({ request }) => request.ticket)).toEqual(['real', 'a', 'b', 'c']);
    expect(isTaken(queue, real.request)).toBe(false);
  });
});

test('no more requests wait than may, and of these as many are carried over as the server takes', () => {
  const long = `rotate-token/integration/${'ü'.repeat(250)}@example.org/publishing-api`;
  const queue = Array.from({ length: MOST_REQUESTS }, (_, at) =>
    queued(at, { workflowId: `${long}-${at}`, ticket: `t${at}` }),
  );
  expect(isTaken(queue, aRequest())).toBe(false);
  const carried = carriable(queue);
  expect(carried.length).toBeGreaterThan(1000);
  expect(Buffer.byteLength(JSON.stringify(carried))).toBeLessThan(2_000_000);
  expect(carried[0]).toBe(queue[0]);
  expect(carriable(queue.slice(0, 400))).toHaveLength(400);
});
