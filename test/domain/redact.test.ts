import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { redact } from '../../domain/redact.ts';

const JOB = 'signon-sync-token-secrets-to-k8s-29000000';
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
    fc.constantFrom('Bearer ', 'bearer_token: "', 'TOKEN=', JOB, `${JOB}: `, '\n', '"', '\\n', 'x', '=', '…'),
  );

  test('never leaves 20 characters of itself, wherever it is cut and whatever it is embedded in', () => {
    const cut = fc.tuple(aTokenValue, fc.integer({ min: 0, max: 23 }), fc.integer({ min: 20, max: 43 }));
    fc.assert(
      fc.property(around, cut, around, (before, [whole, from, length], after) => {
        const piece = whole.slice(from, from + length);
        const left = redact(before + piece + after, [JOB]);
        for (let at = 0; at + 20 <= piece.length; at++) expect(left).not.toContain(piece.slice(at, at + 20));
      }),
    );
  });

  test('leaves no run of 20 or more base64 or base64url characters but the names that may stay', () => {
    const word = fc.string({ unit: fc.constantFrom(...BASE64URL, '+', '/', '='), minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.array(fc.oneof(around, aTokenValue, word), { maxLength: 8 }), fc.string(), (pieces, glue) => {
        const runs = redact(pieces.join(glue), [JOB]).match(/[A-Za-z0-9+/_=-]{20,}/g) ?? [];
        expect(runs.filter((run) => run !== JOB)).toEqual([]);
      }),
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
    expect(redact(JSON.stringify(JSON.stringify({ bearer_token: 's3cr3t' })))).not.toContain('s3cr3t');
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
