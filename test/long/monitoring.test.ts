import { afterAll, beforeAll, describe, expect, test } from '../support/jest.ts';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { parse, stringify } from 'yaml';
import { Secret } from '../../config/secret.ts';
import { createReceiver } from '../../client/receiver/server.ts';
import { freePort } from '../../sandbox/temporal-server.ts';
import { changedBundle } from '../support/changed-bundle.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

const MONITORING = new URL('../../deploy/monitoring/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, MONITORING), 'utf8');

interface Rules {
  groups: { rules: { alert: string; expr: string }[] }[];
}
const { spec } = parse(read('prometheus-rule.yaml')) as { spec: Rules };
const ALERTS = spec.groups.flatMap(({ rules }) => rules);

interface Panel {
  title: string;
  targets: { expr: string }[];
  gridPos: { x: number; y: number; w: number; h: number };
}
const dashboard = JSON.parse(read('dashboard.json')) as { panels: Panel[] };
/** As Grafana would ask. */
const QUERIES = dashboard.panels.flatMap(({ targets }) =>
  targets.map(({ expr }) =>
    expr.replaceAll('$__rate_interval', '5m').replaceAll('$environment', 'production'),
  ),
);

const PROMTOOL = spawnSync('promtool', ['--version']).status === 0;
const withPromtool = PROMTOOL ? test : test.skip;
if (!PROMTOOL)
  process.stderr.write('No promtool, so alerts are not tried out: `apt-get install prometheus`.\n');

describe('by Prometheus’ own tool', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'signon-rules-'));
    writeFileSync(join(folder, 'rules.yaml'), stringify(spec));
    const tests = fileURLToPath(new URL('../deploy/alerts.promtool.yaml', import.meta.url));
    copyFileSync(tests, join(folder, 'tests.yaml'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const promtool = (...args: string[]): { status: number | null; said: string } => {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, said: stdout + stderr };
  };

  withPromtool('every alert fires when it should, and not before', () => {
    expect(promtool('test', 'rules', 'tests.yaml')).toEqual({
      status: 0,
      said: expect.stringContaining('SUCCESS'),
    });
  });

  withPromtool('a rule that lost its threshold would be noticed', () => {
    const lax = stringify(spec, { lineWidth: 0 }).replace('72 * 3600', '720 * 3600');
    writeFileSync(join(folder, 'lax.yaml'), lax);
    const tests = readFileSync(join(folder, 'tests.yaml'), 'utf8').replace(
      '[rules.yaml]',
      '[lax.yaml]',
    );
    writeFileSync(join(folder, 'lax-tests.yaml'), tests);
    expect(promtool('test', 'rules', 'lax-tests.yaml').status).toBe(1);
  });

  withPromtool('every query of the dashboard is one', () => {
    const rules = QUERIES.map((expr, index) => ({ record: `query_${index}`, expr }));
    writeFileSync(
      join(folder, 'queries.yaml'),
      stringify({ groups: [{ name: 'dashboard', rules }] }),
    );
    expect(promtool('check', 'rules', 'queries.yaml')).toEqual({
      status: 0,
      said: expect.stringContaining(`${QUERIES.length} rules found`),
    });
  });
});

test('every alert has a test and a heading in the operations guide', () => {
  const tests = readFileSync(new URL('../deploy/alerts.promtool.yaml', import.meta.url), 'utf8');
  const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  for (const { alert } of ALERTS) {
    expect(tests).toContain(`alertname: ${alert}\n`);
    expect(operations).toContain(`### ${alert}\n`);
  }
});

test('no two panels of the dashboard lie on each other', () => {
  const overlap = (a: Panel['gridPos'], b: Panel['gridPos']): boolean =>
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  const { panels } = dashboard;
  const lying = panels.flatMap((a, at) =>
    panels.slice(at + 1).filter((b) => overlap(a.gridPos, b.gridPos)),
  );
  expect(lying.map(({ title }) => title)).toEqual([]);
});

describe('worker and receiver', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.set();
  });
  afterAll(() => stage.strike());

  test('tell all that alerts and dashboard ask for, a worker whose code does not go on with a rotation included', async () => {
    const scrape = async (address: string): Promise<string> =>
      fetch(`http://${address}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      );
    stage.sandbox.world.sync.fails = 1;
    const firstAddress = `127.0.0.1:${await freePort()}`;
    const first = stage.workerProcess({ METRICS_ADDRESS: firstAddress });
    const rotation = await stage.rotation();
    await rotation.blocked('SyncJobFailed');
    const blocked = await scrape(firstAddress);
    await first.crash();
    const { codePath } = await changedBundle({
      file: 'workflows/rotation/steps/sync.ts',
      find: 'await activities.requestSync(request);',
      replace: 'await condition(() => false, 1);\n    await activities.requestSync(request);',
    });
    const metricsAddress = `127.0.0.1:${await freePort()}`;
    const changed = stage.workerProcess({
      METRICS_ADDRESS: metricsAddress,
      WORKFLOW_BUNDLE: codePath,
    });
    await rotation.handle.signal('retry', { by: 'grace@example.org' });
    const failing = await until('a task to fail', async () => {
      const metrics = await scrape(metricsAddress);
      return metrics.includes('temporal_workflow_task_execution_failed_total{')
        ? metrics
        : undefined;
    });
    expect(failing).toMatch(
      /temporal_workflow_task_execution_failed_total\{[^}]*task_queue="signon-rotation-integration",workflow_type="rotateToken"/,
    );
    await changed.crash();

    const lastAddress = `127.0.0.1:${await freePort()}`;
    stage.workerProcess({ METRICS_ADDRESS: lastAddress });
    const receiver = createReceiver(
      new Client({ connection: stage.client.connection, namespace: stage.namespace }),
      {
        ROTATION_ENVIRONMENT: 'integration',
        RECEIVER_TOKEN: new Secret('a-token-of-alertmanager-0123456789'),
        RECEIVER_STARTS_PER_HOUR: 20,
        LOG_LEVEL: 'ERROR',
      },
    );
    const receiverUrl = await receiver.listen({ port: 0, host: '127.0.0.1' });
    await receiver.inject({ method: 'POST', url: '/alerts', payload: {} });
    await rotation.approve();
    await rotation.report();
    const told = await until('all of it', async () => {
      const all =
        blocked + failing + (await scrape(lastAddress)) + (await scrape(new URL(receiverUrl).host));
      return all.includes('signon_rotation_last_look_timestamp_seconds{') ? all : undefined;
    });
    await receiver.close();
    const asked = [...ALERTS.map(({ expr }) => expr), ...QUERIES].flatMap(
      (expr) => expr.match(/\b(?:signon_rotation|temporal)_[a-z_]+/g) ?? [],
    );
    const types = new Set([...told.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
    const unknown = asked.filter(
      (name) => !types.has(name) && !types.has(name.replace(/_bucket$/, '')),
    );
    expect([...new Set(unknown)]).toEqual([]);
  });
});
