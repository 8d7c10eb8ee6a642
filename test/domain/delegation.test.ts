import { expect, test } from '../support/jest.ts';
import { parseDelegation } from '../../domain/evidence/index.ts';

const STARTER = { identity: 'ada@example.org', principal: 'user:ada', schedule: 'nightly' };
const RUN = { workflowId: 'rotate-token/x', runId: 'run-1' };

test('a delegation is read as it was handed over', () => {
  expect(parseDelegation({ ...RUN, starter: STARTER })).toEqual({ ...RUN, starter: STARTER });
  expect(parseDelegation({ ...RUN, starter: { identity: '' } })).toEqual({
    ...RUN,
    starter: { identity: '' },
  });
});

test.each([
  ['nothing', undefined],
  ['a text', 'ada@example.org'],
  ['a run without a starter', RUN],
  ['a starter that is no object', { ...RUN, starter: 'ada' }],
  ['an identity of 2 MB', { ...RUN, starter: { identity: 'x'.repeat(2_000_000) } }],
  ['an id of 2 MB', { ...RUN, workflowId: 'x'.repeat(2_000_000), starter: STARTER }],
])('%s is no delegation', (_what, given) => {
  expect(parseDelegation(given)).toBeUndefined();
});

test('fields that nobody knows are left out, of whatever size', () => {
  const more = { extra: 'x'.repeat(2_000_000) };
  expect(parseDelegation({ ...RUN, ...more, starter: { ...STARTER, ...more } })).toEqual({
    ...RUN,
    starter: STARTER,
  });
});
