import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import type { ClusterLook } from '../../domain/cluster/cluster.ts';
import { planFor, type Plan } from '../../domain/rotation/plan.ts';
import { newestOf, outlives, startOfDay, type ListedToken } from '../../domain/tokens/tokens.ts';
import {
  aContainer,
  aLook,
  aRequest,
  aStartingContainer,
  aToken,
  NEW,
  NOW,
  OLD,
  SETTINGS,
  somePairsTokens,
} from '../support/builders.ts';

const pair = {
  apiUser: {
    id: 7,
    name: 'Short url manager',
    email: 'short-url-manager@alphagov.co.uk',
    suspended: false,
  },
  application: { id: 3, name: 'Publishing API' },
  secret: 'signon-token-short-url-manager-publishing-api',
};

/**
 * The plan for a pair, at a time when its only container holds the old token unless told otherwise.
 */
function plan(
  tokens: ListedToken[],
  given: {
    look?: ClusterLook;
    force?: boolean;
    now?: number;
    window?: typeof SETTINGS.window;
  } = {},
): Plan {
  const { look = aLook([aContainer(OLD)]), force, now = NOW, window = SETTINGS.window } = given;
  const settings = { ...SETTINGS, window };
  return planFor({ settings, pair, tokens, look }, aRequest({ force }), now);
}

describe('a pair without any listed token', () => {
  test.each([undefined, true])('never gets one (force: %p), and the end says so', (force) => {
    expect(plan([], { force })).toEqual({
      kind: 'stop',
      outcome: 'nothing-to-do',
      why: expect.stringMatching(/no token/),
    });
  });
});

test('the only live token is not proven where a container that cannot be asked started before another got it', () => {
  const unable = 'has neither a shell with sha256sum nor Ruby';
  const mute = (startedAt: string) => [aContainer(NEW, { token: undefined, unable, startedAt })];
  const look = (startedAt: string) => aLook([aContainer(NEW)], { mute: mute(startedAt) });
  expect(plan([NEW], { look: look('2026-07-31T23:59:59Z') })).toEqual({
    kind: 'adopt',
    token: NEW,
  });
  expect(plan([NEW], { look: look('2026-08-01T00:00:00Z') })).toMatchObject({
    outcome: 'nothing-to-do',
  });
});

describe('another token is issued', () => {
  test('where the longest-lived one is inside the window', () => {
    expect(plan([OLD])).toEqual({ kind: 'issue' });
  });

  test('where every listed token has ended: access was there', () => {
    expect(plan([aToken(99, { expires: '2026-08-01' })])).toEqual({ kind: 'issue' });
  });

  test('where force asks for it, however long the newest lives and whoever holds it', () => {
    expect(plan([NEW], { force: true, look: aLook([aContainer(NEW)]) })).toEqual({ kind: 'issue' });
  });

  test('from the moment the newest has no more than the window left, counted to 00:00 of its last day', () => {
    const edge = startOfDay(OLD.expires) - 14 * 86_400_000;
    expect(plan([aToken(100, { expires: '2026-09-09' }), OLD], { now: edge - 1 })).toMatchObject({
      kind: 'adopt',
    });
    expect(plan([aToken(100, { expires: '2026-09-09' }), OLD], { now: edge + 1 })).toEqual({
      kind: 'issue',
    });
  });

  test('by the window that the settings say', () => {
    const pairs = [aToken(100, { expires: '2026-09-09' }), OLD];
    expect(plan(pairs, { window: '7 days' })).toEqual({ kind: 'adopt', token: OLD });
    expect(plan([NEW], { window: '800 days' })).toEqual({ kind: 'issue' });
  });
});

describe('a newest token that outlives the window', () => {
  test('is adopted while an older one lives, though every container holds the new one', () => {
    expect(plan([OLD, NEW])).toEqual({ kind: 'adopt', token: NEW });
    expect(plan([OLD, NEW], { look: aLook([aContainer(NEW)]) })).toEqual({
      kind: 'adopt',
      token: NEW,
    });
  });

  test('is adopted while a running container holds another, or one has yet to start', () => {
    expect(plan([NEW])).toEqual({ kind: 'adopt', token: NEW });
    const look = aLook([aContainer(NEW), aStartingContainer()]);
    expect(plan([NEW], { look })).toEqual({ kind: 'adopt', token: NEW });
  });

  test('leaves nothing to do where it alone is live and every running container holds it', () => {
    const ended = aToken(99, { expires: '2026-08-01' });
    expect(plan([ended, NEW], { look: aLook([aContainer(NEW)]) })).toMatchObject({
      kind: 'stop',
      outcome: 'nothing-to-do',
      why: expect.stringContaining(NEW.expires),
    });
  });
});

test('whatever is listed: no access from nothing, no adoption under force, and only the newest is adopted', () => {
  fc.assert(
    fc.property(somePairsTokens, fc.boolean(), fc.boolean(), (tokens, force, runs) => {
      const decided = plan(tokens, { force, look: aLook(runs ? [aContainer(OLD)] : []) });
      expect(decided.kind === 'issue' && tokens.length === 0).toBe(false);
      expect(decided.kind === 'adopt' && force).toBe(false);
      const newest = newestOf(tokens);
      expect(decided.kind === 'adopt' ? decided.token : newest).toBe(newest);
      expect(decided.kind === 'issue').toBe(
        newest !== undefined && (force || !outlives(newest, NOW, SETTINGS.window)),
      );
    }),
  );
});
