import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { redact } from '../../domain/text/redact.ts';

const JOB = 'signon-sync-token-secrets-to-k8s-29000000';
const TOKEN = 'Zx8k2-_Qw7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');
const letter = fc.constantFrom(...BASE64URL);
const aTokenValue = fc.string({ unit: letter, minLength: 43, maxLength: 43 });

test('takes an unknown 43-character token out of a sync Job’s log', () => {
  const token = 'Zx8k2-_Qw7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8';
  expect(token).toHaveLength(43);
  expect(redact(`Wrote signon ${token} done`)).toBe('Wrote signon [redacted] done');
});

describe('a token in free text', () => {
  const around = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom(
      'Bearer ',
      'bearer_token: "',
      'TOKEN=',
      JOB,
      `${JOB}: `,
      '\n',
      '"',
      '\\n',
      'x',
      '=',
      '…',
    ),
  );

  test('never leaves 20 characters of itself, wherever it is cut and whatever it is embedded in', () => {
    const cut = fc.tuple(
      aTokenValue,
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 20, max: 43 }),
    );
    fc.assert(
      fc.property(around, cut, around, (before, [whole, from, length], after) => {
        const piece = whole.slice(from, from + length);
        const left = redact(before + piece + after, [JOB]);
        for (let at = 0; at + 20 <= piece.length; at++)
          expect(left).not.toContain(piece.slice(at, at + 20));
      }),
    );
  });

  test('leaves no run of 20 or more base64 or base64url characters but the names that may stay', () => {
    const word = fc.string({
      unit: fc.constantFrom(...BASE64URL, '+', '/', '='),
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(around, aTokenValue, word), { maxLength: 8 }),
        fc.string(),
        (pieces, glue) => {
          const runs = redact(pieces.join(glue), [JOB]).match(/[A-Za-z0-9+/_=-]{20,}/g) ?? [];
          expect(runs.filter((run) => run !== JOB)).toEqual([]);
        },
      ),
    );
  });

  test('goes also as the base64 that a Secret’s data is shown in', () => {
    const encoded = Buffer.from('Zx8k2-_Qw7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8').toString('base64');
    expect(redact(`data: ${encoded}`)).toBe('data: [redacted]');
  });
});

describe('a value that says of itself what it is goes, however short', () => {
  test.each([
    'Authorization: Bearer s3cr3t',
    'authorization: bearer s3cr3t',
    '"Authorization" => "Bearer s3cr3t"',
    "-H 'Authorization: Bearer s3cr3t'",
    'Bearer\ns3cr3t',
    'bearer_token: s3cr3t',
    'bearer_token=s3cr3t&x=1',
    'bearer_token="s3cr3t"',
    '{"bearer_token":"s3cr3t"}',
    ":bearer_token => 's3cr3t'",
    'BEARER_TOKEN=s3cr3t',
  ])('%s', (text) => {
    expect(redact(text)).not.toContain('s3cr3t');
  });

  test.each(['PUBLISHING_API_BEARER_TOKEN="s3cr3t"', "export SUPPORT_API_BEARER_TOKEN='s3cr3t'"])(
    'in the variable a consumer reads it from: %s',
    (text) => {
      expect(redact(text)).not.toContain('s3cr3t');
    },
  );

  test('in JSON that was itself quoted in JSON', () => {
    expect(redact(JSON.stringify(JSON.stringify({ bearer_token: 's3cr3t' })))).not.toContain(
      's3cr3t',
    );
  });
});

describe('what may stay', () => {
  test('is the exact name of an object that was asked about, and no longer run with it in it', () => {
    expect(redact(`Job ${JOB} failed`, [JOB])).toBe(`Job ${JOB} failed`);
    expect(redact(`Job ${JOB}x failed`, [JOB])).toBe('Job [redacted] failed');
    expect(redact(`Job ${JOB} failed`)).toBe('Job [redacted] failed');
  });

  test('is text without anything in the shape of a secret', () => {
    const plain = 'Error: 422 Unprocessable at line 12 (app/models/user.rb), try again at 01:07';
    expect(redact(plain)).toBe(plain);
  });

  test('is the end of a long text, cut after secrets were taken out', () => {
    const secret = 'Zx8k2-_Qw7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8';
    for (let at = 1960; at <= 2010; at++) {
      const left = redact(`${'a '.repeat(500)}${secret} ${'b '.repeat(at / 2)}end`);
      expect(left.length).toBeLessThanOrEqual(2001);
      expect(left.endsWith('b end')).toBe(true);
      expect(left).not.toContain(secret.slice(-8));
    }
  });
});

describe('a token that is broken up', () => {
  /** As random as Signon's are: 43 random characters are about 31 different ones. */
  const aRandomToken = fc.noBias(aTokenValue).filter((token) => new Set(token).size >= 20);
  const ANSI = [
    '\u001b[31m',
    '\u001b[0;1;38;5;200m',
    '\u001b[K',
    '\u009b32m',
    '\u001b]8;;x\u0007',
    '\\u001b[0m',
  ];
  const UNSEEN = ['\u00ad', '\u200b', '\u200d', '\u2060', '\ufeff', '\u0000'];
  const indentation = fc.tuple(
    fc.constantFrom('\n', '\r\n', '\\\n', ' \n', '\u2028', '\\n'),
    fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 12 }),
  );
  const aBreak = fc.oneof(
    indentation.map((parts) => parts.join('')),
    fc.constantFrom(...ANSI, ...UNSEEN),
  );
  const beside = fc.constantFrom(
    '',
    'token: ',
    'TOKEN=',
    'wrote "',
    'Bearer ',
    'Writing\n',
    'the sync\n  ended\n',
  );
  const split = (token: string, first: number, width: number, by: string): string =>
    [
      token.slice(0, first),
      ...(token.slice(first).match(new RegExp(`.{1,${width}}`, 'g')) ?? []),
    ].join(by);
  /** No matter how a reader puts lines together. */
  const joined = (text: string): string => text.replace(/\\n|[\s\\]/g, '');

  test('never leaves 12 consecutive characters of itself: over lines of any width from 8 on, by colours, by what nobody sees', () => {
    const width = fc.integer({ min: 8, max: 43 });
    fc.assert(
      fc.property(
        aRandomToken,
        width,
        fc.nat(7),
        aBreak,
        beside,
        beside,
        (token, wide, less, by, before, after) => {
          const left = joined(
            redact(`${before}${split(token, wide - less, wide, by)}\n${after}`, [JOB]),
          );
          for (let at = 0; at + 12 <= token.length; at++)
            expect(left).not.toContain(token.slice(at, at + 12));
        },
      ),
      {
        numRuns: 1000,
        // Three of its lines read as words.
        examples: [
          ['AAAAAAAcaAtnqdAanmAbltAAAAAAAAAAAWih4_xGE92', 8, 2, '\n', '', ''],
          // Two of one width read as words.
          ['AlMJcHbCVqtfBvkfa-3eynvgcFghnfonjVF4sGma62b', 12, 3, '\\n\t ', 'Writing\n', 'token: '],
        ],
      },
    );
  });

  test('goes with a colour or a soft hyphen after each of its characters', () => {
    for (const by of [...ANSI, ...UNSEEN])
      expect(redact(`is ${TOKEN.split('').join(by)} now`)).toBe('is [redacted] now');
  });

  test('goes where it is wrapped at 19 characters, and the lines around it stay', () => {
    const wrapped = `Wrote the token\n  ${split(TOKEN, 19, 19, '\n  ')}\nto its Secret`;
    expect(redact(wrapped)).toBe('Wrote the token\n  [redacted]\nto its Secret');
  });

  test('keeps an exact name that stands on a line of its own beside it', () => {
    expect(redact(`${JOB}\n${split(TOKEN, 11, 11, '\n')}`, [JOB])).toBe(`${JOB}\n[redacted]`);
  });
});

describe('other shapes of secrets go', () => {
  test.each([
    [
      'a JSON web token',
      `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27u`,
      /eyJ|dBjf/,
    ],
    ['a short one', 'it was eyJhIjoxfQ.eyJiIjoyfQ.c2ln there', /eyJ|c2ln/],
    ['one without a signature', 'eyJhIjoxfQ.eyJiIjoyfQ.', /eyJ/],
    ['one over lines', 'eyJhIjox\n  fQ.eyJiIj\n  oyfQ.c2ln', /eyJ|oyfQ|c2ln/],
    ['hex in pairs', 'key 5a:78:38:6b:32:2d:5f:51:77 of it', /5a:78|51:77/],
    ['hex in pairs over lines', 'key 5a:78:38:6b:\n    32:2d:5f:51:\n    77', /5a:78|32:2d/],
    ['hex in pairs with blanks', 'key 5a 78 38 6b 32 2d 5f 51 of it', /5a 78/],
    ['bytes as a shell writes them', String.raw`\x5a\x78\x38\x6b\x32\x2d\x5f`, /x5a/],
    ['a password in an address', 'at postgres://signon:hunter2@db:5432/signon now', /hunter2/],
    ['one with an @ in it', 'https://me:hunt@er2@example.org/', /hunt|er2/],
    ['one with a slash in it', 'redis://:hun/ter2@cache:6379', /hun|ter2/],
    ['a user alone, which may be a token', 'https://hunter2@example.org/path', /hunter2/],
  ])('%s', (_, text, gone) => {
    expect(redact(text)).not.toMatch(gone);
  });

  test('the host of an address stays, and what has no password stays whole', () => {
    expect(redact('at postgres://u:p@db:5432/signon now')).toBe(
      'at postgres://[redacted]@db:5432/signon now',
    );
    const plain = 'GET https://signon.example.org:8443/users?page=2 by ada@example.org';
    expect(redact(plain)).toBe(plain);
  });
});

test.each([
  'Starting sync\nReading tokens\n62 tokens of 33 applications\nDone in 12ms',
  'Deployment\nReplicaSet\nStatefulSet\nDaemonSet\nCronJob\nConfigMap',
  'authentication\nauthorisation\nconfiguration\nsynchronisation',
  'PublishingApi\nEmailAlertApi\nLinkCheckerApi\nAssetManager',
  'status=200\nretries=3\nduration=12ms\nexit=1',
  'publishing-api\nemail-alert-api\nlink-checker-api\nasset-manager',
  'app/models/user\napp/models/token\nlib/tasks/sync',
  "/app/lib/sync.rb:12:in `sync': undefined method (NoMethodError)\n\tfrom /app/lib/run.rb:4:in `<main>'",
  '2026-11-24 01:07:12.345 INFO Writing\n2026-11-24 01:07:13.001 INFO Written',
  'from 10.0.0.12 at 00:1b:44:11:3a:b7, version 1.24.0, p50 12 15 18 22 30 41 55 ms',
])('ordinary lines stay as they are: %j', (text) => {
  expect(redact(text)).toBe(text);
});

test('a text as long as a log takes no time to speak of, whatever is in it', () => {
  const hard = [
    'x://',
    'x:@',
    'a-',
    'a\n',
    'A-A1a_',
    'eyJ\n',
    'a.',
    'x:',
    '://',
    'a:b',
    ' \n',
    '\\',
    '5a:',
    '\u001b]',
  ];
  for (const one of hard) {
    const began = performance.now();
    redact(one.repeat(100_000 / one.length));
    expect(performance.now() - began).toBeLessThan(2000);
  }
});
