import { expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { anyCharacter } from '../support/any-character.ts';
import { parseCarriedSweep } from '../../domain/sweep/carried-sweep.ts';
import { parseRequest } from '../../domain/request/request.ts';
import { parseApiUserRequest } from '../../domain/sweep/api-user-request.ts';
import { parseSweepRequest } from '../../domain/sweep/sweep-request.ts';

test('whoever may ask for a sweep may ask for each of its rotations, and nobody else', () => {
  const names = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 300 }),
    fc.constantFrom('ada', ' ', 'a\u0007', 'a\nb', '\ud800', 'x'.repeat(255)),
  );
  const pair = { apiUser: 'a@example.org', application: 'publishing-api' };
  fc.assert(
    fc.property(names, (requestedBy) => {
      const asked = { environment: 'integration', requestedBy };
      expect(parseSweepRequest(asked).ok).toBe(parseRequest({ ...asked, ...pair }).ok);
    }),
  );
});

test('whatever is handed on to a sweep is read or ignored, never thrown at', () => {
  const rows = [
    { apiUser: 'a@example.org', application: 'publishing-api', state: 'to come', what: 'x' },
  ];
  const carried = { rows, settings: { sweep: { maxConcurrent: 1 } }, endsAt: 1 };
  expect(parseCarriedSweep(carried)).toBe(carried);
  for (const wrong of [
    { rows: [null] },
    { rows: [{}] },
    { settings: {} },
    { endsAt: 'x' },
    { pausedBy: 7 },
  ])
    expect(parseCarriedSweep({ ...carried, ...wrong })).toBeUndefined();
  fc.assert(
    fc.property(fc.anything(), (input) => expect(parseCarriedSweep(input)).toBeUndefined()),
  );
});

test.each([
  [{}, { ok: true }],
  [
    { applications: ['Publishing API', 'publishing-api'] },
    { ok: true, request: { applications: ['publishing-api'] } },
  ],
  [{ applications: [] }, { ok: true }],
  [
    { applications: 'publishing-api' },
    { problems: [expect.stringMatching(/^applications: expected a list/)] },
  ],
  [{ applications: ['!'] }, { problems: [expect.stringMatching(/^application: expected/)] }],
  [{ reason: ' ' }, { problems: [expect.stringMatching(/^reason: expected why/)] }],
  [
    { apiUser: 'nobody' },
    { problems: [expect.stringMatching(/^apiUser: expected an e-mail address/)] },
  ],
  [
    { force: true },
    { problems: [expect.stringMatching(/^force: unknown field, expected environment, apiUser/)] },
  ],
])(
  'a request for all tokens of an API user follows the rules of a rotation’s: %j',
  (given, expected) => {
    const request = {
      environment: 'integration',
      apiUser: 'a@b.uk',
      requestedBy: 'ada@example.org',
      reason: 'a leak',
    };
    expect(parseApiUserRequest({ ...request, ...given })).toMatchObject(expected);
  },
);
