import { afterAll, beforeAll, describe, expect, test } from '../support/jest.ts';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { inventoryCsv } from '../../client/inventory/csv.ts';
import { inventoryPage } from '../../client/inventory/page.ts';
import { isPolled } from '../../client/polling.ts';
import type { Inventory, OddityKind } from '../../domain/inventory/inventory.ts';
import { expireAllIn, expireIn } from '../../sandbox/seed.ts';
import { commandLine } from '../support/command-line.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

const BY = ['--by', 'ada@example.org'];
let stage: Stage;
let cli: ReturnType<typeof commandLine>;
beforeAll(async () => {
  stage = await Stage.set({}, {}, { fleet: true });
  const { world } = stage.sandbox;
  expireAllIn(world, 400);
  expireIn(world, 'short-url-manager@alphagov.co.uk', 'publishing-api', 10);
  stage.issue('account-api@alphagov.co.uk', 500);
  stage.addApiUser('=HYPERLINK("https://evil.example")', 'formula@alphagov.co.uk');
  world.state.apiUsers.find(({ email }) => email === 'whitehall@alphagov.co.uk')!.suspended = true;
  cli = commandLine(stage);
});
afterAll(() => stage.strike());

test('without a worker nothing is started, and it says so', async () => {
  expect(await cli(['inventory', ...BY])).toMatchObject({ code: EXIT.noWorker, out: '' });
});

describe('with a worker', () => {
  beforeAll(async () => {
    await stage.worker();
    await until(
      'the worker to poll',
      async () => (await isPolled(stage.client, 'integration')) || undefined,
    );
  });

  test('every pair of the real topology is listed, with who reads it and what is odd', async () => {
    const { code, json } = await cli(['inventory', '--json', ...BY]);
    expect(code).toBe(EXIT.done);
    const { rows, unknownSecrets, window } = json as unknown as Inventory;
    expect({ rows: rows.length, unknownSecrets, window }).toEqual({
      rows: 63,
      unknownSecrets: [],
      window: '14 days',
    });
    const kinds = (kind: OddityKind): string[] =>
      rows
        .filter(({ oddities }) => oddities.some((odd) => odd.kind === kind))
        .map(({ secret }) => secret);
    expect(kinds('variable does not match')).toEqual(
      expect.arrayContaining([
        'signon-token-whitehall-search-api',
        'signon-token-finder-frontend-email-alert-api',
      ]),
    );
    expect(kinds('several tokens')).toHaveLength(1);
    expect(kinds('suspended API user').length).toBeGreaterThan(0);
    expect(kinds('nobody reads it')).toEqual([
      rows.find(({ apiUser }) => apiUser.startsWith('formula'))!.secret,
    ]);
    expect(rows.filter(({ due }) => due).map(({ apiUser }) => apiUser)).toEqual([
      'formula@alphagov.co.uk',
      'short-url-manager@alphagov.co.uk',
    ]);
  });

  test('it changes nothing, and starts no rotation', async () => {
    const before = structuredClone(stage.sandbox.world.state.authorisations);
    await cli(['inventory', ...BY]);
    expect(stage.sandbox.world.state.authorisations).toEqual(before);
    expect((await stage.client.workflow.count(`WorkflowType = 'rotateToken'`)).count).toBe(0);
  });

  test('as a table, those that end first come first', async () => {
    const { out } = await cli(['inventory', ...BY]);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(
      /^integration, \S+ \S+ UTC: 63 pairs, 2 with a token that ends within 14 days$/,
    );
    expect(lines.filter((line) => line.startsWith('!'))).toHaveLength(2);
    expect(out).toMatch(
      /short-url-manager@alphagov\.co\.uk → publishing-api +Deployment\/short-url-manager and \d more \(PUBLISHING_API_BEARER_TOKEN\)/,
    );
    expect(out).toContain('Worth a look:');
  });

  test('as CSV, a line for each pair, and no cell is a formula', async () => {
    const { out } = await cli(['inventory', '--csv', ...BY]);
    const lines = out.split('\r\n');
    expect(lines).toHaveLength(64);
    expect(lines[0]).toMatch(/^environment,api_user,/);
    expect(out).not.toMatch(/(^|,)"?[=+@-]/m);
  });

  test('as HTML, names from outside are text', async () => {
    const { out } = await cli(['inventory', '--html', ...BY]);
    expect(out).toMatch(/^<!doctype html>/);
    expect(out).toContain('=HYPERLINK(&quot;https://evil.example&quot;)');
  });

  test('one form at a time', async () => {
    expect(await cli(['inventory', '--csv', '--html', ...BY])).toMatchObject({ code: EXIT.usage });
  });

  test('where a page changed it fails, says which, and what to do', async () => {
    stage.sandbox.signon.faults.add({ path: /manage_tokens$/, when: 'after', kind: 'changed' });
    const { code, err } = await cli(['inventory', ...BY]);
    expect(code).toBe(EXIT.failed);
    expect(err).toMatch(
      /ContractChanged: Signon’s manage_tokens page does not hold .* upgrade the worker/,
    );
  });

  test('an input with another field fails, naming it', async () => {
    const handle = await stage.client.workflow.start('takeInventory', {
      workflowId: 'inventory/by-hand',
      taskQueue: 'signon-rotation-integration',
      args: [{ environment: 'integration', requestedBy: 'ada', plan: true }],
    });
    await expect(handle.result()).rejects.toMatchObject({
      cause: {
        type: 'InvalidRequest',
        message: 'plan: unknown field, expected environment, requestedBy',
      },
    });
  });
});

describe('what is drawn of hostile names', () => {
  const hostile = '</script><img src=x onerror=alert(1)>"\',\r\n=1+1 \u202eevil';
  const inventory: Inventory = {
    environment: 'integration',
    takenAt: '2026-11-25T12:00:00.000Z',
    window: '14 days',
    rows: [
      {
        apiUser: 'a@example.org',
        name: hostile,
        suspended: false,
        application: hostile,
        secret: hostile,
        tokens: [
          { authorisationId: 1, masked: 'aaaaaaaa…bbbbbbbb', expires: '2026-12-01', live: true },
        ],
        ends: '2026-12-01',
        due: true,
        consumers: [{ workload: `Deployment/${hostile}`, container: hostile, variable: hostile }],
        oddities: [{ kind: 'nobody reads it', what: hostile }],
        remarks: [hostile],
      },
    ],
    unknownSecrets: [{ secret: hostile, workloads: [`Deployment/${hostile}`] }],
  };

  test('is text in HTML', () => {
    expect(inventoryPage(inventory)).not.toMatch(/<img|<script|<\/script|\u202e/);
  });

  test('is no formula in CSV, whatever it begins with', () => {
    for (const start of ['=', '+', '-', '@', '\t=', '\r=']) {
      const [row] = inventory.rows;
      const csv = inventoryCsv({
        ...inventory,
        rows: [{ ...row!, application: `${start}1`, remarks: [`${start}2`] }],
      });
      const cells = csv.split('\r\n')[1]!.split(',');
      for (const cell of [cells[3]!, cells.at(-1)!]) expect(cell).toMatch(/^['\ufffd]/);
    }
  });

  test('stays in its cell in CSV', () => {
    const lines = inventoryCsv(inventory).split('\r\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const outside = line.replaceAll(/"(?:[^"]|"")*"/g, 'quoted');
      expect(outside.split(',')).toHaveLength(13);
    }
  });
});
