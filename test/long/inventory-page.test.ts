import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import type { Page } from 'playwright-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inventoryPage } from '../../client/inventory/page.ts';
import { inventoryOf, type Reading } from '../../domain/inventory/inventory.ts';
import type { SignonPair } from '../../domain/sweep/sweep.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import { CHROMIUM, openBrowser, type OpenBrowser } from '../support/chromium.ts';

const withChromium = CHROMIUM ? test : test.skip;
const NOW = Date.parse('2026-11-25T12:00:00Z');
const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>';

/** As many pairs, their tokens ending week after week; one API user's name is hostile. */
function estate(count: number, rotations: Parameters<typeof inventoryPage>[1] = []): string {
  const days = (index: number): string =>
    new Date(NOW + index * 7 * 86_400_000).toISOString().slice(0, 10);
  const pairs = Array.from({ length: count }, (_, index): SignonPair => ({
    apiUser: {
      name: index === 1 ? HOSTILE : `Application ${index}`,
      email: `a${index}@alphagov.co.uk`,
      suspended: index === 3,
    },
    application: 'Publishing API',
    tokens: [
      { authorisationId: index + 1, masked: 'aaaaaaaa…bbbbbbbb', expires: days(index % 50) },
    ],
  }));
  const variables = pairs.slice(2).map(({ apiUser }): Reading => ({
    workload: 'Deployment/a-rather-long-application-name-worker',
    container: 'worker',
    variable: 'PUBLISHING_API_BEARER_TOKEN',
    secret: `signon-token-${apiUser.name.toLowerCase().replaceAll(' ', '-')}-publishing-api`,
  }));
  return inventoryPage(
    inventoryOf(
      pairs,
      { variables, files: [] },
      { environment: 'integration', settings: DEFAULT_SETTINGS, now: NOW },
    ),
    rotations,
  );
}

let folder: string;
let browser: OpenBrowser;
let page: Page;
const complaints: string[] = [];
beforeAll(async () => {
  if (!CHROMIUM) return;
  folder = mkdtempSync(join(tmpdir(), 'signon-inventory-'));
  browser = await openBrowser({ width: 1280, height: 900 });
  page = await browser.context.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterAll(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** Opens the page from a file, as somebody does who was sent it. */
async function open(html: string): Promise<void> {
  const file = join(folder, 'inventory.html');
  writeFileSync(file, html);
  await page.goto(pathToFileURL(file).href);
}

withChromium(
  'the page shows every pair and a bar for every week in which a token ends, and runs nothing',
  async () => {
    await open(estate(62));
    if (process.env.LOOK) await page.screenshot({ path: join(process.env.LOOK, 'inventory.png') });
    expect(await page.title()).toBe('Signon API tokens of integration');
    expect(await page.locator('tbody tr').count()).toBe(62);
    expect(await page.locator('svg .bar').count()).toBe(49); // today's and tomorrow's week are one
    expect(await page.locator('svg .bar.due').count()).toBe(2);
    expect((await page.locator('svg .bar title').first().textContent())!.split('\n')).toHaveLength(
      4,
    );
    expect(await page.locator('svg').textContent()).not.toContain('\ufffd');
    expect(await page.locator('svg').getAttribute('aria-label')).toMatch(/^62 pairs by the week/);
    expect(await page.getByText(HOSTILE).count()).toBe(1);
    expect(await page.locator('img, script, link, iframe').count()).toBe(0);
    expect(complaints).toEqual([]);
  },
);

withChromium(
  'a filter leaves the rows that it names, and an open rotation has a link',
  async () => {
    const link = 'https://temporal.example.org/namespaces/default/workflows/a';
    await open(
      estate(62, [
        { apiUser: 'a7@alphagov.co.uk', application: 'publishing-api', stage: 'blocked', link },
      ]),
    );
    const left = async (label: string): Promise<number> => {
      await page.getByLabel(label, { exact: true }).check();
      return page.locator('tbody tr:visible').count();
    };
    expect(await left('ends soon')).toBe(6);
    expect(await left('rotation open')).toBe(1);
    expect(await page.locator('tbody tr:visible a').getAttribute('href')).toBe(link);
    expect(await left('read by nobody')).toBe(2);
    expect(await left('all')).toBe(62);
    expect(complaints).toEqual([]);
  },
);

withChromium('labels of the timeline do not overlap', async () => {
  await open(estate(62));
  const boxes = await page.locator('svg text').evaluateAll((labels) =>
    labels.map((label) => {
      const { left, right, top, bottom } = label.getBoundingClientRect();
      return { left, right, top, bottom };
    }),
  );
  const overlaps = boxes.flatMap((a, at) =>
    boxes
      .slice(at + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom),
  );
  expect(overlaps).toEqual([]);
});

withChromium('on a telephone nothing but table and timeline scrolls sideways', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(estate(62));
  if (process.env.LOOK)
    await page.screenshot({ path: join(process.env.LOOK, 'inventory-narrow.png') });
  const { scroll, client } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = (
      globalThis as unknown as {
        document: { documentElement: { scrollWidth: number; clientWidth: number } };
      }
    ).document.documentElement;
    return { scroll: scrollWidth, client: clientWidth };
  });
  expect(scroll).toBe(client);
});

withChromium('an estate without any pair is a page too', async () => {
  await open(estate(0));
  expect(await page.locator('tbody tr').count()).toBe(0);
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(
    'Signon API tokens of integration',
  );
});
