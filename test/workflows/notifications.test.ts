import { expect, test } from '../support/jest.ts';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import { failure } from '../../activities/failure.ts';
import type { Notice, NoticePace } from '../../domain/notices/notices.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';
import { until } from '../support/until.ts';
import { withWorkers } from '../support/with-workers.ts';

const { server } = useTimeSkipping();
const PACE: NoticePace = { collectFor: '30 s', quietFor: '5 minutes' };
const QUIET = 300_000;
/** The time-skipping server’s own clock may be this much off between two looks at it. */
const CLOCK = 1000;

function aNotice(given: Partial<Notice> = {}): Notice {
  return {
    kind: 'needed',
    cause: 'Unreachable',
    environment: 'integration',
    apiUser: 'short-url-manager@alphagov.co.uk',
    application: 'publishing-api',
    text: 'Signon did not answer',
    ...given,
  };
}

interface Collector {
  handle: WorkflowHandle;
  /** Every message that Slack took, and when, by the server’s clock. */
  posted: { text: string; at: number }[];
  tell: (notice: unknown) => Promise<void>;
  /** So many messages. */
  messages: (count: number) => Promise<string[]>;
  details: () => Promise<string>;
}

/**
 * A collector of its own, started with a first notice, over a Slack that takes or refuses what it
 * is given.
 */
async function collecting(
  first: unknown,
  act: (collector: Collector) => Promise<void>,
  given: {
    pace?: Partial<NoticePace>;
    /** What it is started with. */
    args?: unknown[];
    slack?: (text: string, attempt: number) => void;
  } = {},
): Promise<void> {
  const { client, nativeConnection: connection } = server();
  const [workflowId, taskQueue] = [randomUUID(), randomUUID()];
  const posted: Collector['posted'] = [];
  const attempts = new Map<string, number>();
  const postToSlack = async (text: string): Promise<void> => {
    const attempt = (attempts.get(text) ?? 0) + 1;
    attempts.set(text, attempt);
    given.slack?.(text, attempt);
    posted.push({ text, at: await server().currentTimeMs() });
  };
  await withWorkers(
    {
      connection,
      taskQueue,
      activities: { postToSlack, noticePace: () => Promise.resolve({ ...PACE, ...given.pace }) },
    },
    async () => {
      const handle = await client.workflow.signalWithStart('notifications', {
        workflowId,
        taskQueue,
        args: given.args ?? [],
        signal: 'notice',
        signalArgs: [first],
      });
      try {
        await act({
          handle,
          posted,
          tell: (notice) => handle.signal('notice', notice),
          messages: async (count) => {
            const enough = await until(`${count} messages`, () =>
              posted.length >= count ? posted : undefined,
            );
            return enough.map(({ text }) => text);
          },
          details: async () => {
            const { currentDetails } = await handle.query<{ currentDetails?: string }>(
              '__temporal_workflow_metadata',
            );
            return currentDetails ?? '';
          },
        });
      } finally {
        await handle.terminate().catch(() => undefined);
      }
    },
  );
}

test('notices of one cause that come together make one message, which names each rotation', () =>
  collecting(aNotice({ apiUser: 'a@example.org' }), async ({ handle, posted, tell }) => {
    await tell(aNotice({ apiUser: 'b@example.org' }));
    await tell(aNotice({ apiUser: 'c@example.org' }));
    await handle.result();
    expect(posted).toHaveLength(1);
    const [{ text }] = posted as [(typeof posted)[number]];
    expect(text).toContain('Unblock 3 rotations: Unreachable');
    for (const apiUser of ['a', 'b', 'c'])
      expect(text).toContain(`${apiUser}@example.org → publishing-api`);
  }));

test('of one rotation the last word counts, and it is said once', () =>
  collecting(aNotice({ text: 'the first word' }), async ({ handle, posted, tell }) => {
    await tell(aNotice({ text: 'the last word' }));
    await handle.result();
    expect(posted).toHaveLength(1);
    expect(posted[0]?.text).toMatch(/Unblock a rotation[^]*the last word/);
    expect(posted[0]?.text).not.toContain('the first word');
  }));

test('another cause, and another kind, make messages of their own', () =>
  collecting(aNotice(), async ({ handle, posted, tell }) => {
    for (const other of [{ cause: 'approval' }, { kind: 'reminder' }] as const) {
      // this server loses a workflow that cancels a timer which fires just then
      await server().sleep('1 second');
      await tell(aNotice(other));
    }
    await handle.result();
    expect(
      posted
        .map(({ text }) => text.split('\n')[0])
        .toSorted((a = '', b = '') => a.localeCompare(b)),
    ).toEqual([
      '*[integration] Approve or reject a rotation*',
      '*[integration] Reminder: unblock a rotation: Unreachable*',
      '*[integration] Unblock a rotation: Unreachable*',
    ]);
  }));

test('the next of the same cause waits until all has been quiet, with what came meanwhile; another cause does not', () =>
  collecting(aNotice({ text: 'first' }), async ({ handle, posted, tell, messages }) => {
    await server().sleep('31 s');
    await messages(1);
    await tell(aNotice({ text: 'second' }));
    await server().sleep('1 minute');
    await tell(aNotice({ text: 'third', application: 'whitehall' }));
    await tell(aNotice({ cause: 'approval', text: 'other' }));
    await handle.result();
    const of = (what: string): (typeof posted)[number] =>
      posted.find(({ text }) => text.includes(what))!;
    expect(
      posted.map(({ text }) => ['first', 'other', 'second'].find((what) => text.includes(what))),
    ).toEqual(['first', 'other', 'second']);
    expect(of('second')).toBe(of('third'));
    expect(of('second').at - of('first').at).toBeGreaterThanOrEqual(QUIET - CLOCK);
  }));

test('an incident goes at once, before what was collected, and a second one too', () =>
  collecting(
    aNotice(),
    async ({ tell, messages }) => {
      const incident = { kind: 'incident', cause: 'ConfirmFailed' } as const;
      await tell(aNotice({ ...incident, text: 'the new token is refused' }));
      expect(await messages(1)).toEqual([expect.stringContaining('INCIDENT: ConfirmFailed')]);
      await tell(aNotice({ ...incident, text: 'and once more' }));
      expect(await messages(2)).toEqual([
        expect.stringContaining('the new token is refused'),
        expect.stringContaining('and once more'),
      ]);
    },
    { pace: { collectFor: '1 day', quietFor: '2 days' } }, // no time is skipped in this test
  ));

test.each(['reminder', 'ended'] as const)(
  'a message of kind %s that is refused is dropped, which the details say',
  (kind) =>
    collecting(
      aNotice({ kind, cause: 'approval' }),
      async ({ handle, posted, tell, details }) => {
        await server().sleep('31 s');
        await until(
          'the dropped message in the details',
          async () => /dropped/.test(await details()) || undefined,
        );
        expect(await details()).toMatch(
          /Notices dropped:\*\* 1\.[^]*SlackRefused: Slack’s webhook answered 404/,
        );
        await tell(aNotice());
        await handle.result();
        expect(posted.map(({ text }) => text)).toEqual([
          expect.stringContaining('Unblock a rotation'),
        ]);
      },
      {
        slack: (text) => {
          if (/approv/i.test(text)) throw failure('SlackRefused', 'Slack’s webhook answered 404');
        },
      },
    ),
);

test('a reminder that Slack does not take in an hour is dropped, and those that waited for it go', () =>
  collecting(
    aNotice({ kind: 'reminder', cause: 'approval' }),
    async ({ handle, posted, tell, details }) => {
      await server().sleep('5 minutes');
      await tell(aNotice());
      expect(posted).toEqual([]);
      await server().sleep('61 minutes');
      await until(
        'the dropped message in the details',
        async () => /dropped/.test(await details()) || undefined,
      );
      await handle.result();
      expect(posted.map(({ text }) => text)).toEqual([
        expect.stringContaining('Unblock a rotation'),
      ]);
    },
    {
      slack: (text) => {
        if (/approv/i.test(text)) throw failure('Unreachable', 'Slack’s webhook answered 503');
      },
    },
  ));

test.each([
  ['an incident', 'incident', 'SlackRefused'],
  ['an incident', 'incident', 'Unreachable'],
  ['that a person is needed', 'needed', 'SlackRefused'],
  ['that a person is needed', 'needed', 'Unreachable'],
] as const)(
  '%s is kept until Slack takes it, with what came meanwhile (%s, %s)',
  (_what, kind, how) => {
    let away = true;
    return collecting(
      aNotice({ kind, text: 'token A' }),
      async ({ handle, posted, tell, details }) => {
        // Each try skips time: ten hours of tries hung this server once, under load.
        await server().sleep('90 minutes');
        await tell(aNotice({ kind, text: 'token B', application: 'whitehall' }));
        await server().sleep('90 minutes');
        expect(posted).toEqual([]);
        expect(await details()).toMatch(/Kept until Slack takes them:\*\* [12] notices|^$/);
        away = false;
        await handle.result();
        const all = posted.map(({ text }) => text).join('\n');
        for (const token of ['A', 'B']) expect(all.split(`token ${token}`)).toHaveLength(2);
        expect(all).toMatch(/\(20\d\d-\d\d-\d\dT\d\d:\d\dZ\) token A/);
      },
      {
        slack: () => {
          if (away) throw failure(how, 'Slack’s webhook answered 503');
        },
      },
    );
  },
);

test('a message that Slack takes at the third attempt is sent once, and nothing is said to be dropped', () =>
  collecting(
    aNotice(),
    async ({ handle, posted, messages, details }) => {
      await server().sleep('2 minutes');
      await messages(1);
      expect(await details()).not.toContain('dropped');
      await handle.result();
      expect(posted).toHaveLength(1);
    },
    {
      slack: (_text, attempt) => {
        if (attempt < 3) throw failure('Unreachable', 'Slack’s webhook answered 503');
      },
    },
  ));

test('what was refused is shown as text, whatever it is made of', () =>
  collecting(
    aNotice(),
    async ({ details }) => {
      await server().sleep('31 s');
      const shown = await until('the details', async () => (await details()) || undefined);
      expect(shown).not.toMatch(/(?<!\\)<img/);
      expect(shown).not.toMatch(/\[x\]\(/);
    },
    {
      slack: () => {
        throw ApplicationFailure.nonRetryable(
          '<img src=x> [x](http://evil.example)',
          'SlackRefused',
        );
      },
    },
  ));

test('that a message was dropped stands in the details although a later one went well', () =>
  collecting(
    aNotice({ kind: 'reminder' }),
    async ({ tell, messages, details }) => {
      await server().sleep('31 s');
      await until(
        'the drop',
        async () => (await details()).includes('Notices dropped:** 1') || undefined,
      );
      await tell(aNotice({ cause: 'approval' }));
      await server().sleep('31 s');
      await messages(1);
      expect(await details()).toMatch(/Notices dropped:\*\* 1\.[^]*at .*: SlackRefused/);
    },
    {
      slack: (text) => {
        if (text.includes('nblock')) throw failure('SlackRefused', 'Slack’s webhook answered 404');
      },
    },
  ));

test('several incidents of one pair are all told, also while a message of theirs is under way', () => {
  let tried = false;
  let away = true;
  return collecting(
    aNotice({ kind: 'incident', cause: 'an old token ends', text: 'token A' }),
    async ({ handle, posted, tell }) => {
      await until('the first message is under way', () => tried || undefined);
      for (const token of ['B', 'C', 'C'])
        await tell(
          aNotice({ kind: 'incident', cause: 'an old token ends', text: `token ${token}` }),
        );
      away = false;
      await handle.result();
      const all = posted.map(({ text }) => text).join('\n');
      for (const token of ['A', 'B', 'C']) expect(all.split(`token ${token}`)).toHaveLength(2);
    },
    {
      slack: () => {
        tried = true;
        if (away) throw failure('Unreachable', 'Slack’s webhook answered 503');
      },
    },
  );
});

test.each([
  ['a pace of 100 years', [{ collectFor: '100y', quietFor: '100y' }]],
  [
    'what no run handed on',
    [{ pending: [{ notice: 7, at: 'x' }], sent: [['needed/Unreachable', 9e15]], held: 'x' }],
  ],
  [
    'notices that nobody told',
    [{ pending: [{ notice: aNotice(), at: 0 }], sent: [], held: [], dropped: 0 }],
  ],
  ['a word', ['x', 7]],
])('started with %s, it sends what it is told at the pace of the settings', (_what, args) =>
  collecting(
    aNotice({ text: 'told' }),
    async ({ handle, posted }) => {
      const begun = await server().currentTimeMs();
      await handle.result();
      expect(posted.map(({ text }) => text)).toEqual([
        expect.stringMatching(/Unblock a rotation[^]*told/),
      ]);
      expect(posted[0]!.at - begun).toBeLessThan(60_000);
    },
    { args },
  ),
);

test('it ends when all has been quiet, having sent what it was told', () =>
  collecting(aNotice(), async ({ handle, posted }) => {
    await handle.result();
    const { status, closeTime } = await handle.describe();
    expect(status.name).toBe('COMPLETED');
    expect(closeTime!.getTime() - posted[0]!.at).toBeGreaterThanOrEqual(QUIET - CLOCK);
    expect(posted).toHaveLength(1);
  }));

test('told nothing that it understands, it sends nothing and ends', () =>
  collecting(null, async ({ handle, posted }) => {
    await handle.result();
    expect((await handle.describe()).status.name).toBe('COMPLETED');
    expect(posted).toEqual([]);
  }));

test('misshapen signals among good ones change nothing', () =>
  collecting(aNotice({ apiUser: 'a@example.org' }), async ({ handle, posted, tell }) => {
    const misshapen = [
      undefined,
      null,
      7,
      'notice',
      [],
      {},
      { cause: 'Unreachable' },
      { text: 'x' },
      { cause: 7 },
    ];
    for (const signal of misshapen) await tell(signal);
    await tell({ ...aNotice(), cause: ['Unreachable'] });
    await tell({ ...aNotice(), text: { toString: 'x' } });
    await tell(aNotice({ apiUser: 'b@example.org' }));
    await handle.result();
    expect(posted.map(({ text }) => text)).toEqual([
      expect.stringContaining('Unblock 2 rotations: Unreachable'),
    ]);
  }));

test.each([
  ['has no environment', { environment: undefined }],
  ['says what to do in another shape than a text', { todo: 7 }],
  ['has an end that is no text', { ends: 20260910 }],
  ['has a link that would mention a channel', { link: 'https://x|y> <!channel>' }],
  ['is longer than any', { apiUser: 'x'.repeat(100_000) }],
])('a notice that %s keeps no other from being sent', (_what, odd) =>
  collecting(
    { ...aNotice({ cause: 'odd' }), ...odd },
    async ({ tell, posted }) => {
      await tell(aNotice());
      const good = (): string | undefined =>
        posted.find(({ text }) => text.includes('Unreachable'))?.text;
      expect(await until('the good notice', good)).toContain('nblock');
    },
    { pace: { collectFor: '0 s' } }, // no time is skipped in this test
  ),
);
