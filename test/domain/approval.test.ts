import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { judgeApproval, type Verdict } from '../../domain/evidence/approval.ts';
import type { Approve } from '../../domain/evidence/decisions.ts';
import { evidenceCode, SHORTFALLS, type Shortfall } from '../../domain/evidence/evidence.ts';
import {
  aContainer,
  aLook,
  anEvidence,
  APP,
  aRequest,
  aSmokeResult,
  aToken,
  NEW,
  OLD,
  retyped,
  TWIN,
  judgedBy,
} from '../support/builders.ts';

const RUN = '0197a7b2-0000-7000-8000-000000000001';
const UNKNOWN = aToken(100);
const nobody = { identity: '' };
type Facts = Parameters<typeof judgeApproval>[1];

/**
 * The verdict on what Grace sends about a rotation that Ada asked for; the code is the right one
 * unless told otherwise.
 */
function judge(sent: Partial<Approve> = {}, given: Partial<Facts> = {}): Verdict {
  const evidence = given.evidence ?? anEvidence();
  const code = evidenceCode(RUN, evidence);
  return judgeApproval(
    { by: 'grace@example.org', evidence: code, ...sent },
    judgedBy(evidence, code, given),
  );
}

const inProduction = (given: Partial<Facts> = {}): Partial<Facts> => ({
  request: aRequest({ environment: 'production' }),
  ...given,
});

test('an approval that quotes the evidence shown counts, and ends the token given up', () => {
  const sender = { identity: 'grace@example.org' };
  expect(judge({ by: ' grace@example.org ' }, { sender })).toEqual({
    counts: true,
    by: 'grace@example.org',
    sender,
    revoke: [101],
    authenticated: true,
    names: ['grace@example.org'],
    missing: 0,
  });
});

test('an approval may leave its sender to the server: an e-mail address that it recorded counts, a program does not', () => {
  const unnamed = (sender: Facts['sender'], given: Partial<Facts> = {}): Verdict => {
    const { evidence = anEvidence() } = given;
    return judge({ by: undefined, evidence: evidenceCode(RUN, evidence) }, { sender, ...given });
  };
  expect(unnamed({ identity: ' grace@example.org ' })).toMatchObject({
    counts: true,
    by: 'grace@example.org',
  });
  expect(unnamed({ identity: 'ui', principal: 'jwt:grace@example.org' })).toMatchObject({
    by: 'grace@example.org',
  });
  for (const identity of ['', '4711@worker-0', 'temporal-ui', 'grace'])
    expect(unnamed({ identity, principal: 'jwt:4711' })).toEqual({
      counts: false,
      why: expect.stringMatching(/add "by"/),
    });
  const asker = aRequest().requestedBy;
  for (const sender of [{ identity: asker }, { identity: 'ui', principal: `jwt:${asker}` }])
    for (const sent of [
      unnamed(sender, inProduction()),
      judge({ by: 'grace@example.org' }, inProduction({ sender })),
    ])
      expect(sent).toEqual({ counts: false, why: expect.stringMatching(/second person/) });
});

test('an address of the docs’ examples signs nothing, but where Signon is a stand-in', () => {
  const real = { standIns: false };
  for (const by of ['you@example.org', ' Grace@EXAMPLE.COM '])
    expect(judge({ by }, real)).toEqual({
      counts: false,
      why: expect.stringMatching(/of the docs’ examples: give your own/),
    });
  expect(judge({ by: 'grace@digital.cabinet-office.gov.uk' }, real)).toMatchObject({
    counts: true,
  });
  expect(judge({ by: 'grace@example.org' }, { standIns: true })).toMatchObject({ counts: true });
});

test('the code may be typed in capitals and with blanks around it', () => {
  const code = evidenceCode(RUN, anEvidence());
  fc.assert(
    fc.property(retyped(code), (evidence) =>
      expect(judge({ evidence })).toMatchObject({ counts: true }),
    ),
  );
});

test('an approval that quotes another round counts for nothing', () => {
  const evidence = evidenceCode(RUN, anEvidence({ round: 2 }));
  expect(judge({ evidence })).toEqual({
    counts: false,
    why: expect.stringMatching(/not the code of this evidence/),
  });
});

test('an approval meant for another run counts for nothing', () => {
  const evidence = evidenceCode('0197a7b2-0000-7000-8000-000000000002', anEvidence());
  expect(judge({ evidence })).toMatchObject({ counts: false });
});

test('any other text than the code counts for nothing', () => {
  const code = evidenceCode(RUN, anEvidence());
  const another = fc.string().filter((text) => text.trim().toLowerCase() !== code);
  fc.assert(
    fc.property(another, (evidence) =>
      expect(judge({ evidence })).toMatchObject({ counts: false }),
    ),
  );
});

describe('what an approval ends', () => {
  const evidence = anEvidence({ tokens: [UNKNOWN, OLD, NEW] });

  test('without names it covers the tokens given up, and no token whose holder is unknown', () => {
    expect(judge({}, { evidence })).toMatchObject({ counts: true, revoke: [101] });
  });

  test('a token whose holder is unknown ends where it is named', () => {
    expect(judge({ revoke: [100] }, { evidence })).toMatchObject({ counts: true, revoke: [100] });
    expect(judge({ revoke: [100, 101, 100] }, { evidence })).toMatchObject({
      counts: true,
      revoke: [100, 101],
    });
  });

  test('where nothing was given up and nothing is named, nothing ends and the answer says what to name', () => {
    const nothingGivenUp = { evidence: anEvidence({ everHeld: [] }) };
    expect(judge({}, nothingGivenUp)).toEqual({
      counts: false,
      why: expect.stringMatching(/name the authorisation ids in revoke/),
    });
    expect(judge({ revoke: [] }, nothingGivenUp)).toMatchObject({ counts: false });
  });

  test('one that also names a token not on offer counts for nothing at all, the new token’s id included', () => {
    for (const id of [NEW.authorisationId, 999])
      expect(judge({ revoke: [101, id] }, { evidence })).toEqual({
        counts: false,
        why: expect.stringContaining(`${id}`),
      });
  });

  test('only tokens the evidence offers are ever ended, each once', () => {
    const ids = fc.option(fc.array(fc.integer({ min: 98, max: 104 })), { nil: undefined });
    fc.assert(
      fc.property(ids, (revoke) => {
        const verdict = judge({ revoke }, { evidence });
        const ended = verdict.counts ? verdict.revoke : [];
        expect([100, 101]).toEqual(expect.arrayContaining(ended));
        expect(new Set(ended).size).toBe(ended.length);
        expect(verdict.counts).toBe(
          revoke === undefined ||
            (revoke.length > 0 && revoke.every((id) => id === 100 || id === 101)),
        );
      }),
    );
  });
});

describe('what was not shown', () => {
  const evidence = anEvidence({
    look: aLook([aContainer(NEW)], { consumers: [APP, TWIN] }),
    smoke: [
      aSmokeResult(APP, {
        verdict: 'not-tested',
        detail: 'no smoke call is known for publishing-api',
      }),
    ],
  });

  test('is accepted by name, each kind of it', () => {
    expect(judge({ accept: ['no-pod-seen', 'not-smoke-tested'] }, { evidence })).toMatchObject({
      counts: true,
    });
  });

  test('never covers a failed smoke call, whatever is accepted', () => {
    const failed = anEvidence({
      look: aLook([aContainer(NEW)], { consumers: [APP] }),
      smoke: [aSmokeResult(APP, { verdict: 'failed' })],
    });
    const accept = [...SHORTFALLS, 'smoke-failed' as Shortfall];
    expect(judge({ accept }, { evidence: failed })).toMatchObject({
      counts: false,
      why: expect.stringContaining('A failed smoke call is never accepted'),
    });
  });

  test('is else listed with the consumer it is about and the JSON that accepts it', () => {
    const lacking: [Shortfall[] | undefined, string, string][] = [
      [
        undefined,
        'app of Deployment/short-url-manager',
        'in accept: not-smoke-tested, no-pod-seen',
      ],
      [['no-pod-seen'], 'app of Deployment/short-url-manager', 'in accept: not-smoke-tested'],
      [
        ['not-smoke-tested'],
        'worker of Deployment/short-url-manager-worker',
        'in accept: no-pod-seen',
      ],
    ];
    for (const [accept, who, json] of lacking) {
      const verdict = judge({ accept }, { evidence });
      expect(verdict).toEqual({ counts: false, why: expect.stringContaining(who) });
      expect(verdict).toEqual({ counts: false, why: expect.stringContaining(json) });
    }
  });
});

describe('the second person', () => {
  test('production counts no approval by the requester, whatever the case and the blanks of the name', () => {
    fc.assert(
      fc.property(retyped('ada@example.org'), retyped('ada@example.org'), (by, requestedBy) =>
        expect(
          judge({ by }, { request: aRequest({ environment: 'production', requestedBy }) }),
        ).toEqual({
          counts: false,
          why: expect.stringMatching(/second person/),
        }),
      ),
    );
  });

  test('outside production the requester may approve', () => {
    expect(judge({ by: 'ada@example.org' })).toMatchObject({ counts: true });
  });

  test('one e-mail address that started and sent is one person, whatever names were given', () => {
    fc.assert(
      fc.property(retyped('ada@example.org'), (identity) => {
        const both = inProduction({
          starter: { identity: 'ada@example.org' },
          sender: { identity },
        });
        expect(judge({}, both)).toMatchObject({ counts: false });
      }),
    );
  });

  test('two e-mail addresses are two people', () => {
    const both = inProduction({
      starter: { identity: 'ada@example.org' },
      sender: { identity: 'grace@example.org' },
    });
    expect(judge({}, both)).toMatchObject({ counts: true });
  });

  test.each([
    '4711@worker-1',
    ' 1@short-url-manager-6c9f7d',
    'history-service',
    'temporal-cli',
    '',
  ])('the identity "%s" proves nothing, though both events carry it', (identity) => {
    expect(judge({}, inProduction({ starter: { identity }, sender: { identity } }))).toMatchObject({
      counts: true,
    });
  });

  test('one principal of the server’s own is one person', () => {
    const ada = { identity: '', principal: 'user:ada' };
    expect(judge({}, inProduction({ starter: ada, sender: ada }))).toMatchObject({ counts: false });
    const grace = { ...ada, principal: 'user:grace' };
    expect(judge({}, inProduction({ starter: ada, sender: grace }))).toMatchObject({
      counts: true,
    });
    expect(judge({}, inProduction({ starter: ada, sender: nobody }))).toMatchObject({
      counts: true,
    });
  });

  test('two principals do not make two people of one e-mail address', () => {
    const ada = { identity: 'ada@example.org' };
    const both = inProduction({
      starter: { ...ada, principal: 'user:1' },
      sender: { ...ada, principal: 'user:2' },
    });
    expect(judge({}, both)).toMatchObject({ counts: false });
  });

  test.each([
    ['the alert receiver', 'alert', { identity: 'alerts@example.org' }],
    [
      'a Schedule',
      'schedule',
      { identity: 'temporal-scheduler-default-sweep', schedule: 'sweep/production' },
    ],
  ])(
    'a rotation that %s asked for is approved by any one person, by whatever name',
    (_, requestedBy, starter) => {
      const request = aRequest({ environment: 'production', requestedBy });
      const receiver = 'alerts@example.org';
      for (const by of ['ada@example.org', requestedBy])
        expect(judge({ by }, { request, starter, sender: nobody, receiver })).toMatchObject({
          counts: true,
        });
    },
  );

  test.each([
    ['alert', { identity: 'ada@example.org' }],
    ['alert', { identity: 'temporal-scheduler-default-sweep', schedule: 'sweep/production' }],
    ['schedule', { identity: 'alert-receiver' }],
    ['Alert', { identity: 'alert-receiver' }],
    ['ada', { identity: 'ada@example.org', schedule: 'sweep/production' }],
  ])(
    'who only calls himself %s, started by %j, is a person like any other',
    (requestedBy, starter) => {
      const request = aRequest({ environment: 'production', requestedBy });
      expect(judge({ by: requestedBy }, { request, starter })).toMatchObject({ counts: false });
      const sender = { identity: 'ada@example.org' };
      const isSame = starter.identity === sender.identity;
      expect(judge({ by: 'somebody' }, { request, starter, sender })).toMatchObject({
        counts: !isSame,
      });
    },
  );
});

describe('who may approve', () => {
  const approvers = {
    who: ['grace@example.org', 'joan@example.org', '@team.gov.uk'],
    approvals: 1,
  };

  test('an address or a domain of the list may; another may not, and is told the list’s name, not its members', () => {
    expect(judge({ by: 'Grace <GRACE@example.org>' }, { approvers })).toMatchObject({
      counts: true,
    });
    expect(judge({ by: 'anybody@team.gov.uk' }, { approvers })).toMatchObject({ counts: true });
    const { why } = judge({ by: 'mallory@example.org' }, { approvers }) as { why: string };
    expect(why).toBe('mallory@example.org is not among approvers.integration of the settings');
  });

  test('what the server recorded is looked up, not what the approver says', () => {
    const sender = { identity: 'mallory@example.org' };
    expect(judge({ by: 'grace@example.org' }, { approvers, sender })).toMatchObject({
      why: expect.stringMatching(/^mallory@example\.org is not among approvers/),
    });
    const principal = { identity: 'ui', principal: 'jwt:grace@example.org' };
    expect(judge({ by: 'Grace' }, { approvers, sender: principal })).toMatchObject({
      counts: true,
      authenticated: true,
    });
  });

  test('who is signed in signs with that name: by cannot name another', () => {
    const sender = { identity: 'grace@example.org' };
    expect(judge({ by: 'joan@example.org' }, { sender })).toMatchObject({
      why: 'the server recorded grace@example.org as the sender, and by says joan@example.org: send it under your own name',
    });
    expect(judge({ by: 'Grace' }, { sender })).toMatchObject({
      counts: true,
      by: 'grace@example.org',
    });
    const people = [['grace@example.org', 'hopper@example.org']];
    expect(judge({ by: 'hopper@example.org' }, { sender, people })).toMatchObject({ counts: true });
  });

  test('programs are no people: theirs is not the name that is looked up', () => {
    for (const identity of [
      'temporal-cli:root@bastion.example.org',
      '4711@macbook.local',
      'tctl@admintools-1',
    ])
      expect(judge({ by: 'grace@example.org' }, { approvers, sender: { identity } })).toMatchObject(
        {
          counts: true,
          by: 'grace@example.org',
          authenticated: false,
        },
      );
    expect(
      judge({ by: undefined }, { approvers, sender: { identity: '4711@team.gov.uk' } }),
    ).toMatchObject({
      by: '4711@team.gov.uk',
      authenticated: true,
    });
  });

  test('where the server recorded nobody, the approver’s word counts, and that is said', () => {
    expect(judge({}, { sender: { identity: '4711@host' } })).toMatchObject({
      counts: true,
      authenticated: false,
    });
    expect(judge({}, { sender: { identity: 'grace@example.org' } })).toMatchObject({
      authenticated: true,
    });
  });

  test('a name that mixes scripts signs nothing', () => {
    expect(judge({ by: 'grасe@example.org' })).toMatchObject({
      why: expect.stringMatching(/letters of two scripts/),
    });
  });
});

describe('a second person in production', () => {
  const ASKED = 'ada@example.org';
  test.each([
    ['a zero-width space', 'ad\u200ba@example.org'],
    ['a soft hyphen', 'ada@exam\u00adple.org'],
    ['a dot at the end', 'ada@example.org.'],
    ['a display name', 'Ada <ada@example.org>'],
    ['another address of hers, by the settings', 'lovelace@example.com'],
  ])('is not the same one with %s', (_, by) => {
    const people = [[ASKED, 'lovelace@example.com']];
    const request = aRequest({ environment: 'production', requestedBy: ASKED });
    expect(judge({ by }, { request, people })).toMatchObject({
      why: expect.stringMatching(/needs a second person/),
    });
  });

  test('is not the same identity, though it looks like a process', () => {
    for (const identity of ['4711@digital.cabinet-office.gov.uk', 'ada@localhost'])
      expect(
        judge({}, inProduction({ starter: { identity }, sender: { identity } })),
      ).toMatchObject({
        why: expect.stringMatching(/needs a second person/),
      });
  });
});

describe('two approvals', () => {
  const approvers = { who: ['@example.org'], approvals: 2 };
  const given = [{ names: ['grace@example.org'], revoke: [101] }];

  test('the first leaves one missing, the second none', () => {
    expect(judge({}, { approvers })).toMatchObject({
      counts: true,
      missing: 1,
      names: ['grace@example.org'],
    });
    expect(judge({ by: 'joan@example.org' }, { approvers, given })).toMatchObject({
      counts: true,
      missing: 0,
    });
  });

  test('are of two people: nobody approves twice, under no name of theirs', () => {
    const people = [['grace@example.org', 'hopper@example.org']];
    for (const by of ['GRACE@example.org', 'hopper@example.org'])
      expect(judge({ by }, { approvers, given, people })).toMatchObject({
        why: expect.stringMatching(/has approved this evidence already: it needs another person$/),
      });
    const sender = { identity: 'grace@example.org' };
    expect(judge({ by: 'joan@example.org' }, { approvers, given, sender })).toMatchObject({
      counts: false,
    });
  });

  test('cover the same tokens', () => {
    const other = [{ names: ['grace@example.org'], revoke: [100, 101] }];
    expect(judge({ by: 'joan@example.org' }, { approvers, given: other })).toMatchObject({
      why: 'the first approval covers 100, 101, this one 101: approve the same, or send retry to begin again',
    });
  });
});
