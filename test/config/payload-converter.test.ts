import { expect, test } from '../support/jest.ts';
import { createRequire } from 'node:module';
import type { PayloadConverter } from '@temporalio/common';

const { payloadConverter } = createRequire(import.meta.url)(
  '../../config/payload-converter.cjs',
) as {
  payloadConverter: PayloadConverter;
};
const read = (data: string, encoding = 'json/plain'): unknown =>
  payloadConverter.fromPayload({
    metadata: { encoding: Buffer.from(encoding) },
    data: Buffer.from(data),
  });

test('what is written is read as it was', () => {
  for (const value of [{ by: 'ada', revoke: [1, 2] }, 'a text', 7, [[[]]], null])
    expect(payloadConverter.fromPayload(payloadConverter.toPayload(value))).toEqual(value);
});

test('what is nested deeper than anything of ours is nothing', () => {
  expect(read('['.repeat(50) + ']'.repeat(50))).toBeDefined();
  expect(read('['.repeat(51) + ']'.repeat(51))).toBeUndefined();
  expect(read(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)).toBeUndefined();
});

test('bytes, and what is broken or of an unknown encoding, are nothing', () => {
  expect(read('bytes', 'binary/plain')).toBeUndefined();
  expect(read('{"by": ')).toBeUndefined();
  expect(read('{}', 'binary/unheard-of')).toBeUndefined();
});
