import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  test,
} from '../support/jest.ts';
import { defineSearchAttributeKey } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { parse } from 'yaml';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { isPolled } from '../../client/polling.ts';
import { rotationId } from '../../domain/request/request.ts';
import { attributesOf, pairsOf } from '../../domain/rotation/index.ts';
import { changedBundle } from '../support/changed-bundle.ts';
import { commandLine } from '../support/command-line.ts';
import { REQUEST } from '../support/request.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

const PAIR = [REQUEST.apiUser, REQUEST.application];
const ID = rotationId(REQUEST);
const KEYWORD = 2; // of Temporal's IndexedValueType
const GRACE = ['--by', 'grace@example.org'];

let stage: Stage;
let cli: ReturnType<typeof commandLine>;

async function setStage(): Promise<void> {
  stage = await Stage.set({}, {}, { also: [['collections', 'email-alert-api']] });
  cli = commandLine(stage);
  await stage.worker();
  await until(
    'the worker to poll',
    async () => (await isPolled(stage.client, 'integration')) || undefined,
  );
}

const waiting = (id = ID): Promise<unknown> =>
  until(`${id} to wait`, async () => {
    const { json } = await cli(['list', '--waiting', '--json']);
    return (json as { workflowId: string; status?: { waiting?: object } }[]).find(
      ({ workflowId, status }) => workflowId === id && status?.waiting,
    );
  });

describe('with a pair that nobody rotated before', () => {
  beforeEach(setStage);
  afterEach(() => stage.strike());

  test('start starts under the pair’s id and links to its details; a second start says that it is open', async () => {
    const first = await cli(['start', ...PAIR, ...GRACE, '--reason', 'the alert']);
    expect(first).toMatchObject({ code: EXIT.done, err: '' });
    expect(first.out).toContain(`Started ${ID}.`);
    const { namespace } = stage;
    const [link] = /(?<=Watch it: )\S+/.exec(first.out) ?? [];
    expect(link).toMatch(
      `https://temporal.example.org/namespaces/${namespace}/workflows/rotate-token%2F`,
    );
    expect(link).toMatch(/\/user-metadata$/);
    const second = await cli([
      'start',
      'Short-URL-Manager@alphagov.co.uk',
      'Publishing API',
      ...GRACE,
    ]);
    expect(second).toMatchObject({
      code: EXIT.done,
      out: expect.stringContaining(`${ID} is open already`),
    });
    // The open one may adopt the token that leaked.
    expect(await cli(['start', ...PAIR, '--force', ...GRACE])).toMatchObject({
      code: EXIT.notAccepted,
      err: expect.stringMatching(
        /without --force\. If so, replace it: npx signon-rotation abort \S+ publishing-api --environment integration --reason/,
      ),
    });
    await waiting(); // a worker that is stopped while it signs in waits up to 40 s for leave to
  });

  test('list shows what each rotation waits for, show the checklist and the evidence', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await waiting();
    const listed = await cli(['list', '--waiting']);
    expect(listed.out).toMatch(/STAGE +AGE +PAIR +WAITS FOR/);
    expect(listed.out).toMatch(
      /waiting-approval .* short-url-manager@alphagov\.co\.uk → publishing-api +approval/,
    );
    const narrow = await cli(['list', '--waiting'], { width: 60 });
    expect(Math.max(...narrow.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
    const wide = await cli(['list', '--output', 'wide']);
    expect(wide.out).toMatch(
      /grace@example\.org +rotate-token\/integration\/\S+ +https:\S+\/user-metadata$/,
    );
    const yaml = await cli(['list', '-o', 'yaml']);
    expect(parse(yaml.out)).toMatchObject([
      { workflowId: ID, stage: 'waiting-approval', waitsFor: 'approval' },
    ]);
    const shown = await cli(['show', ...PAIR]);
    expect(shown.out).toMatch(/✓ issue: issued: \S{8}…\S{8} \(authorisation \d+\)/);
    expect(shown.out).toMatch(/app of Deployment\/short-url-manager +✓ 2 pods +✓ passed/);
    expect(shown.out).toMatch(/Not proven: no-pod-seen: cron-task of CronJob/);
    expect(shown.out).toMatch(/Evidence code: [0-9a-f]{8}/);
    expect(shown.out).toContain(
      'To approve the revoke: npx signon-rotation approve short-url-manager@alphagov.co.uk publishing-api --environment integration --accept no-pod-seen',
    );
  });

  test('as much of the names as one rotation alone has is enough, except to start one', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await cli(['start', 'short-url-manager@alphagov.co.uk', 'no-such-api', ...GRACE]);
    await waiting();
    for (const names of [['short-url-manager', 'publishing-api'], [ID]])
      expect((await cli(['show', ...names])).out).toMatch(
        /^short-url-manager@alphagov\.co\.uk → publishing-api /,
      );
    const both = await until('both to be listed', async () => {
      const shown = await cli(['show', 'short-url-manager']);
      return shown.code === EXIT.usage ? shown : undefined;
    });
    expect(both.err).toBe(
      `short-url-manager matches several rotations. Use one of these ids:\n${ID}\nrotate-token/integration/short-url-manager@alphagov.co.uk/no-such-api`,
    );
    expect(await cli(['show', 'short-url'])).toMatchObject({ code: EXIT.nothing });
    expect(await cli(['start', 'short-url-manager', 'publishing-api', ...GRACE])).toMatchObject({
      code: EXIT.usage,
    });
  });

  test('approve names what was not shown and sends nothing until it is accepted by name', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await waiting();
    const lacking = await cli(['approve', ...PAIR, ...GRACE], { lines: ['integration'] });
    expect(lacking).toMatchObject({ code: EXIT.notAccepted, out: '' });
    expect(lacking.err).toContain('To approve all the same, add: --accept no-pod-seen');
    expect(stage.sandbox.world.happened.revoked).toEqual([]);
  });

  test('approve does not ask in vain: the new token, or a stranger’s, cannot be named', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await waiting();
    const newest = Math.max(...stage.tokens().map(({ id }) => id));
    const named = await cli([
      'approve',
      '--accept',
      'no-pod-seen',
      '--revoke',
      String(newest),
      ...PAIR,
      ...GRACE,
    ]);
    expect(named.code).toBe(EXIT.notAccepted);
    expect(named.err).toContain(
      `authorisation ${newest} is not among the tokens this evidence offers to revoke`,
    );
    expect(named.err).not.toContain('to go on:');
  });

  test.each([['yes'], ['production'], []])(
    'approve asks, naming the environment; %j is no yes',
    async (...lines) => {
      await cli(['start', ...PAIR, ...GRACE]);
      await waiting();
      const declined = await cli(['approve', ...PAIR, ...GRACE, '--accept', 'no-pod-seen'], {
        lines,
      });
      expect(declined.code).toBe(EXIT.declined);
      expect(declined.err).toMatch(
        /Revoke 1 token in integration: \S{8}…\S{8} \(authorisation \d+\)\? Type integration to continue/,
      );
      expect(stage.sandbox.world.happened.revoked).toEqual([]);
    },
  );

  test('start --wait and show --watch end once a person is needed, by an exit code of their own', async () => {
    const waited = await cli(['start', ...PAIR, ...GRACE, '--wait']);
    expect(waited.code).toBe(EXIT.needsPerson);
    expect(waited.out).toMatch(
      /Approve: revoke 1 token in integration\?[^]*Evidence code: [0-9a-f]{8}/,
    );
    const watched = await cli(['show', ...PAIR, '--watch']);
    expect(watched.code).toBe(EXIT.needsPerson);
  });

  test('approve --evidence asks nothing, and takes the code that stands for the evidence now alone', async () => {
    await cli(['start', ...PAIR, ...GRACE, '--wait']);
    const [code] = /(?<=Evidence code: )\w+/.exec((await cli(['show', ...PAIR])).out) ?? [];
    const accepting = ['approve', ...PAIR, ...GRACE, '--accept', 'no-pod-seen'];
    const stale = await cli([...accepting, '--evidence', '00000000']);
    expect(stale).toMatchObject({
      code: EXIT.notAccepted,
      err: expect.stringContaining(`Its code is ${code}`),
    });
    expect(stage.sandbox.world.happened.revoked).toEqual([]);
    for (const empty of ['', code!])
      expect(await cli(['approve', '--waiting', ...GRACE, '--evidence', empty])).toMatchObject({
        code: EXIT.usage,
      });
    expect(stage.sandbox.world.happened.revoked).toEqual([]);
    expect(await cli([...accepting, '--evidence', code!])).toMatchObject({ code: EXIT.done });
    expect(stage.sandbox.world.happened.revoked).toHaveLength(1);
  });

  test('without a terminal nothing is answered, so nothing is sent', async () => {
    await cli(['start', ...PAIR, ...GRACE, '--wait']);
    const approved = await cli(['approve', ...PAIR, ...GRACE, '--accept', 'no-pod-seen'], {
      lines: [],
    });
    expect(approved).toMatchObject({
      code: EXIT.declined,
      err: expect.stringContaining('needs a terminal'),
    });
  });

  test('approve shows the evidence, revokes exactly that, and show tells how it ended', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await waiting();
    const before = stage.sandbox.world.happened.revoked.length;
    const approved = await cli(['approve', ...PAIR, ...GRACE, '--accept', 'no-pod-seen'], {
      lines: ['integration'],
    });
    expect(approved.out).toMatch(
      new RegExp(
        `^${ID}: approved by grace@example.org; revoked( \\S{17}; confirm follows|; it ended as rotated)$`,
      ),
    );
    expect(approved.code).toBe(EXIT.done);
    expect(stage.sandbox.world.happened.revoked).toHaveLength(before + 1); // it waited for that
    expect(approved.err).toMatch(
      /Revokes: \S{8}…\S{8} \(authorisation \d+\), expires \S+, no container holds it any longer[^]*Seen with \S{8}…\S{8}, at most 3 named: app in \S+/,
    );
    const watched = await cli(['show', ...PAIR, '--watch']);
    expect(watched.out).toContain('Outcome: rotated\n');
    expect(stage.sandbox.world.happened.revoked).toHaveLength(before + 1);
    const { approvals } = (await stage.client.workflow.getHandle(ID).result()) as {
      approvals: object[];
    };
    // anybody may type --by
    expect(approvals).toMatchObject([{ by: 'grace@example.org', authenticated: false }]);
    const again = await cli(['approve', ...PAIR, ...GRACE], { lines: ['integration'] });
    expect(again).toMatchObject({ code: EXIT.nothing, err: `${ID} is not open: it is completed.` });
  });

  test('approve says why nothing was revoked where the evidence no longer holds, and exits by it', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await waiting();
    const { world } = stage.sandbox;
    const accepting = [...PAIR, ...GRACE, '--accept', 'no-pod-seen'];
    const asked = async (): Promise<void> => void stage.issue(REQUEST.apiUser, 800);
    const voided = await cli(['approve', ...accepting], { lines: ['integration'], asked });
    expect(voided.code).toBe(EXIT.notAccepted);
    expect(voided.out).toMatch(
      /approved by grace@example.org; NOT revoked: an approval is asked for again.*appeared/,
    );
    expect(world.happened.revoked).toEqual([]);
    const early = await cli(['approve', ...accepting, '--no-wait'], { lines: ['integration'] });
    expect(early).toMatchObject({ code: EXIT.done, out: `${ID}: approved by grace@example.org` });
  });

  test('approve --waiting asks once, sends each its own code, and leaves out what needs a name', async () => {
    const collections = ['collections@alphagov.co.uk', 'email-alert-api'] as const;
    const other = rotationId({ ...REQUEST, apiUser: collections[0], application: collections[1] });
    for (const pair of [PAIR, collections]) await cli(['start', ...pair, ...GRACE]);
    for (const id of [ID, other]) await waiting(id);
    const none = await cli(
      ['approve', '--waiting', '--json', ...GRACE, '--accept', 'not-smoke-tested'],
      {
        lines: ['integration'],
      },
    );
    expect(
      none.err.match(/LEFT OUT: not proven: .*To approve all the same, add: --accept no-pod-seen/g),
    ).toHaveLength(1);
    expect(none.json).toMatchObject([{ workflowId: other, accepted: true }]);
    await waiting();
    const { code, err, json } = await cli(
      ['approve', '--waiting', '--json', ...GRACE, '--accept', 'no-pod-seen'],
      {
        lines: ['integration'],
      },
    );
    expect({ code, json }).toMatchObject({
      code: EXIT.done,
      json: [{ workflowId: ID, accepted: true }],
    });
    expect(err.match(/Type integration to continue/g)).toHaveLength(1);
    await until(
      'both revokes',
      () => stage.sandbox.world.happened.revoked.length === 2 || undefined,
    );
  });

  test('retry --blocked-by lets go all that one failure blocks, and nothing else', async () => {
    const strangers = [
      ['nobody@alphagov.co.uk', 'publishing-api'],
      ['no-one@alphagov.co.uk', 'publishing-api'],
    ] as const;
    for (const pair of [...strangers, PAIR]) await cli(['start', ...pair, ...GRACE]);
    for (const [apiUser] of strangers) await waiting(rotationId({ ...REQUEST, apiUser }));
    await waiting();
    const none = await cli(['retry', '--blocked-by', 'SyncJobFailed', ...GRACE]);
    expect(none).toMatchObject({
      code: EXIT.nothing,
      err: 'No rotation is blocked by SyncJobFailed in integration.',
    });
    const accepting = ['retry', '--blocked-by', 'UnknownApiUser', '--accept', 'unlisted-token'];
    expect(await cli([...accepting, ...GRACE])).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('one person’s word on one token'),
    });
    const both = await cli(['retry', '--blocked-by', 'UnknownApiUser', '--json', ...GRACE]);
    expect(both.json).toMatchObject([{ accepted: true }, { accepted: true }]);
  });

  test('approve --waiting and retry --blocked-by name a rotation that does not answer, and exit by it', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await cli(['start', 'nobody@alphagov.co.uk', 'publishing-api', ...GRACE]);
    const blocked = rotationId({ ...REQUEST, apiUser: 'nobody@alphagov.co.uk' });
    for (const id of [ID, blocked]) await waiting(id);
    const asked = { ...REQUEST, apiUser: 'silent@alphagov.co.uk' };
    const silent = rotationId(asked);
    // Its worker knows no such query, which fails at once: no answer at all would take 20 s.
    const workflowBundle = await changedBundle(
      { file: 'domain/names/names.ts', find: "= 'status'", replace: "= 'another'" },
      {
        file: 'workflows/rotation/rotate-token.ts',
        find: 'const leftAlone = whyLeftAlone',
        replace: 'await new Promise(() => undefined);\n    const leftAlone = whyLeftAlone',
      },
    );
    const connection = await NativeConnection.connect({ address: stage.temporal.address });
    const { namespace } = stage;
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: 'silent',
      workflowBundle,
    });
    await worker.runUntil(async () => {
      await stage.client.workflow.start('rotateToken', {
        workflowId: silent,
        taskQueue: 'silent',
        args: [asked],
        typedSearchAttributes: pairsOf({ ...attributesOf(asked), RotationStage: 'blocked' }),
      });
      await until('the silent one to be listed', async () => {
        const { json } = await cli(['list', '--waiting', '--json']);
        return (json as { workflowId: string }[]).some(({ workflowId }) => workflowId === silent);
      });
      const left = `LEFT OUT: ${silent} does not answer`;
      const retried = await cli(['retry', '--blocked-by', 'UnknownApiUser', ...GRACE]);
      expect(retried).toMatchObject({
        code: EXIT.notAccepted,
        out: expect.stringContaining(`${blocked}: retrying`),
        err: expect.stringContaining(left),
      });
      const accepting = ['--accept', 'no-pod-seen', '--accept', 'not-smoke-tested'];
      const approve = ['approve', '--waiting', '--no-wait', ...GRACE, ...accepting];
      expect(await cli(approve, { lines: ['integration'] })).toMatchObject({
        code: EXIT.notAccepted,
        out: expect.stringContaining(`${ID}: approved`),
        err: expect.stringContaining(left),
      });
      const none = await cli(['retry', '--blocked-by', 'SyncJobFailed', ...GRACE]);
      expect(none).toMatchObject({ code: EXIT.noWorker, err: expect.stringContaining(left) });
    });
    await connection.close();
  });

  test('abort asks and ends; reject of what waits for nothing is answered by the rotation', async () => {
    await cli(['start', 'nobody@alphagov.co.uk', 'publishing-api', ...GRACE]);
    const id = rotationId({ ...REQUEST, apiUser: 'nobody@alphagov.co.uk' });
    await waiting(id);
    const end = ['nobody@alphagov.co.uk', 'publishing-api', ...GRACE, '--reason', 'no such user'];
    const rejected = await cli(['reject', ...end], { lines: ['integration'] });
    expect(rejected).toMatchObject({
      code: EXIT.notAccepted,
      out: expect.stringContaining('no approval is asked for now'),
    });
    expect((await cli(['abort', ...end], { lines: ['no'] })).code).toBe(EXIT.declined);
    const aborted = await cli(['abort', ...end], { lines: ['integration'] });
    expect(aborted).toMatchObject({
      code: EXIT.done,
      out: `${id}: stopping: asked by grace@example.org`,
    });
    expect(await stage.client.workflow.getHandle(id).result()).toMatchObject({
      outcome: 'aborted',
    });
  });

  test('abort ends no other rotation than the one it asked about', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    const { client } = stage;
    const asked = async (): Promise<void> => {
      await client.workflow.getHandle(ID).terminate('by a colleague');
      await cli(['start', ...PAIR, ...GRACE, '--force']);
    };
    const abort = ['abort', ...PAIR, ...GRACE, '--reason', 'not this week'];
    expect(await cli(abort, { lines: ['integration'], asked })).toMatchObject({
      code: EXIT.notAccepted,
      err: expect.stringContaining(`that rotation has ended, and ${ID} is another by now`),
    });
    expect((await client.workflow.getHandle(ID).describe()).status.name).toBe('RUNNING');
  });

  test('classify is answered by the rotation', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await waiting();
    const { code, out } = await cli(['classify', ...PAIR, ...GRACE, '--as', 'disused']);
    expect({ code, out }).toEqual({
      code: EXIT.notAccepted,
      out: `${ID}: classify not accepted: nothing waits for a classification`,
    });
    const misshapen = await cli(['classify', ...PAIR, ...GRACE, '--as', 'internal']);
    expect(misshapen).toMatchObject({
      code: EXIT.notAccepted,
      out: expect.stringContaining('workload: expected a kind and a name'),
    });
  });

  test('what was terminated, or failed, waits for nothing any more, and is said to', async () => {
    await cli(['start', ...PAIR, ...GRACE]);
    await waiting();
    await stage.client.workflow.getHandle(ID).terminate();
    const shown = await cli(['show', ...PAIR]);
    expect(shown).toMatchObject({
      code: EXIT.done,
      out: expect.stringContaining(`${ID} ended as terminated`),
    });
    await until('list to say so', async () =>
      /^terminated .*publishing-api/m.test((await cli(['list', '--closed'])).out),
    );
    for (const command of ['approve', 'abort'])
      expect(
        await cli([command, ...PAIR, ...GRACE, ...(command === 'abort' ? ['--reason', 'x'] : [])]),
      ).toMatchObject({
        code: EXIT.nothing,
        err: `${ID} is not open: it is terminated.`,
      });
    const bad = {
      workflowId: ID,
      taskQueue: 'signon-rotation-integration',
      args: [{ environment: 'integration' }],
    };
    await stage.client.workflow.execute('rotateToken', bad).catch(() => undefined);
    const failed = await cli(['show', ...PAIR, '--watch']);
    expect(failed.code).toBe(EXIT.failed);
    expect(failed.out).toMatch(
      /ended as failed: apiUser: expected an e-mail address, e\.g\. \S+, got nothing/,
    );
  });

  test('one rotation that is gone keeps no other from its decision, and each has its answer', async () => {
    const collections = ['collections@alphagov.co.uk', 'email-alert-api'] as const;
    const there = rotationId({ ...REQUEST, apiUser: collections[0], application: collections[1] });
    for (const pair of [PAIR, collections]) await cli(['start', ...pair, ...GRACE]);
    for (const id of [ID, there]) await waiting(id);
    const accepting = ['--accept', 'no-pod-seen', '--accept', 'not-smoke-tested'];
    const { code, json } = await cli(
      ['approve', '--waiting', '--no-wait', '--json', ...GRACE, ...accepting],
      {
        lines: ['integration'],
        asked: () => stage.client.workflow.getHandle(ID).terminate(),
      },
    );
    expect(code).toBe(EXIT.notAccepted);
    expect(json).toEqual([
      { workflowId: ID, accepted: false, answer: 'it is not open any more' },
      { workflowId: there, accepted: true, answer: 'approved by grace@example.org' },
    ]);
  });

  test('a rotation that was started with search attributes of somebody’s own is listed too', async () => {
    await stage.client.connection.operatorService.addSearchAttributes({
      namespace: stage.namespace,
      searchAttributes: Object.fromEntries([['Team', KEYWORD]]),
    });
    await until('the attribute', () =>
      stage.client.workflow
        .start('rotateToken', {
          workflowId: ID,
          taskQueue: 'signon-rotation-integration',
          args: [REQUEST],
          typedSearchAttributes: [
            { key: defineSearchAttributeKey('Team', 'KEYWORD'), value: 'platform' },
          ],
        })
        .catch(() => undefined),
    );
    expect(await waiting()).toMatchObject({ workflowId: ID });
  });

  test('text from outside cannot steer the terminal', async () => {
    const control = await cli(['start', ...PAIR, '--by', 'mallory \u001b[2J@example.org']);
    expect(control).toMatchObject({
      code: EXIT.usage,
      err: expect.stringMatching(/^requestedBy: expected/),
    });
    await cli(['start', ...PAIR, '--by', 'mallory \u202e\u200b@example.org']);
    await waiting();
    const { out } = await cli(['show', ...PAIR]);
    expect(out).toContain('requested by mallory ��@example.org');
    const json = await cli(['show', ...PAIR, '--json']);
    expect(json.out).toContain(String.raw`mallory \u202e\u200b@example.org`);
    expect(json.json).toMatchObject({
      request: { requestedBy: 'mallory \u202e\u200b@example.org' },
    });
    expect((await cli(['show', ...PAIR, '-o', 'yaml'])).out).toContain('mallory ��@example.org');
  });
});

describe('with a worker and no rotation', () => {
  beforeAll(setStage);
  afterAll(() => stage.strike());

  test('what does not exist is said to, with how to start it', async () => {
    const { code, err } = await cli(['show', 'never@alphagov.co.uk', 'publishing-api']);
    expect(code).toBe(EXIT.nothing);
    expect(err).toContain(
      'There is no rotation rotate-token/integration/never@alphagov.co.uk/publishing-api.',
    );
    expect(err).toContain(
      'signon-rotation start never@alphagov.co.uk publishing-api --environment integration',
    );
    expect(err).toMatch(
      /or here: https:\S+\/workflows\/start-workflow\?workflowId=rotate-token%2F/,
    );
  });

  test.each([
    [
      ['start', 'not an address', 'publishing-api', ...GRACE],
      /apiUser: expected an e-mail address/,
    ],
    [['start', ...PAIR], /Say who you are: --by/],
    [['approve'], /Name one rotation, or say --waiting/],
    [['approve', ...PAIR, '--revoke', 'all', ...GRACE], /expected authorisation ids/],
    [['reject', ...PAIR, ...GRACE], /required option '--reason/],
    [['retry', ...GRACE], /Name one rotation, or say --blocked-by/],
    [['frobnicate'], /unknown command/],
    [
      ['show', 'rotate-token/production/a@b.example/publishing-api'],
      /not an id of a rotation of integration/,
    ],
    [
      ['list', '--environment', 'prod'],
      /prod is not one of integration, staging, production\. Did you mean production\?/,
    ],
    [['list', '--output', 'xml'], /option '-o, --output <format>' argument 'xml' is invalid/],
    [['retry', REQUEST.apiUser, 'Support', 'API', ...GRACE], /quote a name of several words/],
    [['retry', '--blocked-by', 'Bogus', ...GRACE], /Bogus is not the name of a failure/],
  ])('wrong usage is said, and nothing is sent: %j', async (args, says) => {
    const { code, err } = await cli(args);
    expect({ code, err }).toEqual({ code: EXIT.usage, err: expect.stringMatching(says) });
  });

  test('with --json a failure is a value too, on standard output', async () => {
    for (const args of [['--json'], ['-o', 'json'], ['--output=json']])
      expect(JSON.parse((await cli(['show', 'nobody', 'x', ...args])).out)).toEqual({
        error: {
          code: EXIT.nothing,
          message: expect.stringMatching(/^There is no rotation of nobody x/),
        },
      });
    expect((await cli(['frobnicate', '--json'])).json).toMatchObject({
      error: { code: EXIT.usage },
    });
  });

  test('Temporal that cannot be reached is said to be', async () => {
    const { code, err } = await cli(['list'], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    expect({ code, err }).toEqual({
      code: EXIT.failed,
      err: expect.stringContaining('Temporal does not answer at 127.0.0.1:1'),
    });
  });

  test('what the server says to a command is printed with it', async () => {
    const { code, err } = await cli(['list'], { env: { TEMPORAL_NAMESPACE: 'no-such-one' } });
    expect({ code, err }).toEqual({
      code: EXIT.failed,
      err: expect.stringMatching(/no-such-one/),
    });
  });

  test('what commander quotes of an argument cannot steer the terminal', async () => {
    expect((await cli(['frob\u001b[2Jnicate'])).err).not.toContain('\u001b');
  });

  test('--help names every command and exit code', async () => {
    const { code, out } = await cli(['--help']);
    expect(code).toBe(EXIT.done);
    for (const word of ['start', 'list', 'show', 'approve', 'reject', 'abort', 'retry', 'classify'])
      expect(out).toContain(`  ${word} `);
    for (const exit of Object.values(EXIT))
      expect(out).toMatch(new RegExp(`^ {2}${exit} {2}\\S`, 'm'));
  });

  test.each([
    'start',
    'list',
    'show',
    'approve',
    'handover',
    'reject',
    'abort',
    'retry',
    'classify',
    'inventory',
  ])('%s --help has an example that parses', async (name) => {
    const { out } = await cli([name, '--help']);
    const [, example] = /Example:\n {2}npx signon-rotation (.*)$/m.exec(out) ?? [];
    expect(example).toMatch(new RegExp(`^${name} .*--environment integration$`));
  });

  test('--version prints the version alone', async () => {
    expect(await cli(['--version'])).toMatchObject({
      code: EXIT.done,
      out: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });

  test('start in staging starts nothing, and says why', async () => {
    const { code, out } = await cli(['start', ...PAIR, ...GRACE, '--environment', 'staging']);
    expect({ code, out }).toEqual({
      code: EXIT.done,
      out: 'Nothing was started: staging is left alone, since it is overwritten from production every night.',
    });
  });

  test('start in an environment without a worker starts, says that nothing moves, and exits with 6', async () => {
    const lone = await cli(['start', ...PAIR, ...GRACE], {
      env: { ROTATION_ENVIRONMENT: 'production' },
    });
    expect(lone).toMatchObject({
      code: EXIT.noWorker,
      out: expect.stringContaining('Started rotate-token/production/'),
    });
    expect(lone.err).toContain('No worker polls signon-rotation-production');
    const shown = await cli(['show', ...PAIR], { env: { ROTATION_ENVIRONMENT: 'production' } });
    expect(shown.code).toBe(EXIT.noWorker);
  });
});
