import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stage } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());

/** What a text looks like inside base64, wherever in a group of three bytes it begins. */
function inBase64(text: string, encoding: 'base64' | 'base64url', offset: 0 | 1 | 2): string {
  const encoded = Buffer.from('x'.repeat(offset) + text)
    .toString(encoding)
    .replace(/=+$/, '');
  return encoded.slice(offset === 0 ? 0 : offset + 1, -1);
}

/** A secret in every spelling that could carry it away, and its halves. */
function spellings(secret: string): string[] {
  const half = Math.ceil(secret.length / 2);
  const halves = secret.length >= 24 ? [secret.slice(0, half), secret.slice(half)] : [];
  return [secret, ...halves].flatMap((text) => [
    text,
    encodeURIComponent(text),
    ...([0, 1, 2] as const).flatMap((offset) => [
      inBase64(text, 'base64', offset),
      inBase64(text, 'base64url', offset),
    ]),
    Buffer.from(text).toString('hex'),
  ]);
}

test('no secret is in any history, in the server’s data file or in what a worker prints, byte by byte', async () => {
  const { world } = stage.sandbox;
  const cookies = new Set<string>();
  stage.sandbox.signon.onSetCookie = (value) => cookies.add(value);
  // Failures on the way, so that what they quote is looked at too.
  const unknown = 'q7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8Zx8k2-_Q';
  world.sync.fails = 1;
  world.sync.extraLog.push(`bearer_token: ${unknown}`, `Authorization: Bearer ${unknown}`);
  stage.sandbox.signon.faults.add({ method: 'POST', path: /authorisations$/, when: 'after', kind: 'cut' });
  stage.sandbox.signon.faults.add({ path: /manage_tokens$/, when: 'after', kind: 'status', status: 500 });
  stage.sandbox.argo.faults.add({ path: /resource-tree$/, when: 'after', kind: 'status', status: 403 });
  stage.sandbox.kubernetes.faults.add({ path: /pods$/, when: 'after', kind: 'status', status: 500 });
  stage.sandbox.kubernetes.exec.faults.push('node-down', 'false-success');

  const worker = stage.workerProcess({ LOG_LEVEL: 'DEBUG' });
  const rotation = await stage.rotation();
  await rotation.blocked('SyncJobFailed');
  await rotation.retry();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  await worker.stop();

  const haystacks: Record<string, string> = { 'what the worker printed': worker.output };
  for await (const { workflowId, runId } of stage.client.workflow.list()) {
    const history = await stage.client.workflow.getHandle(workflowId, runId).fetchHistory();
    haystacks[`the history of ${workflowId}`] = JSON.stringify(history, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
  }
  expect(Object.keys(haystacks).length).toBeGreaterThanOrEqual(3);
  for (const file of readdirSync(stage.folder).filter((name) => name.startsWith('temporal.db')))
    haystacks[file] = readFileSync(join(stage.folder, file)).toString('latin1');

  const secrets = {
    ...Object.fromEntries(world.state.authorisations.map(({ id, token }) => [`token ${id}`, token])),
    'a token in a log': unknown,
    password: world.state.account.password,
    'TOTP secret': world.state.account.totpSecret,
    'Argo CD token': world.state.argoToken,
    'Kubernetes token': Object.keys(world.state.kubernetesTokens)[0]!,
    ...Object.fromEntries([...cookies].map((cookie, index) => [`cookie ${index}`, cookie])),
  };
  expect(cookies.size).toBeGreaterThan(5);
  expect(worker.output).toContain('RUNNING');
  const found = Object.entries(secrets).flatMap(([what, secret]) =>
    Object.entries(haystacks).flatMap(([where, text]) =>
      spellings(secret).some((spelling) => text.includes(spelling)) ? [`${what} in ${where}`] : [],
    ),
  );
  expect(found).toEqual([]);
  // The search can find: a masked value is there.
  const [first] = world.state.authorisations.filter(({ id }) => world.happened.revoked.some((gone) => gone.id === id));
  expect(Object.values(haystacks).some((text) => text.includes(first!.token.slice(0, 8)))).toBe(true);
});
