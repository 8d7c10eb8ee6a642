import { afterEach, beforeEach, expect, test } from '../support/jest.ts';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'signon-demo-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('the demo that the README begins with rotates a token, shows every step and what blocks, and ends by itself', async () => {
  const args = [
    '--import',
    'tsx',
    'sandbox/demo/main.ts',
    '--yes',
    '--blocked',
    '--folder',
    folder,
  ];
  const demo = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [demo.stdout, demo.stderr])
    stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const code = await new Promise((resolve) => demo.on('close', resolve));
  expect({ code, out }).toMatchObject({ code: 0 });
  const done = [...out.matchAll(/^ {3}✓ ([a-z ]+?)(?::|$)/gm)].map(([, step]) => step);
  expect(done).toEqual(
    expect.arrayContaining([
      'assess',
      'issue',
      'sync',
      'roll out',
      'smoke',
      'approve',
      'revoke',
      'confirm',
    ]),
  );
  expect(out).toMatch(/✗ sync: SyncJobFailed$/m);
  expect(out).toMatch(/Watch it in the Temporal UI:\n {3}http:\/\/127\.0\.0\.1:\d+\//);
  expect(out).toMatch(/Outcome: rotated$/m);
  expect(out).toMatch(/meanwhile {2}\d+ calls of running pods, 0 refused/);
}, 600_000);
