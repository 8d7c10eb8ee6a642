import { expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { digestWithRuby, digestWithShell, END_MARKER, smokeWithRuby } from '../../activities/kubernetes/scripts.ts';
import { fingerprintOf, Secret } from '../../activities/secret.ts';

const hasRuby = spawnSync('ruby', ['--version']).status === 0;
const withRuby = hasRuby ? test : test.skip; // there is no other Ruby than the machine's
const LIBRARY = fileURLToPath(new URL('../support/ruby/', import.meta.url));
const TOKEN = 'Zx8k2-_Qw7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8';
const env = { PATH: process.env.PATH, MY_TOKEN: TOKEN, GOVUK_ENVIRONMENT: 'integration' };

/** Runs a command of the worker as a container would. */
function run([program = '', ...args]: string[], more: Record<string, string> = {}): Promise<string[]> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...env, ...more } });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('close', () => resolve(said.trimEnd().split('\n')));
  });
}

const { sha256, maskedSha256 } = fingerprintOf(new Secret(TOKEN));
const DIGESTS = [`MY_TOKEN ${sha256} ${maskedSha256}`, 'environment integration', END_MARKER];

test('a shell gives the digests of a variable, and never its value', async () => {
  expect(await run(digestWithShell(['MY_TOKEN']))).toEqual(DIGESTS);
});

test('a hostile variable name is an argument, not a command', async () => {
  const lines = await run(digestWithShell(['$(echo $MY_TOKEN >&2); echo pwned']));
  expect(lines.join()).not.toContain(TOKEN);
  expect(lines.at(-1)).toBe(END_MARKER);
});

withRuby('no name is taken for an option of Ruby’s', async () => {
  for (const name of ['-e$stderr.puts(ENV.to_h)', '-rjson', '--version', '-h']) {
    const lines = await run(digestWithRuby([name]));
    expect(lines.join()).not.toContain(TOKEN);
    expect(lines[0]).toMatch(/ [0-9a-f]{64} [0-9a-f]{64}$/);
    expect(lines.at(-1)).toBe(END_MARKER);
  }
});

withRuby('Ruby gives the same digests as the worker', async () => {
  expect(await run(digestWithRuby(['MY_TOKEN']))).toEqual(DIGESTS);
});

withRuby.each([
  [200, 401, 'returned', 'GdsApi::HTTPUnauthorized'],
  [404, 403, 'GdsApi::HTTPNotFound', 'GdsApi::HTTPForbidden'],
  [401, 401, 'GdsApi::HTTPUnauthorized', 'GdsApi::HTTPUnauthorized'],
  [200, 200, 'returned', 'returned'],
])('a smoke call says what %i for its token and %i for a made-up one come to', async (own, madeUp, ...says) => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.writeHead(request.headers.authorization === `Bearer ${TOKEN}` ? own : madeUp).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const call = {
    adapter: 'PublishingApi',
    requires: 'gds_api/publishing_api',
    method: 'lookup_content_id',
    positional: [],
    keyword: { base_path: '/' },
  };
  const [, , ...ruby] = smokeWithRuby(JSON.stringify(call), 'publishing-api', 'MY_TOKEN');
  const lines = await run(ruby, {
    RUBYLIB: LIBRARY,
    PLEK_SERVICE_PUBLISHING_API_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  server.close();
  expect(lines).toEqual([`own ${says[0]}`, `made-up ${says[1]}`, END_MARKER]);
  expect(asked).toHaveLength(2);
  expect(asked[1]).toMatch(/^Bearer [\w-]{43}$/);
});

withRuby('a container without the adapter says so instead of failing a call', async () => {
  const call = { adapter: 'X', requires: 'gds_api/none', method: 'x', positional: [], keyword: {} };
  const [, , ...ruby] = smokeWithRuby(JSON.stringify(call), 'publishing-api', 'MY_TOKEN');
  expect(await run(ruby, { RUBYLIB: LIBRARY })).toEqual(['own unavailable', 'made-up unavailable', END_MARKER]);
});
