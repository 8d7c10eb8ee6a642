import { expect, test } from '../support/jest.ts';
import { SharedRead } from '../../activities/shared-read.ts';

/** A read that ends when told, and counts. */
function aRead(): {
  shared: SharedRead<number>;
  begun: () => number;
  end: () => void;
  fail: () => void;
} {
  let count = 0;
  let settle: [(value: number) => void, (error: Error) => void] = [
    () => undefined,
    () => undefined,
  ];
  const shared = new SharedRead(
    () => new Promise<number>((...given) => (settle = (count++, given))),
  );
  return {
    shared,
    begun: () => count,
    end: () => settle[0](count),
    fail: () => settle[1](new Error('as told')),
  };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('all who ask before a read begins share it', async () => {
  const { shared, begun, end } = aRead();
  const asked = [shared.get(), shared.get(), shared.get()];
  await soon();
  end();
  expect(await Promise.all(asked)).toEqual([1, 1, 1]);
  expect(begun()).toBe(1);
});

test('whoever asks while one is under way gets the next: nobody is told what was read before they asked', async () => {
  const { shared, begun, end } = aRead();
  const first = shared.get();
  await soon();
  const later = [shared.get(), shared.get()];
  end();
  expect(await first).toBe(1);
  while (begun() < 2) await soon();
  end();
  expect(await Promise.all(later)).toEqual([2, 2]);
});

test('whoever asks after it ended gets another', async () => {
  const { shared, end } = aRead();
  for (const nth of [1, 2]) {
    const asked = shared.get();
    await soon();
    end();
    expect(await asked).toBe(nth);
  }
});

test('what was read since a given moment will do for whoever says so', async () => {
  const { shared, begun, end } = aRead();
  const before = performance.now();
  const first = shared.get();
  await soon();
  const sharing = shared.get(before);
  end();
  expect(await Promise.all([first, sharing, shared.get(before)])).toEqual([1, 1, 1]);
  expect(begun()).toBe(1);
});

test('a read that fails fails all who shared it, and the next is tried', async () => {
  const { shared, end, fail } = aRead();
  const asked = [shared.get(), shared.get()];
  await soon();
  fail();
  expect(await Promise.allSettled(asked)).toMatchObject([
    { status: 'rejected' },
    { status: 'rejected' },
  ]);
  const next = shared.get();
  await soon();
  end();
  expect(await next).toBe(2);
});

test('a read that failed will do for nobody who asks after it', async () => {
  const { shared, end, fail } = aRead();
  const before = performance.now();
  const first = shared.get();
  await soon();
  fail();
  await expect(first).rejects.toThrow('as told');
  const second = shared.get(before);
  await soon();
  end();
  expect(await second).toBe(2);
});
