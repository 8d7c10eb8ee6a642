import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { isPolled } from '../../client/polling.ts';
import type { SweepReport } from '../../domain/sweep/sweep.ts';
import { commandLine } from '../support/command-line.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

const ADA = ['--by', 'ada@example.org'];

let stage: Stage;
let cli: ReturnType<typeof commandLine>;
beforeAll(async () => {
  stage = await Stage.set({}, {}, { also: [['collections', 'email-alert-api']] });
  cli = commandLine(stage);
  await stage.worker();
  await until(
    'the worker to poll',
    async () => (await isPolled(stage.client, 'integration')) || undefined,
  );
});
afterAll(() => stage.strike());

test('before there is any, show says so and how to start one', async () => {
  const shown = await cli(['sweep', 'show']);
  expect(shown.code).toBe(EXIT.nothing);
  expect(shown.err).toContain(
    'Start one: npx signon-rotation sweep start --environment integration',
  );
});

test('a leak that never was is not called a sweep', async () => {
  const { code, err } = await cli(['sweep', 'show', 'mistyped@example.org']);
  expect(code).toBe(EXIT.nothing);
  expect(err).toMatch(/signon-rotation leak API-USER --reason WHY/);
});

test('a plan says of every pair what would be done, and touches nothing', async () => {
  const planned = await cli(['sweep', 'start', '--plan', ...ADA]);
  expect(planned).toMatchObject({ code: EXIT.done, err: '' });
  expect(planned.out).toContain('Outcome: planned: nothing was touched');
  expect(planned.out).toMatch(
    /to come +\S+ +collections@alphagov\.co\.uk → email-alert-api +issue a token/,
  );
  expect(planned.out).toMatch(
    /to come +\S+ +short-url-manager@alphagov\.co\.uk → publishing-api +issue a token/,
  );
  expect(stage.sandbox.world.happened).toMatchObject({ jobs: [], revoked: [] });
  const { json } = await cli(['sweep', 'start', '--plan', '--json', ...ADA]);
  const { report } = json as unknown as { report: SweepReport };
  expect(report.rows.filter(({ state }) => state === 'to come')).toHaveLength(2);
  expect((await cli(['sweep', 'show'])).code).toBe(EXIT.nothing); // it took no lock
});

test('a plan that cannot read is no success', async () => {
  stage.sandbox.signon.faults.add({
    path: /^\/api_users/,
    when: 'before',
    kind: 'status',
    status: 404,
  });
  const planned = await cli(['sweep', 'start', '--plan', ...ADA]);
  expect(planned).toMatchObject({
    code: EXIT.failed,
    out: expect.stringContaining('Outcome: aborted: PairChanged'),
  });
});

test('start starts the sweep, show its table; a second start says that it is open, or starts another once it has ended', async () => {
  const started = await cli(['sweep', 'start', '--max-concurrent', '1', ...ADA]);
  expect(started).toMatchObject({
    code: EXIT.done,
    out: expect.stringContaining('Started sweep/integration.'),
  });
  const again = await cli(['sweep', 'start', ...ADA]);
  expect(again.out).toContain('sweep/integration is open already; nothing was started.');
  const open = await cli(['sweep', 'show']);
  expect(open.out).toContain('Expiring tokens, integration, requested by ada@example.org');
  const ended = await cli(['sweep', 'show', '--watch']);
  expect(ended.out).toMatch(/Outcome: swept: every pair had its turn/);
  expect(ended.out).toMatch(/2 waiting-approval/);
  expect(ended.out).toMatch(/\d+ left alone: --all shows them\n\nThis is as of \S+ \S+ UTC\. /);
  expect((await cli(['sweep', 'show', '--all'])).out).toMatch(/^left alone /m);
  expect((await cli(['sweep', 'show', '-o', 'wide'])).out).toMatch(
    / rotate-token\/integration\/collections@alphagov/,
  );
  const listed = await cli(['list', '--waiting']);
  expect(listed.out).toMatch(/waiting-approval .* collections@alphagov\.co\.uk → email-alert-api/);
  expect(listed.out).toMatch(
    /waiting-approval .* short-url-manager@alphagov\.co\.uk → publishing-api/,
  );
});

test('a sweep that has ended takes no decision', async () => {
  const paused = await cli(['sweep', 'pause', ...ADA]);
  expect(paused).toMatchObject({
    code: EXIT.nothing,
    err: 'sweep/integration is not open: it is completed.',
  });
});

test('the next sweep lists what is open, and starts nothing twice', async () => {
  await cli(['sweep', 'start', ...ADA]);
  const ended = await cli(['sweep', 'show', '--watch']);
  expect(ended.out).toContain('open before');
  expect(stage.sandbox.world.happened.jobs.length).toBeLessThanOrEqual(2);
});

test.each([
  [
    ['sweep', 'start', '--max-concurrent', '0', ...ADA],
    /'--max-concurrent <number>' argument '0' is invalid\. expected a number from 1 to 1000/,
  ],
  [['sweep', 'start'], /Say who you are/],
  [['sweep', 'abort', ...ADA], /--reason/],
  [['sweep', 'approve'], /unknown command/],
  [['schedule', 'create', '--at', '02:00', ...ADA], /expected a time from 03:00 to 23:24/],
  [['schedule', 'create', '--days', 'FUN', ...ADA], /FUN is no day of the week/],
  [['schedule', 'create', '--jitter', 'soon', ...ADA], /^jitter: expected/],
  [['schedule', 'create', '-e', 'staging', ...ADA], /staging is left alone/],
])('%j is wrong usage', async (args, why) => {
  expect(await cli(args)).toMatchObject({ code: EXIT.usage, err: expect.stringMatching(why) });
});

test('a Schedule is created once, and says when it starts next', async () => {
  const created = await cli(['schedule', 'create', '--days', 'mon,wed-fri', ...ADA]);
  expect(created).toMatchObject({ code: EXIT.done, err: '' });
  expect(created.out).toMatch(
    /Created sweep\/integration\.\n +runs +created by ada@example\.org\n +next starts +\d{4}-\d\d-\d\d \d\d:\d\d UTC/,
  );
  expect(await cli(['schedule', 'create', ...ADA])).toMatchObject({ code: EXIT.notAccepted });
});
