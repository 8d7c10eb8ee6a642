import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STEPS } from '../../domain/checklist.ts';
import { rotationId, type RotationRequest } from '../../domain/request.ts';
import { CHROMIUM, openBrowser, type OpenBrowser } from '../support/chromium.ts';
import { Stage } from '../support/stage.ts';
import { flawsOf, TemporalUiPage, type Details } from './temporal-ui-page.ts';

const withChromium = CHROMIUM ? test : test.skip;
if (!CHROMIUM)
  process.stderr.write(
    'No Chromium, so the test in the Temporal UI is left out: `apt-get install chromium fonts-noto-color-emoji`, or set CHROMIUM_PATH.\n',
  );

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
/** The input, as the README says it to somebody who starts a rotation. */
const INPUT = /\*\*Start\*\*.*?```json\n(.*?)```/s.exec(README)?.[1] ?? '';
const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const DOCS = 'https://docs.example.org/rotation';
/** Who sends what the details say, under their own name. */
const ME = 'grace@example.org';

let stage: Stage;
let browser: OpenBrowser;
let ui: TemporalUiPage;
let images: string;
const flaws: Record<string, string[]> = {};

beforeAll(async () => {
  if (!CHROMIUM) return;
  stage = await Stage.set(
    { jobMs: 100, podStartMs: 50, terminationMs: 200, reloaderMs: 20 },
    { docsUrl: DOCS },
    {},
    { ui: true },
  );
  await stage.worker();
  browser = await openBrowser({ width: 1280, height: 1400 });
  const url = stage.temporal.uiUrl;
  if (!url) throw new Error('the Temporal server at TEMPORAL_ADDRESS has no UI: set TEMPORAL_UI_URL');
  ui = new TemporalUiPage(await browser.context.newPage(), { url, namespace: 'default' });
  images = process.env.SCREENSHOTS === '1' ? IMAGES : join(stage.folder, 'images');
  mkdirSync(images, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await stage?.strike();
});

/** Keeps how the details look at a moment. */
async function look(moment: string, details: Details): Promise<void> {
  await ui.pictureOfDetails(join(images, `${moment}.png`));
  flaws[moment] = flawsOf(details);
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
  expect(checklist.map(({ step }) => step)).toEqual(STEPS.map((step) => expect.stringContaining(step)));

  const blocked = await ui.detailsLike(/Blocked in “sync”/);
  await look('blocked', blocked);
  expect(blocked.text).toMatch(/SyncJobFailed: Job \S+ failed\..*What to do: Read the Job’s log/s);
  expect(blocked.checklist[2]!.mark).toContain('✗');
  expect(Object.values(blocked.links)).toContain(`${DOCS}/failures.md#syncjobfailed`);
  await ui.sendSignal('retry', blocked.toSend.retry!);

  const { toSend } = await ui.detailsLike(/Waiting for approval/);
  const approval = JSON.parse(toSend.approve!) as { by: string; evidence: string };
  await ui.sendSignal('approve', JSON.stringify({ ...approval, by: ME, evidence: '00000000' }));
  const refused = await ui.detailsLike(/Last answer:.*changed/);
  await look('approval', refused);
  expect(refused.text).toContain(`the evidence has changed: code ${approval.evidence} stands for what is shown now`);
  expect(happened.revoked).toEqual([]);

  await ui.sendSignal('approve', JSON.stringify({ ...approval, by: ME }));
  const rotated = await ui.detailsLike(/Ended as rotated/);
  await look('rotated', rotated);
  expect(rotated.text).toContain(`approved by ${ME}`);
  expect(rotated.checklist[6]!.note).toMatch(/^revoked \S{8}…\S{8}$/);
  expect(rotated.checklist.map(({ mark }) => mark)).toEqual(STEPS.map(() => expect.stringContaining('✓')));
  const [old, made] = stage.tokens();
  expect(happened.revoked.map(({ id }) => id)).toEqual([old!.id]);
  expect(happened.created.map(({ id }) => id)).toEqual([made!.id]);
  expect(happened.outages).toEqual([]);
});

withChromium('no Markdown is left in what they read, and nothing runs over the edge', () => {
  expect(flaws).toEqual({ blocked: [], approval: [], rotated: [] });
});
