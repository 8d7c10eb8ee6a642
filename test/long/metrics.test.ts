import { afterEach, expect, test } from '../support/jest.ts';
import { freePort } from '../../sandbox/temporal-server.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

test('a worker tells Prometheus what rotations began, blocked and ended, and nothing of whom', async () => {
  stage = await Stage.set();
  stage.sandbox.world.sync.fails = 1;
  const address = `127.0.0.1:${await freePort()}`;
  stage.workerProcess({ METRICS_ADDRESS: address });
  const rotation = await stage.rotation();
  await rotation.blocked('SyncJobFailed');
  await rotation.retry();
  await rotation.approve();
  await rotation.report();
  const metrics = await (await fetch(`http://${address}/metrics`)).text();
  const labels = (line: string): boolean => line.includes('environment="integration"');
  const lines = metrics
    .split('\n')
    .filter((line) => line.startsWith('signon_rotation_') && labels(line));
  const value = (name: string, ...having: string[]): string | undefined =>
    lines
      .find((line) => line.startsWith(name) && having.every((label) => line.includes(label)))
      ?.split(' ')
      .at(-1);
  expect(value('signon_rotation_started_total')).toBe('1');
  expect(value('signon_rotation_blocked_total', 'step="sync"', 'failure="SyncJobFailed"')).toBe(
    '1',
  );
  expect(value('signon_rotation_ended_total', 'outcome="rotated"')).toBe('1');
  expect(value('signon_rotation_step_seconds_count', 'step="approve"')).toBe('1');
  const took = (le: string): string | undefined =>
    value('signon_rotation_step_seconds_bucket', 'step="approve"', `le="${le}"`);
  expect([took('10'), took('86400')]).toEqual([undefined, '1']); // a step may take days
  expect(metrics).toContain('temporal_');
  for (const secretOrName of [
    'short-url-manager',
    'publishing-api',
    'grace',
    ...stage.tokens().map(({ token }) => token.slice(0, 8)),
  ])
    expect(lines.join('\n')).not.toContain(secretOrName);
});
