import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { findSecrets, whatTemporalKeeps } from '../support/secret-search.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set({ execs: 'processes' }, {}, {}, {});
});
afterAll(() => stage.strike());

test('no secret is in any history, in the server’s data file or in what a worker prints, byte by byte', async () => {
  const { world } = stage.sandbox;
  const cookies = new Set<string>();
  stage.sandbox.signon.onSetCookie = (value) => cookies.add(value);
  // Failures on the way, so that what they quote is looked at too.
  const unknown = 'q7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8Zx8k2-_Q';
  world.sync.fails = 1;
  world.sync.extraLog.push(`bearer_token: ${unknown}`, `Authorization: Bearer ${unknown}`);
  stage.sandbox.signon.faults.add({
    method: 'POST',
    path: /authorisations$/,
    when: 'after',
    kind: 'cut',
  });
  stage.sandbox.signon.faults.add({
    path: /manage_tokens$/,
    when: 'after',
    kind: 'status',
    status: 500,
  });
  stage.sandbox.argo.faults.add({
    path: /resource-tree$/,
    when: 'after',
    kind: 'status',
    status: 403,
  });
  stage.sandbox.kubernetes.faults.add({
    path: /pods$/,
    when: 'after',
    kind: 'status',
    status: 500,
  });
  stage.sandbox.kubernetes.exec.faults.push('node-down', 'false-success');

  const worker = stage.workerProcess({ LOG_LEVEL: 'DEBUG' });
  const rotation = await stage.rotation();
  await rotation.blocked('SyncJobFailed');
  await rotation.retry();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  await worker.stop();

  const haystacks = {
    'what the worker printed': worker.output,
    ...(await whatTemporalKeeps(stage)),
  };
  expect(Object.keys(haystacks).length).toBeGreaterThanOrEqual(3);

  const secrets = {
    ...Object.fromEntries(
      world.state.authorisations.map(({ id, token }) => [`token ${id}`, token]),
    ),
    'a token in a log': unknown,
    password: world.state.account.password,
    'TOTP secret': world.state.account.totpSecret,
    'Argo CD token': world.state.argoToken,
    'Kubernetes token': Object.keys(world.state.kubernetesTokens)[0]!,
    ...Object.fromEntries([...cookies].map((cookie, index) => [`cookie ${index}`, cookie])),
  };
  expect(cookies.size).toBeGreaterThan(5);
  expect(worker.output).toContain('RUNNING');
  expect(findSecrets(secrets, haystacks)).toEqual([]);
  // The search can find: a masked value is there.
  const [first] = world.state.authorisations.filter(({ id }) =>
    world.happened.revoked.some((gone) => gone.id === id),
  );
  expect(Object.values(haystacks).some((text) => text.includes(first!.token.slice(0, 8)))).toBe(
    true,
  );
});
