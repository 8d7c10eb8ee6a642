import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());

test('a wrong password, four workers, three restarts each: at most three refused sign-ins, and no lock', async () => {
  const wrong = { SIGNON_PASSWORD: 'not the password' };
  const rotation = await stage.rotation();
  for (let restart = 0; restart < 3; restart++) {
    const workers = [1, 2, 3, 4].map(() => stage.workerProcess(wrong));
    const { message } = await until(
      'being blocked',
      async () => {
        const waiting = (await rotation.status())?.waiting;
        return waiting?.kind === 'blocked' ? waiting : undefined;
      },
      60_000,
    );
    expect(message).toMatch(/Invalid email or password|sign-ins were refused, or never answered/);
    for (let retry = 0; retry < 4; retry++) {
      await rotation.retry();
      await rotation.answered(/retrying/);
      await until('being blocked again', async () =>
        (await rotation.status())?.waiting ? true : undefined,
      );
    }
    await Promise.all(workers.map((worker) => worker.crash()));
  }
  const { refusedSignIns } = stage.sandbox.world.happened;
  expect(refusedSignIns.length).toBeGreaterThan(0);
  expect(refusedSignIns.length).toBeLessThanOrEqual(3);
  expect(stage.sandbox.world.state.account.lockedUntil).toBe(0);

  stage.workerProcess(); // the right password: what was refused leaves no room for an hour
  await rotation.retry();
  await rotation.blocked('SignInBudgetSpent');
  expect(stage.sandbox.world.happened.refusedSignIns.length).toBeLessThanOrEqual(3);
}, 600_000);
