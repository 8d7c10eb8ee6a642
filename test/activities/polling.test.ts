import { expect, test } from '../support/jest.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { lookUntil } from '../../activities/polling.ts';

const FAR = new Date(Date.now() + 3_600_000).toISOString();
const never = (): Promise<undefined> => Promise.resolve(undefined);

test('gives way at once when the worker begins to shut down, and is tried again elsewhere', async () => {
  const draining = new AbortController();
  const waiting = new MockActivityEnvironment().run(() =>
    lookUntil(never, { everyMs: 3_600_000, draining: draining.signal, deadline: FAR }),
  );
  draining.abort();
  await expect(waiting).rejects.toMatchObject({ type: 'WaitInterrupted', nonRetryable: false });
});

test('gives way at once when it is cancelled', async () => {
  const environment = new MockActivityEnvironment();
  const waiting = environment.run(() =>
    lookUntil(never, { everyMs: 3_600_000, draining: new AbortController().signal, deadline: FAR }),
  );
  environment.cancel();
  await expect(waiting).rejects.toThrow('CANCELLED');
});

test('looks again as soon as it is nudged, and stops the nudges when it ends', async () => {
  let looks = 0;
  let stopped: AbortSignal | undefined;
  const answer = await new MockActivityEnvironment().run(() =>
    lookUntil(() => Promise.resolve(++looks === 2 ? 'seen' : undefined), {
      everyMs: 3_600_000,
      draining: new AbortController().signal,
      deadline: FAR,
      nudges: (nudge, signal) => {
        stopped = signal;
        setImmediate(nudge);
      },
    }),
  );
  expect({ answer, looks, stopped: stopped?.aborted }).toEqual({
    answer: 'seen',
    looks: 2,
    stopped: true,
  });
});

test('a nudge that comes while it looks is not lost', async () => {
  let looks = 0;
  let nudge = (): void => undefined;
  const answer = await new MockActivityEnvironment().run(() =>
    lookUntil(
      () => {
        if (++looks === 1) nudge();
        return Promise.resolve(looks === 2 ? 'seen' : undefined);
      },
      {
        everyMs: 3_600_000,
        draining: new AbortController().signal,
        deadline: FAR,
        nudges: (wake) => (nudge = wake),
      },
    ),
  );
  expect(answer).toBe('seen');
});

test('ends with nothing at its deadline, after a last look', async () => {
  let looks = 0;
  const past = new Date(Date.now() - 1).toISOString();
  const answer = await new MockActivityEnvironment().run(() =>
    lookUntil(() => Promise.resolve(void looks++), {
      everyMs: 1,
      draining: new AbortController().signal,
      deadline: past,
    }),
  );
  expect({ answer, looks }).toEqual({ answer: undefined, looks: 1 });
});

test('leaves nothing at the worker’s signal, however often it looked', async () => {
  const { signal } = new AbortController();
  let looks = 0;
  await new MockActivityEnvironment().run(() =>
    lookUntil(() => Promise.resolve(++looks === 20 || undefined), { everyMs: 2, draining: signal }),
  );
  // Its listeners, and the signals that are derived from it.
  const kept = Object.getOwnPropertySymbols(signal).map(
    (name) => (Reflect.get(signal, name) as { size?: number } | undefined)?.size ?? 0,
  );
  expect(kept.filter((size) => size > 0)).toEqual([]);
});
