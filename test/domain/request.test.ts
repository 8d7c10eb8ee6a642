import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { parseRequest, rotationId, taskQueueOf } from '../../domain/request/request.ts';
import { aRequest, retyped } from '../support/builders.ts';

const problemsOf = (input: unknown): string[] => {
  const parsed = parseRequest(input);
  return parsed.ok ? [] : parsed.problems;
};

describe('a request', () => {
  test('as the alert gives it is taken as it is', () => {
    expect(parseRequest(aRequest())).toEqual({ ok: true, request: aRequest() });
  });

  test('may come as a person types it: blanks, capitals and a display name', () => {
    const typed = {
      environment: 'production',
      apiUser: ' Short-URL-Manager@alphagov.co.uk ',
      application: ' Signon API Client (permissions) ',
      requestedBy: ' Ada ',
      reason: ' leaked ',
      force: true,
      recipient: ' hmrc ',
    };
    expect(parseRequest(typed)).toEqual({
      ok: true,
      request: {
        environment: 'production',
        apiUser: 'short-url-manager@alphagov.co.uk',
        application: 'signon-api-client-permissions',
        requestedBy: 'Ada',
        reason: 'leaked',
        force: true,
        recipient: 'hmrc',
      },
    });
  });

  test.each(['environment', 'apiUser', 'application', 'requestedBy'])(
    'without %s is refused, naming it',
    (field) => {
      const { [field as 'apiUser']: _, ...rest } = aRequest();
      expect(problemsOf(rest)).toEqual([expect.stringMatching(`^${field}:`)]);
    },
  );

  test.each([
    ['environment', 'Production'],
    ['environment', 'test'],
    ['environment', ['production']],
    ['apiUser', 'short-url-manager'],
    ['apiUser', 'a@b/c'],
    ['apiUser', 'a b@c'],
    ['apiUser', `${'a'.repeat(250)}@example.org`],
    ['application', '(–)'],
    ['application', 7],
    ['requestedBy', '   '],
    ['requestedBy', null],
    ['reason', 'x'.repeat(255)],
    ['force', 'true'],
    ['force', null],
    ['recipient', { key: 'age1…' }],
  ])('whose %s is %p is refused, naming the field', (field, value) => {
    const problems = problemsOf({ ...aRequest(), [field]: value });
    expect(problems).toEqual([expect.stringMatching(`^${field}: expected`)]);
  });

  test('with several wrong fields names every one of them', () => {
    const problems = problemsOf({
      environment: 'x',
      apiUser: 'x',
      application: '',
      requestedBy: 1,
      force: 1,
      extra: 1,
    });
    for (const field of ['environment', 'apiUser', 'application', 'requestedBy', 'force', 'extra'])
      expect(problems.filter((problem) => problem.startsWith(`${field}:`))).toHaveLength(1);
  });

  test('with thousands of unknown fields names the first twenty', () => {
    const strangers = Object.fromEntries(
      Array.from({ length: 25_000 }, (_, at) => [`field${at}`, at]),
    );
    const problems = problemsOf({ ...aRequest(), ...strangers });
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('and 24980 more');
  });

  test('with a misspelt field is refused, and told the right name', () => {
    expect(problemsOf({ ...aRequest(), forced: true })).toEqual([
      'forced: unknown field, did you mean force?',
    ]);
    expect(problemsOf({ ...aRequest(), api_user: 'x' })).toEqual([
      'api_user: unknown field, did you mean apiUser?',
    ]);
    expect(problemsOf({ ...aRequest(), somethingElse: 1 })).toEqual([
      expect.stringMatching(/^somethingElse: unknown field, expected environment, apiUser, /),
    ]);
  });

  test('is refused with the value that was sent, an example of a right one, and nothing secret', () => {
    expect(
      problemsOf({ ...aRequest(), apiUser: 'short-url-manager', force: 'yes', reason: ['x'] }),
    ).toEqual([
      'apiUser: expected an e-mail address, e.g. short-url-manager@alphagov.co.uk, got “short-url-manager”',
      'reason: expected a text of at most 254 characters, got a list',
      'force: expected true or false, got “yes”',
    ]);
    const token = 'LptXZKKy0123456789_-abcdefghijklmnobjuHR3Yc';
    for (const pasted of [
      token,
      `Bearer ${token}`,
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLWlzLWhlcmU',
    ])
      expect(problemsOf({ ...aRequest(), apiUser: pasted }).join()).not.toContain(
        pasted.slice(-20),
      );
    const [long] = problemsOf({ ...aRequest(), apiUser: 'no address '.repeat(100) });
    expect(long!.length).toBeLessThan(150);
  });

  test('that carries a recipient’s key is refused', () => {
    expect(problemsOf({ ...aRequest(), recipientKey: 'age1…' })).toHaveLength(1);
  });

  test('may be any JSON at all: it is taken or refused with a reason, and nothing is thrown', () => {
    const field = fc.constantFrom(
      'environment',
      'apiUser',
      'application',
      'requestedBy',
      'force',
      '__proto__',
    );
    const almost = fc.dictionary(
      fc.oneof(field, fc.string()),
      fc.oneof(fc.jsonValue(), fc.constant('production')),
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), almost), (input) => {
        const parsed = parseRequest(JSON.parse(JSON.stringify(input)));
        expect(parsed.ok || parsed.problems.length > 0).toBe(true);
      }),
    );
  });
});

describe('the id of a rotation', () => {
  test('is the pair’s lock, spelt out', () => {
    expect(rotationId(aRequest())).toBe(
      'rotate-token/integration/short-url-manager@alphagov.co.uk/publishing-api',
    );
  });

  test('is one and the same however the pair is typed, and after its request was parsed again', () => {
    fc.assert(
      fc.property(
        retyped('short-url-manager@alphagov.co.uk'),
        retyped('Publishing API'),
        (apiUser, application) => {
          const typed = aRequest({ apiUser, application });
          const once = parseRequest(typed);
          const twice = parseRequest(once.ok ? once.request : undefined);
          expect(rotationId(typed)).toBe(rotationId(aRequest()));
          expect(once).toMatchObject({ ok: true });
          expect(twice).toEqual(once);
          expect(rotationId(once.ok ? once.request : typed)).toBe(rotationId(aRequest()));
        },
      ),
    );
  });

  test('differs between environments, API users and applications', () => {
    const pair = { apiUser: 'a@example.org', application: 'b' };
    const ids = [
      rotationId(aRequest(pair)),
      rotationId(aRequest({ ...pair, environment: 'production' })),
      rotationId(aRequest({ ...pair, apiUser: 'b@example.org' })),
      rotationId(aRequest({ ...pair, application: 'a' })),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('of an accepted request has four parts: no field can reach into another', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '/', '@', '.', ' ', '–') });
    fc.assert(
      fc.property(part, part, (apiUser, application) => {
        const parsed = parseRequest(aRequest({ apiUser, application }));
        const id = parsed.ok ? rotationId(parsed.request) : 'no/id/at/all';
        expect(id.split('/')).toHaveLength(4);
        expect(parsed.ok).toBe(
          /^[^\s@/]+@[^\s@/]+$/.test(apiUser.trim()) && application.includes('a'),
        );
      }),
    );
  });
});

test('each environment has a task queue of its own', () => {
  expect(taskQueueOf('production')).toBe('signon-rotation-production');
  expect(taskQueueOf('integration')).toBe('signon-rotation-integration');
});
