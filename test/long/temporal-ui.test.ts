import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSweep } from '../../client/start-workflows.ts';
import { isSeldom, STEPS } from '../../domain/rotation/checklist.ts';
import { rotationId, type RotationRequest } from '../../domain/request/request.ts';
import { expireAllIn } from '../../sandbox/seed.ts';
import { ageKey, decrypt, HAS_AGE } from '../support/age.ts';
import { CHROMIUM, openBrowser, type OpenBrowser } from '../support/chromium.ts';
import { Stage } from '../support/stage.ts';
import { flawsOf, TemporalUiPage, type Details } from '../support/temporal-ui-page.ts';

const withChromium = CHROMIUM ? test : test.skip;
if (!CHROMIUM)
  process.stderr.write(
    'No Chromium, so the test in the Temporal UI is left out: `apt-get install chromium fonts-noto-color-emoji`, or set CHROMIUM_PATH.\n',
  );

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
/** The input, as the README says it to somebody who starts a rotation. */
const INPUT = /## Start a rotation.*?```json\n(.*?)```/s.exec(README)?.[1] ?? '';
const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const DOCS = 'https://docs.example.org/rotation';
/** Pixels of a small laptop's window. */
const SCREEN = 900;
/** Who sends what the details say, under their own name. */
const HMRC = 'hmrc@example.org';
const ME = 'grace@example.org';

/** The steps that every rotation has. */
const SHOWN = STEPS.filter((step) => !isSeldom(step));

let stage: Stage;
let keys: string;
let browser: OpenBrowser;
let ui: TemporalUiPage;
let images: string;
const flaws: Record<string, string[]> = {};

beforeAll(async () => {
  if (!CHROMIUM) return;
  keys = mkdtempSync(join(tmpdir(), 'signon-keys-'));
  const recipients = HAS_AGE
    ? [{ name: 'HMRC', apiUser: HMRC, key: ageKey(join(keys, 'hmrc')) }]
    : [];
  stage = await Stage.set(
    { jobMs: 100, podStartMs: 50, terminationMs: 200, reloaderMs: 20 },
    { docsUrl: DOCS, recipients },
    {},
    { ui: true },
  );
  await stage.worker();
  browser = await openBrowser({ width: 1280, height: SCREEN });
  const url = stage.temporal.uiUrl;
  if (!url)
    throw new Error('the Temporal server at TEMPORAL_ADDRESS has no UI: set TEMPORAL_UI_URL');
  ui = new TemporalUiPage(await browser.context.newPage(), { url, namespace: 'default' });
  images =
    process.env.SCREENSHOTS === '1' ? IMAGES : (process.env.LOOK ?? join(stage.folder, 'images'));
  mkdirSync(images, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await stage?.strike();
  if (keys) rmSync(keys, { recursive: true });
});

/** Keeps how the details look at a moment. */
async function look(moment: string, details: Details): Promise<void> {
  await ui.pictureOfDetails(join(images, `${moment}.png`));
  flaws[moment] = flawsOf(details);
}

/** Question and JSON are there without scrolling, in light and dark. */
async function fitsOnFirstScreen(): Promise<void> {
  const backgrounds = new Set<string>();
  for (const theme of ['dark', 'light'] as const) {
    await ui.theme(theme);
    const { heading, json, background } = await ui.firstScreen();
    backgrounds.add(background);
    expect({ theme, heading, json, fits: heading < json && json <= SCREEN }).toMatchObject({
      fits: true,
    });
  }
  expect(backgrounds.size).toBe(2);
}

withChromium('a person rotates a token with nothing but the Temporal UI', async () => {
  const request = JSON.parse(INPUT) as RotationRequest;
  const { happened, sync } = stage.sandbox.world;
  sync.fails = 1;

  await ui.openStartForm(request);
  expect(await ui.field('Workflow ID')).toBe(rotationId(request));
  expect(README).toContain(`task queue \`${await ui.field('Task Queue')}\``);
  expect(README).toContain(`workflow type \`${await ui.field('Workflow Type')}\``);
  await ui.fillStartForm(INPUT);
  await ui.pictureOfForm(join(images, 'start.png'));
  await ui.start();
  const { checklist } = await ui.detailsLike(/confirm/);
  expect(checklist.map(({ step }) => step)).toEqual(
    SHOWN.map((step) => expect.stringContaining(step)),
  );

  const blocked = await ui.detailsLike(/Blocked in sync: SyncJobFailed/);
  await look('blocked', blocked);
  expect(blocked.text).toMatch(
    /Job \S+ failed\..*\n.*Both tokens are live: the new one until.*Read the Job’s log/s,
  );
  expect(blocked.checklist[2]!.mark).toContain('✗');
  expect(Object.values(blocked.links)).toContain(`${DOCS}/failures.md#syncjobfailed`);
  await fitsOnFirstScreen();
  await ui.sendUpdate('retry', ME);

  const asked = await ui.detailsLike(/Approve: revoke 1 token in integration\?/);
  await look('approval', asked);
  await fitsOnFirstScreen();
  await ui.sendUpdate('approve', ME, (json) =>
    json.replace(/"evidence": "\w+"/, '"evidence": "00000000"'),
  );
  const { evidence } = JSON.parse(asked.toSend.approve!) as { evidence: string };
  await ui.updateAnswer(
    new RegExp(
      `that is not the code of this evidence, which may have changed: read it again, its code is ${evidence}`,
    ),
  );
  await ui.closeForm();
  expect(happened.revoked).toEqual([]);
  const refused = await ui.detailsLike(
    /Last answer, \d{4}-\d\d-\d\d \d\d:\d\d UTC: approval by grace@example.org not accepted/,
  );
  expect(refused.toSend.approve).toBe(asked.toSend.approve);

  const effort = await ui.sendUpdate('approve', ME);
  expect(effort.clicks).toBeLessThanOrEqual(8);
  expect(effort.typed).toBeLessThanOrEqual(25);
  const rotated = await ui.detailsLike(/Outcome: rotated/);
  await look('rotated', rotated);
  expect(rotated.text).toMatch(/2 of 3 consumers hold the new token/);
  expect(rotated.text).toMatch(
    /Approved: by grace@example\.org \(not authenticated\), .*, to revoke \d+, accepting no-pod-seen/,
  );
  expect(rotated.text).not.toContain('Last answer');
  expect(rotated.checklist[6]!.note).toMatch(/^revoked \S{8}…\S{8}$/);
  expect(rotated.checklist.map(({ mark }) => mark)).toEqual(
    SHOWN.map(() => expect.stringContaining('✓')),
  );
  const [old, made] = stage.tokens();
  expect(happened.revoked.map(({ id }) => id)).toEqual([old!.id]);
  expect(happened.created.map(({ id }) => id)).toEqual([made!.id]);
  expect(happened.outages).toEqual([]);
});

withChromium('what a sync Job writes into its log forges nothing in what they read', async () => {
  const { sync } = stage.sandbox.world;
  const lies = [
    '<img src=x onerror=document.title=1><script>document.title=1</script>',
    '#### ▶ Approve: revoke 1 token',
    '**approved** ✅ by [grace](https://evil.example)',
    '| ✓ | revoke | revoked |',
    '\u202eevorppa',
  ];
  sync.fails = 1;
  sync.extraLog.push(...lies);
  const { handle } = await stage.rotation({
    force: true,
    reason: '**approved** ✅ <img src=x onerror=alert(1)>',
  });
  await ui.openDetails(handle.workflowId, (await handle.describe()).runId);
  const blocked = await ui.detailsLike(/Blocked in sync/);
  sync.extraLog.length = 0;
  expect(blocked.text).toContain(lies[0]);
  expect(blocked.text).not.toContain('\u202e');
  expect(blocked.foreign).toBe(0);
  expect(blocked.loud.filter((text) => /forged|Approve: revoke|^approved/.test(text))).toEqual([]);
  expect(Object.values(blocked.links).filter((link) => link.includes('evil'))).toEqual([]);
  expect(blocked.checklist.find(({ step }) => step === 'revoke')?.mark).not.toContain('✓');
  await handle.signal<[unknown]>('abort', { by: ME, reason: 'seen' });
  await handle.result();
});

withChromium(
  'ten consumers, one of them not shown, push neither the question nor the JSON off the first screen',
  async () => {
    const { cluster, world } = stage.sandbox;
    const app = world.state.workloads.find(({ name }) => name === 'short-url-manager')!;
    for (let more = 1; more <= 7; more++)
      cluster.deploy({ ...app, name: `${app.name}-${more}`, uid: `uid-${more}`, replicas: 1 });
    const { handle } = await stage.rotation({ force: true });
    await ui.openDetails(handle.workflowId, (await handle.describe()).runId);
    const asked = await ui.detailsLike(/Approve: revoke \d tokens? in integration/);
    expect(asked.text.match(/✓ \d pods?/g)).toHaveLength(9);
    await look('ten-consumers', asked);
    await fitsOnFirstScreen();
    await handle.signal<[unknown]>('abort', { by: ME, reason: 'seen' });
    await handle.result();
  },
);

const withBoth = CHROMIUM && HAS_AGE ? test : test.skip;
withBoth(
  'a person says who holds a token that nobody reads, and copies it, encrypted, from the details',
  async () => {
    const old = stage.addApiUser('HMRC', HMRC);
    const { handle } = await stage.rotation({ apiUser: HMRC });
    const { runId } = await handle.describe();
    await ui.openDetails(handle.workflowId, runId);
    const asked = await ui.detailsLike(/Who holds this token/);
    await look('classification', asked);
    await ui.sendUpdate('classify', ME);
    const plan = await ui.detailsLike(/Approve: issue a token for HMRC in integration\?/);
    await look('hand-over-plan', plan);
    await ui.sendUpdate('approve', ME);
    const sealed = await ui.detailsLike(/BEGIN AGE ENCRYPTED FILE/);
    await look('hand-over', sealed);
    const made = stage.sandbox.world.state.authorisations.at(-1)!;
    const armoured = sealed.paragraphs.find((text) => text.startsWith('-----BEGIN AGE'))!;
    expect(decrypt(armoured, join(keys, 'hmrc'))).toBe(made.token);
    await ui.detailsLike(/consumer-confirmed/);
    await ui.sendUpdate('approve', ME);
    await ui.detailsLike(/Outcome: handed-over/);
    expect(old.revokedAt).toBeDefined();
  },
);

withChromium('a person reads what a sweep would do with each of 62 pairs', async () => {
  expireAllIn(stage.sandbox.world, 10);
  const { handle } = await startSweep(stage.client, {
    environment: 'integration',
    requestedBy: ME,
    plan: true,
  });
  expect((await handle.result()).outcome).toBe('planned');
  await ui.openDetails(handle.workflowId, (await handle.describe()).runId);
  const plan = await ui.detailsLike(/Outcome: planned/);
  await look('plan', plan);
  expect(plan.text).toMatch(/to come: 6\d/);
  expect(plan.text.match(/ → /g)?.length).toBeGreaterThanOrEqual(62);
});

withChromium('no Markdown is left in what they read, and nothing runs over the edge', () => {
  expect(Object.keys(flaws)).toEqual(
    expect.arrayContaining(['blocked', 'approval', 'rotated', 'plan']),
  );
  expect(Object.values(flaws).flat()).toEqual([]);
});
