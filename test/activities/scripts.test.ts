import { describe, expect, test } from '../support/jest.ts';
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  censusWithRuby,
  censusWithShell,
  END_MARKER,
  smokeWithRuby,
  tokenShapedIn,
} from '../../activities/kubernetes/scripts.ts';
import { fingerprintOf, Secret } from '../../config/secret.ts';
import { madeUpRuby } from '../../sandbox/container/made-up-ruby.mjs';

const hasRuby = spawnSync('ruby', ['--version']).status === 0;
const withRuby = hasRuby ? test : test.skip; // there is no other Ruby than the machine's
const LIBRARY = fileURLToPath(new URL('../support/ruby/', import.meta.url));
const TOKEN = 'Zx8k2-_Qw7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8';
const env = { PATH: process.env.PATH, MY_TOKEN: TOKEN, GOVUK_ENVIRONMENT: 'integration' };

/** Runs a command of the worker as a container would. */
function run(
  [program = '', ...args]: string[],
  more: Record<string, string> = {},
): Promise<string[]> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...env, ...more } });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('close', () => resolve(said.trimEnd().split('\n')));
  });
}

const line = (token: string, name: string): string => {
  const { sha256, maskedSha256 } = fingerprintOf(new Secret(token));
  return `token ${sha256} ${maskedSha256} ${name}`;
};
const END = ['environment integration', END_MARKER];
const OTHER = 'A'.repeat(21) + '-_' + 'b'.repeat(20);
/** What a value holds of a token's shape, in the order it is told in. */
const VALUES: [what: string, value: string, holds: string[]][] = [
  ['the token', TOKEN, [TOKEN]],
  ['a line break after it', `${TOKEN}\n`, [TOKEN]],
  ['“Bearer” before it', `Bearer ${TOKEN}`, [TOKEN]],
  ['quotes around it', `"${TOKEN}"`, [TOKEN]],
  ['a sentence around it', `use ${TOKEN}, please\nand * $HOME \`x\` $(y)`, [TOKEN]],
  ['two tokens', `${TOKEN},${OTHER}`, [TOKEN, OTHER]],
  ['one character before it', `x${TOKEN}`, [`x${TOKEN.slice(0, 42)}`, TOKEN]],
  ['one character too few', TOKEN.slice(1), []],
  ['nothing', '', []],
  ['letters of other alphabets', `é${TOKEN}ü`, [TOKEN]],
  ['a long run, at its start', TOKEN + '0'.repeat(60), [TOKEN, '0'.repeat(43)]],
  ['a long run, at its end', '0'.repeat(60) + TOKEN, ['0'.repeat(43), TOKEN]],
];

describe.each([
  ['a shell', censusWithShell, test],
  ['Ruby', censusWithRuby, withRuby],
] as const)('%s', (_program, command, tests) => {
  tests.each(VALUES)('finds what a variable holds: %s', async (_what, value, holds) => {
    const lines = await run([...command], { MY_TOKEN: value });
    expect(lines).toEqual([...holds.map((token) => line(token, 'MY_TOKEN')), ...END]);
    expect(lines.join()).not.toContain(TOKEN);
    expect(tokenShapedIn(value)).toEqual(holds);
  });

  tests('takes no value for a pattern, an option or a command, and no name either', async () => {
    const hostile = {
      A: '-n',
      B: `$(echo ${OTHER})`,
      C: '/etc/*',
      D: '%s%n',
      'E-x.y': OTHER,
      MY_TOKEN: '',
    };
    const lines = await run([...command], hostile);
    expect(lines.toSorted()).toEqual([line(OTHER, 'B'), line(OTHER, 'E-x.y'), ...END].toSorted());
  });
});

test('the census takes no arguments: what it does is the same for every container', () => {
  expect(censusWithShell.slice(0, 2)).toEqual(['sh', '-c']);
  expect(censusWithShell).toHaveLength(3);
  expect(censusWithRuby.slice(0, 3)).toEqual(['ruby', '-rdigest', '-e']);
  expect(censusWithRuby).toHaveLength(4);
});

test('a shell without sha256sum says so before it answers anything', async () => {
  const child = spawnSync('/bin/sh', censusWithShell.slice(1), {
    env: { PATH: '/nonexistent', MY_TOKEN: TOKEN },
  });
  expect([child.status, child.stdout.toString()]).toEqual([120, '']);
});

const CALL = {
  adapter: 'PublishingApi',
  requires: 'gds_api/publishing_api',
  method: 'lookup_content_id',
  positional: [],
  keyword: { base_path: '/' },
};
const [, , ...SMOKE] = smokeWithRuby(JSON.stringify(CALL), 'publishing-api', 'MY_TOKEN');

withRuby.each([
  [200, 401, 'returned', 'GdsApi::HTTPUnauthorized'],
  [404, 403, 'GdsApi::HTTPNotFound', 'GdsApi::HTTPForbidden'],
  [410, 401, 'GdsApi::HTTPNotFound', 'GdsApi::HTTPUnauthorized'], // an error of the adapter's own
  [401, 401, 'GdsApi::HTTPUnauthorized', 'GdsApi::HTTPUnauthorized'],
  [200, 200, 'returned', 'returned'],
])(
  'a smoke call says what %i for its token and %i for a made-up one come to',
  async (own, madeUp, ...says) => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response
        .writeHead(request.headers.authorization === `Bearer ${TOKEN}` ? own : madeUp)
        .end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const lines = await run(SMOKE, {
      RUBYLIB: LIBRARY,
      PLEK_SERVICE_PUBLISHING_API_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });
    server.close();
    expect(lines).toEqual([`own ${says[0]}`, `made-up ${says[1]}`, END_MARKER]);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatch(/^Bearer [\w-]{43}$/);
  },
);

const MORE = ['own unavailable MoreThanToken', 'made-up unavailable'];
withRuby.each([
  ['a line break after it', `${TOKEN}\n`, ['own returned', 'made-up GdsApi::HTTPUnauthorized']],
  ['a line break within it', `${TOKEN}\nx`, MORE],
  ['“Bearer” before it', `Bearer ${TOKEN}`, MORE],
  ['another token after it', `${TOKEN},${OTHER}`, MORE],
])(
  'of a token with %s, a smoke call says the same in the stand-in and in Ruby',
  async (_what, value, says) => {
    const server = createServer(({ headers }, response) =>
      response.writeHead(headers.authorization === `Bearer ${TOKEN}` ? 200 : 401).end('{}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const variables = { RUBYLIB: LIBRARY, PLEK_SERVICE_PUBLISHING_API_URI: url, MY_TOKEN: value };
    const said = [...says, END_MARKER];
    expect(await run(SMOKE, variables)).toEqual(said);
    const standIn: string[] = [];
    await madeUpRuby(SMOKE.slice(1), variables, (text: string) => standIn.push(text));
    expect(standIn).toEqual(said);
    server.close();
  },
);

withRuby(
  'a container whose Plek finds no address names the exception’s class, never its message',
  async () => {
    expect(await run(SMOKE, { RUBYLIB: LIBRARY })).toEqual([
      'own unavailable Plek::NoConfigurationError',
      'made-up unavailable',
      END_MARKER,
    ]);
  },
);

withRuby('a container without the adapter says so instead of failing a call', async () => {
  const call = { adapter: 'X', requires: 'gds_api/none', method: 'x', positional: [], keyword: {} };
  const [, , ...ruby] = smokeWithRuby(JSON.stringify(call), 'publishing-api', 'MY_TOKEN');
  expect(await run(ruby, { RUBYLIB: LIBRARY })).toEqual([
    'own unavailable LoadError',
    'made-up unavailable',
    END_MARKER,
  ]);
});
