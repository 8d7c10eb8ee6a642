import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPolled } from '../../client/polling.ts';
import { freePort } from '../../sandbox/temporal-server.ts';
import { followDockerfile, type Stage as ImageStage } from '../support/dockerfile.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

let folder: string;
let image: ImageStage;
let sandbox: ImageStage;
let stage: Stage;
const running: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signon-image-'));
  chmodSync(folder, 0o755); // for the image's own user
  const stages = followDockerfile(folder);
  image = stages.get('worker')!;
  sandbox = stages.get('sandbox')!;
  stage = await Stage.set();
}, 900_000);
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await stage?.strike();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Runs a program of a stage as the image would: in its folder, as its user, with no variables but
 * its own.
 */
function run(
  { folder: root, workdir, env, user }: ImageStage,
  command: string[],
  given: object,
): ChildProcess & { said: () => string } {
  const [program, ...args] = command as [string, ...string[]];
  const asUser = process.getuid?.() === 0 ? { uid: user, gid: user } : {};
  const child = spawn(program === 'node' ? process.execPath : program, args, {
    cwd: join(root, workdir),
    env: { PATH: '/usr/bin:/bin', ...env, ...given },
    ...asUser,
  });
  running.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return Object.assign(child, { said: () => output });
}

test('the image holds the programs and what they need to run, nothing to build or to pretend with', () => {
  const top = join(image.folder, image.workdir);
  expect(readdirSync(top).toSorted()).toEqual(['dist', 'node_modules', 'package.json']);
  for (const absent of ['jest', 'typescript', 'tsx', 'playwright-core', '@temporalio/testing'])
    expect(existsSync(join(top, 'node_modules', absent))).toBe(false);
});

test('its user is not root', () => {
  expect([image.user, sandbox.user]).toEqual([1000, 1000]);
});

test('its worker starts with its own command and rotates a token', async () => {
  const {
    WORKFLOW_BUNDLE: _,
    ROTATION_SETTINGS: settings,
    KUBECONFIG: kubeconfig,
    ...env
  } = stage.env();
  for (const readable of [stage.folder, stage.sandbox.folder]) chmodSync(readable, 0o755);
  for (const file of [settings!, kubeconfig!]) chmodSync(file, 0o644);
  const worker = run(image, image.command, {
    ...env,
    ROTATION_SETTINGS: settings,
    KUBECONFIG: kubeconfig,
  });
  await until('the worker to poll', async () => {
    if (worker.exitCode !== null) throw new Error(worker.said());
    return (await isPolled(stage.client, 'integration')) || undefined;
  });
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
});

test('its receiver answers, and its command line and doctor help', async () => {
  const port = await freePort();
  const receiver = run(image, ['node', 'dist/client/alert-receiver.mjs'], {
    ROTATION_ENVIRONMENT: 'integration',
    ...stage.temporalEnv(),
    RECEIVER_TOKEN: 'a-token-of-alertmanager-0123456789',
    RECEIVER_ADDRESS: `127.0.0.1:${port}`,
  });
  const health = await until('the receiver', async () => {
    if (receiver.exitCode !== null) throw new Error(receiver.said());
    return fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
  });
  expect(health.status).toBe(200);
  for (const [program, option] of [
    ['client/cli', 'approve'],
    ['doctor', '--fix'],
  ]) {
    const { status, stdout } = spawnSync(process.execPath, [`dist/${program}/main.mjs`, '--help'], {
      cwd: join(image.folder, image.workdir),
      encoding: 'utf8',
    });
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(option!),
    });
  }
});
