import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTemporal } from '../../worker/temporal.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'signon-temporal-'))));
afterEach(() => rmSync(folder, { recursive: true }));
const KEY = 'a-key-of-temporal-cloud';

test('the API key may come from a file, so that no manifest holds it', () => {
  const file = join(folder, 'temporal-api-key');
  writeFileSync(file, `${KEY}\n`);
  const env = { TEMPORAL_ADDRESS: 'cloud.example.org:7233', TEMPORAL_NAMESPACE: 'signon', TEMPORAL_API_KEY_FILE: file };
  expect(readTemporal(env)).toMatchObject({
    namespace: 'signon',
    connectionOptions: { address: 'cloud.example.org:7233', apiKey: KEY },
  });
});

test('a file that cannot be read, and a key given twice, are named and never quoted', () => {
  const env = { TEMPORAL_API_KEY: KEY, TEMPORAL_API_KEY_FILE: join(folder, 'missing') };
  const said = (() => {
    try {
      return JSON.stringify(readTemporal(env));
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(said).toContain('TEMPORAL_API_KEY_FILE: the file cannot be read');
  expect(said).toContain('set both as a value and as TEMPORAL_API_KEY_FILE');
  expect(said).not.toContain(KEY);
});
