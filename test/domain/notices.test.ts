import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { userMetadataLink } from '../../domain/rotation/links.ts';
import {
  carriableNotices,
  drawMessage,
  groupOf,
  isKept,
  nextDue,
  parseCarriedNotices,
  parseNotice,
  withNotice,
  type Notice,
  type NoticePace,
  type Pending,
} from '../../domain/notices/notices.ts';

const PACE: NoticePace = { collectFor: '30 s', quietFor: '5 minutes' };
const [COLLECT, QUIET] = [30_000, 300_000];
const KINDS = ['needed', 'reminder', 'incident', 'ended'] as const;

function aNotice(given: Partial<Notice> = {}): Notice {
  return {
    kind: 'needed',
    cause: 'Unreachable',
    environment: 'integration',
    apiUser: 'short-url-manager@alphagov.co.uk',
    application: 'publishing-api',
    text: 'in “assess”: Signon did not answer',
    ...given,
  };
}

/** Notices of so many rotations. */
function someNotices(count: number, given: Partial<Notice> = {}): [Notice, ...Notice[]] {
  const [first, ...more] = Array.from({ length: count }, (_, index) =>
    aNotice({ apiUser: `user-${index}@alphagov.co.uk`, ...given }),
  );
  return [first!, ...more];
}

/** What is pending after each was told, one after the other. */
const told = (notices: readonly Notice[]): { pending: Pending[]; dropped: number } =>
  notices.reduce<{ pending: Pending[]; dropped: number }>(
    (before, notice, at) => {
      const { pending, dropped } = withNotice(before.pending, { notice, at });
      return { pending, dropped: before.dropped + dropped };
    },
    { pending: [], dropped: 0 },
  );
const lastOfEach = (notices: readonly Notice[]): Notice[] =>
  told(notices).pending.map(({ notice }) => notice);
const bullets = (message: string): string[] =>
  message.split('\n').filter((line) => line.startsWith('•'));
const heading = (given: Partial<Notice>, count = 1): string =>
  drawMessage(someNotices(count, given)).split('\n')[0]!;

describe('the next message', () => {
  const due = (
    pending: [Partial<Notice>, number][],
    sent: [string, number][] = [],
  ): ReturnType<typeof nextDue> =>
    nextDue(
      pending.map(([given, at]) => ({ notice: aNotice(given), at })),
      new Map(sent),
      PACE,
    );

  test('is none where nothing is pending, however much was sent', () => {
    expect(due([])).toBeUndefined();
    expect(due([], [['needed/Unreachable', 1000]])).toBeUndefined();
  });

  test('is due when the first of its group has waited for others, whenever these came', () => {
    const group = 'needed/Unreachable';
    expect(due([[{}, 1000]])).toEqual({ group, at: 1000 + COLLECT });
    const three: [Partial<Notice>, number][] = [
      [{}, 25_000],
      [{}, 1000],
      [{}, 30_999],
    ];
    expect(due(three)).toEqual({ group, at: 1000 + COLLECT });
  });

  test('waits for as long after its group’s last as the group is quiet', () => {
    const at = 1_000_000;
    expect(due([[{}, at]], [['needed/Unreachable', at - 1]])).toMatchObject({ at: at - 1 + QUIET });
    expect(due([[{}, at]], [['needed/Unreachable', at - QUIET]])).toMatchObject({
      at: at + COLLECT,
    });
    expect(due([[{}, at]], [['needed/approval', at - 1]])).toMatchObject({ at: at + COLLECT });
    expect(due([[{ kind: 'reminder' }, at]], [['needed/Unreachable', at - 1]])).toMatchObject({
      at: at + COLLECT,
    });
  });

  test('is an incident at once: it waits neither for others nor for quiet', () => {
    const incident = { kind: 'incident', cause: 'ConfirmFailed' } as const;
    const sent: [string, number][] = [['incident/ConfirmFailed', 4999]];
    expect(
      due(
        [
          [{}, 1000],
          [incident, 5000],
        ],
        sent,
      ),
    ).toEqual({ group: 'incident/ConfirmFailed', at: 5000 });
  });

  test('is of the group that is due first', () => {
    const late: [string, number][] = [['needed/Unreachable', 900]];
    const pending: [Partial<Notice>, number][] = [
      [{}, 1000],
      [{ cause: 'approval' }, 2000],
      [{ cause: 'other' }, 3000],
    ];
    expect(due(pending, late)).toEqual({ group: 'needed/approval', at: 2000 + COLLECT });
  });

  test('is never due before a notice of its group came, nor later than collecting and quiet ask for', () => {
    const moment = fc.integer({ min: 0, max: 2_000_000 });
    const notice = fc.record({
      kind: fc.constantFrom(...KINDS),
      cause: fc.constantFrom('a', 'b', 'c'),
    });
    const group = fc
      .tuple(fc.constantFrom(...KINDS), fc.constantFrom('a', 'b', 'c'))
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(notice, moment), { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(group, moment), { maxLength: 8 }),
        (pending, sent) => {
          const next = due(pending, sent)!;
          const ofGroup = pending.filter(([given]) => groupOf(aNotice(given)) === next.group);
          const [first] = ofGroup.map(([, at]) => at).toSorted((a, b) => a - b);
          const last = new Map(sent).get(next.group);
          expect(next.at).toBeGreaterThanOrEqual(first!);
          expect(next.at).toBeLessThanOrEqual(
            Math.max(first! + COLLECT, (last ?? -Infinity) + QUIET),
          );
          const quietUntil = next.group.startsWith('incident/')
            ? -Infinity
            : (last ?? -Infinity) + QUIET;
          expect(next.at).toBeGreaterThanOrEqual(quietUntil);
        },
      ),
    );
  });
});

describe('a group', () => {
  test('is all of one kind and cause, whoever it is about and whatever it says', () => {
    expect(groupOf(aNotice())).toBe(
      groupOf(aNotice({ apiUser: 'other@example.org', text: 'another', todo: 'else' })),
    );
    expect(groupOf(aNotice())).not.toBe(groupOf(aNotice({ kind: 'reminder' })));
    expect(groupOf(aNotice())).not.toBe(groupOf(aNotice({ cause: 'approval' })));
  });

  test('says of each rotation its last word', () => {
    const [a, b] = [{ apiUser: 'a@example.org' }, { application: 'whitehall' }];
    const said = lastOfEach([
      aNotice({ ...a, text: 'first' }),
      aNotice({ ...b, text: 'first' }),
      aNotice({ ...a, text: 'last' }),
      aNotice({ text: 'only' }),
    ]);
    expect(said).toEqual([
      aNotice({ ...a, text: 'last' }),
      aNotice({ ...b, text: 'first' }),
      aNotice({ text: 'only' }),
    ]);
  });

  test('of nothing says nothing', () => {
    expect(lastOfEach([])).toEqual([]);
  });

  test('loses no rotation and names none twice', () => {
    const who = fc.record({
      apiUser: fc.constantFrom('a@example.org', 'b@example.org'),
      application: fc.constantFrom('whitehall', 'publishing-api'),
      text: fc.string(),
    });
    fc.assert(
      fc.property(fc.array(who), (given) => {
        const pair = ({ apiUser, application }: { apiUser: string; application: string }): string =>
          JSON.stringify([apiUser, application]);
        const said = lastOfEach(given.map((one) => aNotice(one)));
        expect(new Set(said.map(pair))).toEqual(new Set(given.map(pair)));
        expect(said.length).toBe(new Set(given.map(pair)).size);
        for (const one of said)
          expect(one.text).toBe(given.findLast((other) => pair(other) === pair(one))!.text);
      }),
    );
  });
});

describe('a message', () => {
  test('of one rotation says where, what, what to do, for whom and until when', () => {
    const link = 'https://temporal.example.org/namespaces/default/workflows/w/r/user-metadata';
    const todo = 'Check that the named system is up, then retry.';
    expect(drawMessage([aNotice({ link, todo, ends: '2026-09-10' })])).toBe(
      [
        '*[integration] Unblock a rotation by 2026-09-10: Unreachable*',
        todo,
        `• <${link}|short-url-manager@alphagov.co.uk → publishing-api>: in “assess”: Signon did not answer` +
          ' (old token ends on 2026-09-10)',
      ].join('\n'),
    );
  });

  test('leaves out what is not known: no link, nothing to do, no end', () => {
    expect(drawMessage([aNotice()])).toBe(
      [
        '*[integration] Unblock a rotation: Unreachable*',
        '• short-url-manager@alphagov.co.uk → publishing-api: in “assess”: Signon did not answer',
      ].join('\n'),
    );
  });

  test.each([
    ['needed', 'approval', 'Approve or reject a rotation', 'Approve or reject 3 rotations'],
    [
      'needed',
      'Unreachable',
      'Unblock a rotation: Unreachable',
      'Unblock 3 rotations: Unreachable',
    ],
    [
      'reminder',
      'approval',
      'Reminder: approve or reject a rotation',
      'Reminder: approve or reject 3 rotations',
    ],
    [
      'reminder',
      'Unreachable',
      'Reminder: unblock a rotation: Unreachable',
      'Reminder: unblock 3 rotations: Unreachable',
    ],
    ['incident', 'ConfirmFailed', 'INCIDENT: ConfirmFailed', 'INCIDENT: ConfirmFailed'],
    ['ended', 'rotated', 'A rotation ended as rotated', '3 rotations ended as rotated'],
  ] as const)(
    'of kind %s and cause %s is headed so for one rotation and for several',
    (kind, cause, one, three) => {
      expect(heading({ kind, cause })).toBe(`*[integration] ${one}*`);
      expect(heading({ kind, cause, environment: 'production' }, 3)).toBe(
        `*[production] ${three}*`,
      );
    },
  );

  test('names each rotation in a line of its own, with its own link, and says once what to do', () => {
    const message = drawMessage([
      aNotice({ todo: 'Retry.', link: 'https://t.example.org/1' }),
      aNotice({
        todo: 'Retry.',
        link: 'https://t.example.org/2',
        application: 'whitehall',
        text: 'other',
      }),
    ]);
    expect(bullets(message)).toEqual([
      expect.stringMatching(
        /^• <https:\/\/t\.example\.org\/1\|short-url-manager@alphagov\.co\.uk → publishing-api>: in/,
      ),
      expect.stringMatching(
        /^• <https:\/\/t\.example\.org\/2\|short-url-manager@alphagov\.co\.uk → whitehall>: other$/,
      ),
    ]);
    expect(message.match(/Retry\./g)).toHaveLength(1);
  });

  test('names fifteen rotations, and counts the rest', () => {
    expect(drawMessage(someNotices(15))).not.toContain('more');
    expect(bullets(drawMessage(someNotices(15)))).toHaveLength(15);
    expect(drawMessage(someNotices(16)).split('\n').at(-1)).toBe('… and 1 more');
    const many = drawMessage(someNotices(40));
    expect(many).toContain('Unblock 40 rotations');
    expect(bullets(many)).toHaveLength(15);
    expect(many.split('\n').at(-1)).toBe('… and 25 more');
  });

  test('cuts a long text short and says so', () => {
    const [line] = bullets(drawMessage([aNotice({ text: 'x'.repeat(301) })]));
    expect(line).toMatch(/: x{300}…$/);
    expect(bullets(drawMessage([aNotice({ text: 'x'.repeat(300) })]))[0]).toMatch(/: x{300}$/);
  });

  test('cuts before it escapes: no escape is cut in two', () => {
    const [line] = bullets(drawMessage([aNotice({ text: `${'x'.repeat(299)}<b>` })]));
    expect(line).toMatch(/x&lt;…$/);
  });
});

/** What somebody could write into a name, a page or a signal to make Slack do something. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<!channel>',
        '<!here|here>',
        '<@U012>',
        '<#C012>',
        '<http://evil.example|Signon>',
        '|',
        '>',
        '<',
      ),
      fc.constantFrom(
        '&lt;!channel&gt;',
        '&amp;',
        '\n',
        '\r\n',
        '\u2028',
        '• ',
        '*[production] ',
        '```',
      ),
      fc.string({ unit: 'grapheme' }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

describe('whatever comes from outside, a message', () => {
  const link = userMetadataLink(
    { url: 'https://temporal.example.org', namespace: 'default' },
    'w',
    'r',
  );
  const notice = fc
    .record(
      {
        apiUser: hostile,
        application: hostile,
        text: hostile,
        todo: hostile,
        cause: hostile,
        ends: hostile,
      },
      { noNullPrototype: true },
    )
    .chain((given) =>
      fc
        .record({ kind: fc.constantFrom(...KINDS), linked: fc.boolean() })
        .map(({ kind, linked }) => aNotice({ ...given, kind, ...(linked && { link }) })),
    );
  const notices = fc
    .array(notice, { minLength: 1, maxLength: 20 })
    .map(([first, ...more]): [Notice, ...Notice[]] => [first!, ...more]);

  test('mentions nobody and links nowhere but to the Temporal UI', () => {
    fc.assert(
      fc.property(notices, (given) => {
        const message = drawMessage(given);
        const markup = message.match(/<[^>]*>/g) ?? [];
        for (const one of markup) expect(one.startsWith(`<${link}|`)).toBe(true);
        expect(markup).toHaveLength(given.slice(0, 15).filter((one) => one.link).length);
        expect(message.replace(/<[^>]*>/g, '')).not.toMatch(/[<>]/);
        expect(message).not.toMatch(/&(?!(amp|lt|gt);)/);
      }),
    );
  });

  test('shows what was written, as it was written, blanks aside', () => {
    fc.assert(
      fc.property(
        hostile.filter((text) => text.length <= 300),
        (text) => {
          const shown = drawMessage([aNotice({ text, apiUser: 'a', application: 'b' })]).split(
            '\n',
          )[1]!;
          const read = shown.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
          expect(read).toBe(`• a → b: ${text.replace(/\s+/g, ' ')}`);
        },
      ),
    );
  });

  test('has one heading, and one line for each rotation that it names', () => {
    fc.assert(
      fc.property(notices, (given) => {
        const lines = drawMessage(given).split(/[\n\r\u2028\u2029]/);
        const named = Math.min(given.length, 15);
        expect(lines).toHaveLength(
          1 + (given[0].todo ? 1 : 0) + named + (given.length > 15 ? 1 : 0),
        );
        expect(lines[0]).toMatch(/^\*\[integration\] .*\*$/);
      }),
    );
  });

  test('never ends in half a character: what JSON cannot say well, Slack refuses', () => {
    const cut = drawMessage([aNotice({ text: `${'x'.repeat(299)}😀` })]);
    expect(cut).not.toMatch(/\p{Surrogate}/u);
  });

  test('is of bounded length, however long the texts and however many the rotations', () => {
    const longest = { text: '&'.repeat(100_000), link, ends: '2026-09-10', todo: 'Retry.' };
    // Names are as long as a request may make them. Slack takes 40,000 characters.
    const names = { apiUser: `${'u'.repeat(242)}@example.org`, application: 'a'.repeat(254) };
    expect(drawMessage(someNotices(1000, { ...longest, ...names })).length).toBeLessThan(40_000);
  });
});

describe('what is kept', () => {
  const incidents = Array.from({ length: 300 }, (_, at) =>
    aNotice({ kind: 'incident', text: `token ${at}` }),
  );
  const needs = someNotices(300);
  const reminders = someNotices(900, { kind: 'reminder' });

  test('is bounded: the oldest reminders go first, then what is needed, and the number is told', () => {
    const { pending, dropped } = told([...incidents, ...reminders, ...needs]);
    expect(pending).toHaveLength(1000);
    expect(dropped).toBe(500);
    for (const one of [...incidents, ...needs, reminders.at(-1)!])
      expect(pending.map(({ notice }) => notice)).toContain(one);
    expect(pending.map(({ notice }) => notice)).not.toContain(reminders[0]);
  });

  test('is bounded in size, so that a cut history can hand it on', () => {
    const long = incidents.map((one, at) => ({
      ...one,
      text: `${at}${'ü'.repeat(1900)}`,
      todo: '\u0007'.repeat(1900),
    }));
    const { pending, dropped } = told([...reminders.slice(0, 10), ...long]);
    expect(pending.length + dropped).toBe(310);
    expect(Buffer.byteLength(JSON.stringify(pending))).toBeLessThan(1_100_000);
    expect(pending.every(({ notice }) => notice.kind === 'incident')).toBe(true);
    expect(pending.at(-1)!.notice).toEqual(long.at(-1));
    expect(
      parseCarriedNotices(JSON.parse(JSON.stringify({ pending, sent: [], held: [], dropped }))),
    ).toBeDefined();
  });

  test('of groups that anybody made up, a cut history hands on no more than the server takes', () => {
    const groups = Array.from({ length: 5000 }, (_, at) => `incident/${at}${'ü'.repeat(95)}`);
    const times = groups.map((group, at): [string, number] => [group, at]);
    const { pending, dropped } = told(incidents);
    const known = groupOf(incidents[0]!);
    const held: [string, number][] = [...times, [known, 7]];
    const carried = carriableNotices({ pending, sent: times, held, dropped });
    expect(Buffer.byteLength(JSON.stringify(carried))).toBeLessThan(1_600_000);
    expect(carried).toMatchObject({ pending, held: [[known, 7]], dropped });
    expect(carried.sent[0]).toEqual(times.at(-1)); // the newest are kept
    expect(carried.sent.length).toBeGreaterThan(1000);
  });

  test('is named by a cause of at most a hundred characters', () => {
    expect(parseNotice(aNotice({ cause: 'x'.repeat(100) }))).toBeDefined();
    expect(parseNotice(aNotice({ cause: 'x'.repeat(101) }))).toBeUndefined();
  });

  test('until it is sent: incidents, and that a person is needed', () => {
    expect(KINDS.filter((kind) => isKept(aNotice({ kind })))).toEqual(['needed', 'incident']);
  });

  test('of what a cut history hands on, whatever is misshapen is ignored, never thrown at', () => {
    const carried = {
      pending: [{ notice: aNotice(), at: 1 }],
      sent: [['a', 1]],
      held: [['a', 1]],
      dropped: 0,
    };
    expect(parseCarriedNotices(carried)).toEqual(carried);
    for (const wrong of [
      { pending: [null] },
      { pending: 'x' },
      { sent: [['a', null]] },
      { held: [7] },
      { dropped: 'x' },
    ])
      expect(parseCarriedNotices({ ...carried, ...wrong })).toBeUndefined();
    fc.assert(
      fc.property(fc.anything(), (input) => expect(parseCarriedNotices(input)).toBeUndefined()),
    );
  });
});
