import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  test,
} from '../support/jest.ts';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { isPolled } from '../../client/polling.ts';
import type { SweepReport } from '../../domain/sweep/sweep.ts';
import type { Authorisation } from '../../sandbox/world-state.ts';
import { commandLine } from '../support/command-line.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

const PUBLISHER = 'manuals-publisher@alphagov.co.uk';
const ALONE = 'left-alone@alphagov.co.uk';
const BY = ['--reason', 'in a public log', '--by', 'ada@example.org'];
const APPLICATIONS = ['asset-manager', 'email-alert-api', 'link-checker-api', 'publishing-api'];

let stage: Stage;
let cli: ReturnType<typeof commandLine>;
async function setStage(gathers: object = {}): Promise<void> {
  const specialCases = [
    { apiUser: 'Left alone', outcome: 'referred', why: 'it has a page of its own' },
  ];
  const settings = { ...gathers, specialCases };
  stage = await Stage.set({}, settings, { also: [['manuals-publisher', 'asset-manager']] });
  stage.addApiUser('Left alone', ALONE);
  cli = commandLine(stage);
  await stage.worker();
  await until(
    'the worker to poll',
    async () => (await isPolled(stage.client, 'integration')) || undefined,
  );
}

/** The tokens of Manuals publisher that live. */
const alive = (): Authorisation[] => {
  const { apiUsers, authorisations } = stage.sandbox.world.state;
  const user = apiUsers.find(({ email }) => email === PUBLISHER)!;
  return authorisations.filter(
    ({ apiUserId, revokedAt }) => apiUserId === user.id && revokedAt === undefined,
  );
};
const masked = ({ token }: Authorisation): string => `${token.slice(0, 8)}…${token.slice(-8)}`;

describe('where requests for a sync are gathered', () => {
  beforeAll(() =>
    setStage({
      syncGathering: { quietFor: '4 seconds', atMost: '20 seconds', askAgainAfter: '5 seconds' },
    }),
  );
  afterAll(() => stage.strike());

  test('every token of an API user is rotated by force, with one sync, and lives until its revoke is approved', async () => {
    const before = alive();
    const leaked = await cli(['leak', PUBLISHER, ...BY, '--wait']);
    expect(leaked.code).toBe(EXIT.done);
    expect(leaked.out).toContain(`Started leak/integration/${PUBLISHER}.`);
    expect(leaked.err).toContain('The leaked tokens work until their revokes are approved');
    expect(leaked.out).toMatch(/Outcome: swept[^]* 4 waiting-approval/);
    const { world } = stage.sandbox;
    expect(world.happened).toMatchObject({ jobs: [expect.anything()], revoked: [] });
    expect(alive()).toHaveLength(2 * before.length);
    const approved = await cli(
      [
        'approve',
        '--waiting',
        '--json',
        '--by',
        'grace@example.org',
        '--accept',
        'no-pod-seen',
        '--accept',
        'not-smoke-tested',
      ],
      {
        lines: ['integration'],
      },
    );
    expect(approved.code).toBe(EXIT.done);
    const revoked = world.happened.revoked.map(({ id }) => id);
    expect(new Set(revoked)).toEqual(new Set(before.map(({ id }) => id)));
    expect(world.happened.outages).toEqual([]);
  });
});

describe('with a stage of its own', () => {
  beforeEach(() => setStage());
  afterEach(() => stage.strike());

  test('the applications that are named are rotated, and no other', async () => {
    await cli(['leak', PUBLISHER, 'Link Checker API', ...BY, '--wait']);
    const listed = await cli(['list', '--json']);
    expect(
      (listed.json as { application: string }[]).map(({ application }) => application),
    ).toEqual(['link-checker-api']);
  });

  test.each(['ends', 'whole'] as const)(
    'a token that leaked is enough to find its pair: its %s',
    async (known) => {
      const token = alive()[2]!;
      const { out, err } =
        known === 'ends'
          ? await cli(['leak', '--token', masked(token).replace('…', '...'), ...BY, '--wait'])
          : await cli(['leak', '--token', ...BY, '--wait'], { lines: [` ${token.token}\n`] });
      expect(err).toContain(
        `${masked(token)} (authorisation ${token.id}) is a token of ${PUBLISHER} → `,
      );
      expect(out).toMatch(/ 1 waiting-approval/);
      expect(out + err).not.toContain(token.token);
      const { events = [] } = await stage.client.workflow
        .getHandle(`leak/integration/${PUBLISHER}`)
        .fetchHistory();
      expect(JSON.stringify(events)).not.toContain(
        Buffer.from(token.token).toString('base64').slice(4, 40),
      );
    },
  );

  test('a rotation that was open before may keep the leaked token: leak names it, says what to do, and exits by it', async () => {
    await cli(['start', PUBLISHER, 'link-checker-api', '--by', 'ada@example.org']);
    const open = `rotate-token/integration/${PUBLISHER}/link-checker-api`;
    const { code, out, err } = await cli(['leak', PUBLISHER, ...BY, '--wait']);
    expect(code).toBe(EXIT.notAccepted);
    const abort =
      'its open rotation may adopt a token from before the leak: abort it, and run leak';
    expect(err).toContain(`${open}: ${abort} again.`);
    expect(out).toMatch(/Outcome: swept. 1 rotation of it, open before, may keep a leaked token/);
  });

  test('an application that is misspelt beside a good one is named, and no success', async () => {
    const { code, err } = await cli(['leak', PUBLISHER, 'asset-manager', 'no-such-api', ...BY]);
    expect(code).toBe(EXIT.notAccepted);
    expect(err).toContain('no-such-api: Signon lists no token for it: check its name.');
  });

  test('a leak that is blocked needs a person, and is no success', async () => {
    stage.sandbox.world.state.account.password = 'another';
    const { code, out } = await cli(['leak', PUBLISHER, ...BY]);
    expect(code).toBe(EXIT.needsPerson);
    expect(out).toContain('SignInRefused');
  });

  test('a leak whose rotations block is no success, and says how to see each', async () => {
    const { world } = stage.sandbox;
    world.sync.fails = 1;
    const { code, err } = await cli(['leak', PUBLISHER, 'Link Checker API', ...BY, '--wait']);
    expect(code).toBe(EXIT.needsPerson);
    expect(err).toContain(
      `blocked, so its leaked token still works: npx signon-rotation show ${PUBLISHER} link-checker-api --environment integration`,
    );
  });

  test('an API user that the settings leave alone starts nothing, and leak says why', async () => {
    const { code, out, err } = await cli(['leak', ALONE, ...BY, '--wait']);
    expect(code).toBe(EXIT.nothing);
    expect(out + err).toContain('publishing-api: referred: Left alone: it has a page of its own');
    expect(out + err).not.toContain('it has no live token');
  });

  test('a leak that nothing answers for is said to, and not called handled', async () => {
    // A workflow of another kind has no such query, and fails each at once.
    await stage.client.workflow.start('signInLedger', {
      workflowId: `leak/integration/${PUBLISHER}`,
      taskQueue: 'signon-rotation-integration',
    });
    const { code, err } = await cli(['leak', PUBLISHER, ...BY]);
    expect(code).toBe(EXIT.noWorker);
    expect(err).toContain('was started, but does not answer: see the worker’s log');
  });

  test('what fits two tokens starts nothing', async () => {
    const [first, second] = alive() as [Authorisation, Authorisation];
    second.token = first.token.slice(0, 8) + second.token.slice(8, -8) + first.token.slice(-8);
    const two = await cli(['leak', '--token', masked(first), ...BY]);
    expect(two).toMatchObject({
      code: EXIT.usage,
      err: expect.stringMatching(/fits 2 tokens: .*Name the API user\.$/),
    });
  });

  test('started under another id it hands over to the API user’s, which is the lock', async () => {
    const request = {
      environment: 'integration',
      apiUser: PUBLISHER,
      requestedBy: 'ada@example.org',
      reason: 'a leak',
    };
    const taskQueue = 'signon-rotation-integration';
    const report = (await stage.client.workflow.execute('rotateApiUser', {
      workflowId: 'any',
      taskQueue,
      args: [request],
    })) as SweepReport;
    expect(report).toMatchObject({
      outcome: 'delegated',
      why: `the sweep runs as leak/integration/${PUBLISHER}`,
    });
    const again = await cli(['leak', PUBLISHER, ...BY, '--wait']);
    expect(again.out).toContain('is open already; nothing was started.');
    // Whether it was an old token that leaked, or one that this leak issued, nobody knows.
    expect(again.code).toBe(EXIT.notAccepted);
    expect(again.err).toContain('link-checker-api: its rotation began before');
    expect(again.err).toContain('If its new token leaked too');
  });
});

describe('that is of no use', () => {
  beforeAll(() => setStage());
  afterAll(() => stage.strike());

  test.each([
    [
      ['leak', 'nobody@alphagov.co.uk', ...BY, '--wait'],
      EXIT.nothing,
      /Nothing was started: Signon lists \d+ API users, none with the e-mail/,
    ],
    [
      ['leak', PUBLISHER, 'no-such-api', ...BY, '--wait'],
      EXIT.nothing,
      /Nothing was started: no token of manuals-publisher\S+ is rotated: .*Signon lists no token for it: check its name/,
    ],
    [
      ['leak', '--token', 'aaaaaaaa…bbbbbbbb', ...BY],
      EXIT.nothing,
      /Signon lists no token aaaaaaaa…bbbbbbbb in integration; nothing was started/,
    ],
    [['leak', ...BY], EXIT.usage, /Name an API user, or say --token/],
    [['leak', 'no address', ...BY], EXIT.usage, /apiUser: expected an e-mail address/],
    [['leak', PUBLISHER, '--by', 'ada@example.org'], EXIT.usage, /required option '--reason/],
    [
      ['leak', '--token', 'a'.repeat(43), ...BY],
      EXIT.usage,
      /A whole token does not belong on a command line/,
    ],
  ])('%j starts no rotation, and says why', async (args, code, why) => {
    const ran = await cli(args);
    expect({ code: ran.code, said: ran.out + ran.err }).toEqual({
      code,
      said: expect.stringMatching(why),
    });
    expect(ran.out + ran.err).not.toContain('a'.repeat(43));
    expect(alive()).toHaveLength(APPLICATIONS.length);
  });
});
