import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import {
  DECISIONS,
  shapeApprove,
  shapeClassify,
  shapeRefusal,
  shapeRetry,
  type Shaped,
} from '../../domain/evidence/decisions.ts';

const by = 'grace@example.org';
const evidence = '0a1b2c3d';
const shapes = { approve: shapeApprove, refusal: shapeRefusal, retry: shapeRetry };
const whyOf = (shaped: Shaped<unknown>): string => (shaped.ok ? '' : shaped.why);

describe.each(Object.entries(shapes))('what comes as %s', (_, shape) => {
  test.each([undefined, null, 7, 'grace', [], [{ by }]])(
    'is refused where it is no JSON object: %p',
    (input) => {
      expect(shape(input)).toEqual({ ok: false, why: expect.stringMatching(/one JSON object/) });
    },
  );

  test('is refused where its sender is no name', () => {
    for (const missing of ['', '  ', 7, 'x'.repeat(255)])
      expect(whyOf(shape({ by: missing, evidence, reason: 'x' }))).not.toBe('');
    expect(whyOf(shape({ by: '' }))).toBe('by: expected your name or e-mail address, got nothing');
  });

  test('may be a text that holds the JSON, as a form sends that quotes what is pasted', () => {
    expect(shape(JSON.stringify({ by, evidence, reason: 'x' }))).toEqual(
      shape({ by, evidence, reason: 'x' }),
    );
    expect(shape(' {"by": "grace@example.org"} ')).toEqual(shape({ by }));
  });

  test('is refused where it has a field nobody knows, naming it', () => {
    expect(whyOf(shape({ by, approved: true }))).toMatch(/^approved: unknown field/);
    expect(whyOf(shape(JSON.parse(`{"by": "${by}", "__proto__": {}}`)))).toMatch(
      /^__proto__: unknown field/,
    );
  });

  test('may be any JSON at all: it is taken unchanged or refused with a reason, and nothing is thrown', () => {
    const field = fc.constantFrom('by', 'evidence', 'revoke', 'accept', 'reason');
    const almost = fc.dictionary(
      field,
      fc.oneof(fc.jsonValue(), fc.string(), fc.array(fc.integer())),
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), almost), (input) => {
        const shaped = shape(input);
        expect(shaped).toEqual(
          shaped.ok ? { ok: true, value: input } : { ok: false, why: shaped.why },
        );
        expect(shaped.ok).toBe(whyOf(shaped) === '');
      }),
    );
  });

  test('is refused without a word of the values sent', () => {
    const value = 'a-value-nobody-should-repeat';
    for (const given of [
      { by: [value] },
      { by, evidence: [value] },
      { by, accept: value },
      { by, revoke: [value] },
    ])
      expect(whyOf(shape(given))).not.toContain(value);
  });
});

test('a retry, a refusal and a classification say who sends them', () => {
  expect(whyOf(shapeRetry({}))).toMatch(/^by: expected/);
  expect(whyOf(shapeRefusal({ reason: 'x' }))).toMatch(/^by: expected/);
  expect(whyOf(shapeClassify({ as: 'disused' }))).toMatch(/^by: expected/);
});

describe('an approval', () => {
  test('may leave its sender to the server, and may be a bare code', () => {
    expect(shapeApprove({ evidence })).toEqual({ ok: true, value: { evidence } });
    expect(shapeApprove(` ${evidence} `)).toEqual({ ok: true, value: { evidence } });
    expect(shapeApprove(`"${evidence}"`)).toMatchObject({ ok: false });
  });

  test('has a sender and a code, and may name tokens and what it accepts', () => {
    for (const given of [
      {},
      { revoke: [812, 813] },
      { revoke: [], accept: ['not-smoke-tested', 'no-pod-seen'] },
    ])
      expect(shapeApprove({ by, evidence, ...given })).toEqual({
        ok: true,
        value: { by, evidence, ...given },
      });
  });

  test('without a code is refused', () => {
    expect(whyOf(shapeApprove({ by }))).toMatch(/^evidence:/);
    expect(whyOf(shapeApprove({ by, evidence: 12345678 }))).toMatch(/^evidence:/);
  });

  test.each([812, '812', ['812'], [8.5], [null], [Number.MAX_SAFE_INTEGER + 1], { 0: 812 }])(
    'names authorisation ids as whole numbers in a list, not as %p',
    (revoke) => {
      expect(whyOf(shapeApprove({ by, evidence, revoke }))).toMatch(/^revoke: expected/);
    },
  );

  test.each([
    'not-smoke-tested',
    ['smoke-failed'],
    ['failed'],
    ['unlisted-token'],
    ['no-pod-seen', 'everything'],
    [['no-pod-seen']],
    true,
  ])('never accepts %p: a failed smoke call has no name', (accept) => {
    expect(whyOf(shapeApprove({ by, evidence, accept }))).toMatch(/^accept: expected/);
  });
});

describe('a refusal', () => {
  test('has a sender and a reason', () => {
    expect(shapeRefusal({ by, reason: 'not today' })).toEqual({
      ok: true,
      value: { by, reason: 'not today' },
    });
    expect(whyOf(shapeRefusal({ by }))).toMatch(/^reason:/);
    expect(whyOf(shapeRefusal({ by, reason: ' ' }))).toMatch(/^reason:/);
  });
});

describe('a retry', () => {
  test('has a sender, and may accept a token that Signon does not list', () => {
    for (const given of [{}, { accept: [] }, { accept: ['unlisted-token'] }])
      expect(shapeRetry({ by, ...given })).toEqual({ ok: true, value: { by, ...given } });
  });

  test.each(['unlisted-token', ['not-smoke-tested'], ['unlisted-token', 'wrong-environment']])(
    'accepts nothing else: %p',
    (accept) => {
      expect(whyOf(shapeRetry({ by, accept }))).toMatch(/^accept: expected/);
    },
  );
});

describe('a classification', () => {
  const classes = {
    external: { recipient: 'fastly' },
    disused: {},
    internal: { workload: 'Deployment/frontend', container: 'app', variable: 'SOME_BEARER_TOKEN' },
  };

  test.each(Object.entries(classes))(
    'as %s is taken with what that class asks for, and nothing less',
    (as, fields) => {
      const whole: Record<string, unknown> = { by, as, ...fields };
      expect(shapeClassify(whole)).toEqual({ ok: true, value: whole });
      for (const missing of ['by', ...Object.keys(fields)])
        for (const value of [undefined, '', '  ', 7, ['x'], 'x'.repeat(255)])
          expect(whyOf(shapeClassify({ ...whole, [missing]: value }))).toMatch(
            new RegExp(`^${missing}: expected`),
          );
    },
  );

  test.each(Object.entries(classes))(
    'as %s is refused with a field that the class has not',
    (as, fields) => {
      const foreign = [
        'recipient',
        'workload',
        'container',
        'variable',
        'evidence',
        'revoke',
        'key',
      ];
      for (const field of foreign.filter((name) => !Object.hasOwn(fields, name)))
        expect(whyOf(shapeClassify({ by, as, ...fields, [field]: 'x' }))).toMatch(
          new RegExp(`^${field}: unknown field, expected by, as`),
        );
    },
  );

  test.each([
    'constructor',
    'toString',
    'hasOwnProperty',
    '__proto__',
    'prototype',
    'External',
    'external ',
    '',
    ['external'],
    { external: true },
    null,
    7,
    undefined,
  ])('is refused as %p, naming the classes there are', (as) => {
    const given = { by, as, recipient: 'fastly' };
    expect(shapeClassify(given)).toEqual({
      ok: false,
      why: 'as: expected one of external, disused, internal',
    });
  });

  test.each([undefined, null, 7, 'disused', [], [{ by, as: 'disused' }]])(
    'is refused where it is no JSON object: %p',
    (input) => {
      expect(shapeClassify(input).ok).toBe(false);
    },
  );

  test('is refused where a field hides in the prototype’s name', () => {
    const hidden: unknown = JSON.parse(
      `{"by": "${by}", "as": "disused", "__proto__": {"recipient": "fastly"}}`,
    );
    expect(whyOf(shapeClassify(hidden))).toMatch(/^__proto__: unknown field/);
    const inherited: unknown = JSON.parse(`{"by": "${by}", "__proto__": {"as": "disused"}}`);
    expect(whyOf(shapeClassify(inherited))).toMatch(/^as: expected/);
  });

  test('may be any JSON at all: it is taken unchanged or refused with a reason, and nothing is thrown', () => {
    const field = fc.constantFrom(
      'by',
      'as',
      'recipient',
      'workload',
      'container',
      'variable',
      'constructor',
    );
    const value = fc.oneof(
      fc.constantFrom('external', 'disused', 'internal', 'constructor'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(field, value)), (input) => {
        const shaped = shapeClassify(input);
        expect(shaped).toEqual(
          shaped.ok ? { ok: true, value: input } : { ok: false, why: shaped.why },
        );
        const named = shaped.ok
          ? Object.keys(classes).includes(shaped.value.as)
          : shaped.why !== '';
        expect(named).toBe(true);
      }),
    );
  });
});

describe.each(Object.entries(DECISIONS))('the form of %s', (name, { shape, description }) => {
  test('shows an example that would be taken', () => {
    const example: unknown = JSON.parse(description.slice(description.indexOf('{')));
    expect(shape(example)).toEqual({ ok: true, value: example });
  });

  test('asks who sends it, and refuses what is no JSON object', () => {
    expect(description).toContain('"by"');
    for (const input of [undefined, null, name, [], 7]) expect(shape(input).ok).toBe(false);
  });

  test('refuses a field that nobody knows', () => {
    const example = JSON.parse(description.slice(description.indexOf('{'))) as object;
    expect(whyOf(shape({ ...example, surprise: 'x' }))).toMatch(/^surprise: unknown field/);
  });
});

test('five decisions can be sent', () => {
  expect(Object.keys(DECISIONS)).toEqual(['approve', 'reject', 'retry', 'abort', 'classify']);
});

test.each([
  ['variable', '-e$stderr.puts(1)'],
  ['variable', 'A B'],
  ['variable', ''],
  ['container', '--help'],
  ['container', 'app/../x'],
  ['workload', 'legacy'],
  ['workload', 'Secret/legacy'],
])(
  'a classification whose %s is %p is misshapen: it would be an argument of a program in a container',
  (field, value) => {
    const said = {
      by: 'ada',
      as: 'internal',
      workload: 'Deployment/legacy',
      container: 'app',
      variable: 'A_BEARER_TOKEN',
    };
    expect(shapeClassify(said)).toMatchObject({ ok: true });
    expect(shapeClassify({ ...said, [field]: value })).toMatchObject({
      ok: false,
      why: expect.stringContaining(field),
    });
  },
);
