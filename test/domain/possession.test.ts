import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import type { Census, ConsumingContainer } from '../../domain/cluster/cluster.ts';
import {
  allHold,
  describeOthers,
  disagreements,
  holds,
  isHolder,
  judgeRollout,
  unseenConsumers,
} from '../../domain/cluster/possession.ts';
import { tokenOf } from '../../domain/tokens/tokens.ts';
import {
  aCensus,
  aContainer,
  aLook,
  APP,
  aStartingContainer,
  aToken,
  NEW,
  OLD,
  piecesOf,
  TWIN,
} from '../support/builders.ts';

const SYNCED = '2026-09-01T12:00:00Z';
const issued = { ...NEW, sha256: 'a'.repeat(64) };

describe('a container', () => {
  test('holds a token this rotation issued only if the whole digest is the same', () => {
    expect(tokenOf(piecesOf(issued), [OLD, issued])).toBe(issued);
    expect(tokenOf(piecesOf({ ...NEW, sha256: 'b'.repeat(64) }), [OLD, issued])).toBeUndefined();
  });

  test('holds an adopted token if the masked value’s digest is the same', () => {
    expect(tokenOf(piecesOf(NEW), [OLD, NEW])).toBe(NEW);
    expect(holds(aContainer(NEW), NEW)).toBe(true);
    expect(holds(aContainer(OLD), NEW)).toBe(false);
  });

  test('that nobody asked holds nothing', () => {
    expect(holds(aStartingContainer(), NEW)).toBe(false);
  });
});

describe('a rollout', () => {
  test('is done when every running container holds the new token', () => {
    const look = aLook([
      aContainer(NEW),
      aContainer(NEW, TWIN),
      aContainer(OLD, { state: 'ended' }),
    ]);
    expect(judgeRollout(look, NEW, SYNCED)).toEqual({ kind: 'held' });
    expect(allHold(look, NEW)).toBe(true);
  });

  test('waits for a container that started after the sync with another token from elsewhere than the Secret: no sync changes that', () => {
    const copy = aContainer(OLD, {
      startedAt: '2026-09-01T12:00:01Z',
      from: 'Secret legacy, key token',
    });
    expect(judgeRollout(aLook([copy]), NEW, SYNCED)).toEqual({
      kind: 'incomplete',
      containers: [copy],
    });
    expect(describeOthers([copy], [OLD])).toMatch(
      /\(authorisation 101\), from Secret legacy, key token$/,
    );
  });

  test('waits for a pod that is being deleted and still holds the old token', () => {
    const leaving = aContainer(OLD, { terminating: true });
    expect(judgeRollout(aLook([aContainer(NEW), leaving]), NEW, SYNCED)).toEqual({
      kind: 'incomplete',
      containers: [leaving],
    });
  });

  test('waits for a container that cannot be asked, and started before the Secret is known to hold the new token', () => {
    const unable = 'has neither a shell with sha256sum nor Ruby';
    const startedAt = (time: string) =>
      aContainer(OLD, { ...TWIN, token: undefined, unable, startedAt: `2026-09-01T${time}Z` });
    const shown = aContainer(NEW, { startedAt: '2026-09-01T11:30:00Z' });
    const [old, fresh] = [startedAt('11:29:59'), startedAt('11:30:00')];
    const judge = (containers: ConsumingContainer[], synced?: string, madeAfter?: string) =>
      judgeRollout(aLook(containers, { mute: [old, fresh] }), NEW, synced, synced, madeAfter);
    // A running container got it from the Secret before the sync had ended.
    expect(judge([shown], SYNCED)).toEqual({ kind: 'incomplete', containers: [old] });
    expect(judge([shown])).toEqual({ kind: 'incomplete', containers: [old] });
    // What has a copy tells nothing of the Secret; nor does anything else here.
    const both = { kind: 'incomplete', containers: [old, fresh] };
    expect(judge([{ ...shown, from: 'Secret legacy' }])).toEqual(both);
    expect(judge([], SYNCED)).toEqual(both);
    // It was known before, by a container that has been replaced since.
    expect(judge([], undefined, '2026-09-01T11:29:00Z')).toEqual({ kind: 'held' });
    expect(describeOthers([old], [OLD, NEW])).toBe(
      'worker in short-url-manager-1 may have started before the Secret held the new token, and has neither a shell with sha256sum nor Ruby',
    );
  });

  test('waits for a container that is about to start, unless its pod is being deleted', () => {
    const starting = aStartingContainer();
    expect(judgeRollout(aLook([aContainer(NEW), starting]), NEW, SYNCED)).toEqual({
      kind: 'incomplete',
      containers: [starting],
    });
    const leaving = aStartingContainer({ terminating: true });
    expect(judgeRollout(aLook([aContainer(NEW), leaving]), NEW, SYNCED)).toEqual({ kind: 'held' });
  });

  describe('where a container started after the Secret was updated and holds its old value, which its node had kept', () => {
    const fresh = aContainer(NEW, { ...TWIN, startedAt: '2026-09-01T12:00:01Z' });
    const stale = aContainer(OLD, { startedAt: '2026-09-01T12:00:02Z' });
    const at = (time: string, ...containers: ConsumingContainer[]) =>
      aLook(containers, { at: `2026-09-01T${time}Z` });

    test('names it, once nothing is about to replace it', () => {
      expect(judgeRollout(at('12:01:02', fresh, stale), NEW, SYNCED)).toEqual({
        kind: 'stale',
        containers: [stale],
      });
    });

    test('waits while it may be replaced: just started, about to end, or another of its workload about to start', () => {
      const leaving = { ...stale, terminating: true };
      for (const look of [
        at('12:00:30', fresh, stale),
        at('12:05:00', fresh, leaving),
        at('12:05:00', fresh, stale, aStartingContainer()),
        at('12:05:00', fresh, stale, aContainer(NEW, { pod: 'next', ready: false })),
      ])
        expect(judgeRollout(look, NEW, SYNCED).kind).toBe('incomplete');
    });

    test('names it after a second sync too, though nothing else tells that the Secret was updated', () => {
      const second = '2026-09-01T12:03:00Z';
      expect(judgeRollout(at('12:05:00', stale), NEW, second, SYNCED)).toEqual({
        kind: 'stale',
        containers: [stale],
      });
      expect(judgeRollout(at('12:05:00', stale), NEW, second).kind).toBe('incomplete');
      // Reloader has a minute from that sync on.
      expect(judgeRollout(at('12:03:59', stale), NEW, second, SYNCED).kind).toBe('incomplete');
    });
  });

  test('shows that the Secret was not updated by a container started after the sync with another token', () => {
    const late = aContainer(OLD, { startedAt: '2026-09-01T12:00:01Z' });
    const earlier = aContainer(OLD, { startedAt: '2026-09-01T11:00:00Z' });
    expect(judgeRollout(aLook([earlier, late]), NEW, SYNCED)).toEqual({
      kind: 'not-updated',
      containers: [late],
    });
  });

  test('proves nothing about the Secret by a container started in the very second the sync ended, or where none ran', () => {
    const same = aContainer(OLD, { startedAt: '2026-09-01T12:00:00Z' });
    const late = aContainer(OLD, { startedAt: '2026-09-01T12:00:01Z' });
    expect(judgeRollout(aLook([same]), NEW, SYNCED)).toMatchObject({ kind: 'incomplete' });
    expect(judgeRollout(aLook([late]), NEW, undefined)).toMatchObject({ kind: 'incomplete' });
  });

  test('is never done while any running container holds another token', () => {
    const container = fc
      .record({
        token: fc.constantFrom(NEW, OLD, aToken(900)),
        state: fc.constantFrom<ConsumingContainer['state']>('running', 'ended', 'starting'),
        terminating: fc.boolean(),
        ready: fc.boolean(),
        startedAt: fc.constantFrom(
          '2026-09-01T11:00:00Z',
          '2026-09-01T12:00:00Z',
          '2026-09-01T13:00:00Z',
          undefined,
        ),
      })
      .map(({ token, ...rest }) => aContainer(token, rest));
    const synced = fc.option(fc.constant(SYNCED), { nil: undefined });
    fc.assert(
      fc.property(fc.array(container, { maxLength: 6 }), synced, (containers, syncedAt) => {
        const others = containers.filter((one) => one.state === 'running' && !holds(one, NEW));
        const starting = containers.filter(
          ({ state, terminating }) => state === 'starting' && !terminating,
        );
        const { kind } = judgeRollout(aLook(containers), NEW, syncedAt);
        expect(kind === 'held').toBe(others.length + starting.length === 0);
        expect(kind === 'not-updated' && (others.length === 0 || syncedAt === undefined)).toBe(
          false,
        );
      }),
    );
  });
});

test('a consumer counts as a holder only while a running container of it has one of the tokens', () => {
  const look = aLook([aContainer(NEW), aContainer(OLD, { state: 'ended' })]);
  const [consumer] = look.consumers;
  expect(isHolder(consumer!, look, [NEW])).toBe(true);
  expect(isHolder(consumer!, look, [aToken(99), OLD])).toBe(false);
});

test('a consumer is unseen where none of its containers runs', () => {
  const look = aLook([aContainer(NEW), aStartingContainer(TWIN)]);
  expect(unseenConsumers(look)).toEqual([TWIN]);
  expect(unseenConsumers(aLook([], { consumers: [APP, TWIN] }))).toEqual([APP, TWIN]);
  expect(unseenConsumers(aLook([aContainer(NEW), aContainer(NEW, TWIN)]))).toEqual([]);
});

describe('what stands in the way of a rollout', () => {
  test('is told container by container, with the masked value Signon shows', () => {
    const others = [
      aContainer(OLD, { pod: 'a' }),
      aContainer(OLD, { pod: 'b', terminating: true }),
    ];
    const said = describeOthers(
      [...others, aContainer(aToken(900), { pod: 'c' }), aStartingContainer()],
      [OLD, NEW],
    );
    expect(said.split('; ')).toEqual([
      'app in a holds first101…last0101 (authorisation 101)',
      'app in b, terminating, holds first101…last0101 (authorisation 101)',
      expect.stringMatching(/^app in c holds a token Signon does not list/),
      expect.stringMatching(/^app in short-url-manager-2 has not started/),
    ]);
  });
});

describe('the right environment', () => {
  test('is where every running container says it and holds a token listed for the pair', () => {
    const look = aLook([aContainer(OLD), aContainer(NEW, TWIN), aStartingContainer()]);
    expect(disagreements(look, 'integration')).toEqual({ environment: [], unlisted: [] });
  });

  test('is not where a container says another; both sides are named', () => {
    const look = aLook([
      aContainer(OLD, { environment: 'production' }),
      aContainer(OLD, { environment: '' }),
    ]);
    const { environment: wrong } = disagreements(look, 'integration');
    expect(wrong).toEqual([expect.stringMatching('app in .*"production".*"integration"')]);
  });

  test.each(['', undefined])(
    'is not told by a container that has %p for it: the others of the namespace tell',
    (environment) => {
      const where = (value: string): string[] => {
        const census = aCensus({ environments: [{ value, seenIn: 'app in router-1' }] });
        return disagreements(aLook([aContainer(OLD, { environment })], { census }), 'integration')
          .environment;
      };
      expect(where('integration')).toEqual([]);
      expect(where('production')).toEqual([expect.stringMatching('router-1.*"production"')]);
    },
  );

  test('is not where a container holds a token that Signon does not list for the pair', () => {
    const look = aLook([
      aContainer(OLD),
      aContainer(aToken(900), { ...TWIN, pod: 'w-1', token: undefined }),
    ]);
    expect(disagreements(look, 'integration').unlisted).toEqual([
      expect.stringMatching(/^worker in w-1 holds a token that Signon does not list/),
    ]);
  });

  test('is told by the other containers of the namespace where no consumer runs, unless one of them is of the environment', () => {
    const environments = [{ value: 'production', seenIn: 'app in router-1' }];
    const wrong = [
      'app in router-1 has GOVUK_ENVIRONMENT "production", but the request says "integration"',
    ];
    const where = (given: Partial<Census>, containers: ConsumingContainer[] = []): string[] =>
      disagreements(aLook(containers, { census: aCensus(given) }), 'integration').environment;
    expect(where({ environments })).toEqual(wrong);
    expect(
      where({ environments: [...environments, { value: 'integration', seenIn: 'app in x' }] }),
    ).toEqual([]);
    expect(where({ environments }, [aContainer(OLD)])).toEqual([]);
  });

  test('says nothing of containers that have ended', () => {
    const look = aLook([aContainer(aToken(900), { state: 'ended', environment: 'production' })]);
    expect(disagreements(look, 'integration')).toEqual({ environment: [], unlisted: [] });
  });
});
