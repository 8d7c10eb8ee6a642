import { expect } from '../../support/jest.ts';
import { newSession, standInTest, useSystems } from '../systems.ts';
import { openPage } from './open.ts';
import { toTheMiddleOfAStep } from './visitor.ts';

const systems = useSystems();

standInTest(
  'a worker’s clock that runs a step ahead still signs in, with the code of the step before',
  async () => {
    const { sandbox, configuration } = systems;
    toTheMiddleOfAStep(sandbox);
    const session = newSession(configuration, () => sandbox.world.now() + 30_000);
    const page = await openPage(session, '/api_users');
    expect(page.status).toBe(200);
    expect(sandbox.world.happened.refusedSignIns).toEqual([
      expect.objectContaining({ what: 'code' }),
    ]);
  },
);

standInTest('a worker’s clock that runs a step behind signs in at once', async () => {
  const { sandbox, configuration } = systems;
  toTheMiddleOfAStep(sandbox);
  const session = newSession(configuration, () => sandbox.world.now() - 30_000);
  expect((await openPage(session, '/api_users')).status).toBe(200);
  expect(sandbox.world.happened.refusedSignIns).toEqual([]);
});

standInTest(
  'a code refused for good is not followed by more than the one of the step before',
  async () => {
    const { sandbox, configuration } = systems;
    toTheMiddleOfAStep(sandbox);
    const session = newSession(configuration, () => sandbox.world.now() + 300_000);
    for (let time = 0; time < 3; time++)
      await expect(openPage(session, '/api_users')).rejects.toMatchObject({
        type: 'SignInRefused',
      });
    expect(sandbox.world.happened.refusedSignIns.map(({ what }) => what)).toEqual(['code', 'code']);
  },
);

standInTest('a code that locks the account is the last one sent', async () => {
  const { sandbox, configuration } = systems;
  toTheMiddleOfAStep(sandbox);
  sandbox.world.state.account.wrongCodes = 9;
  const session = newSession(configuration, () => sandbox.world.now() + 300_000);
  await expect(openPage(session, '/api_users')).rejects.toMatchObject({ type: 'SignInRefused' });
  expect(sandbox.world.happened.refusedSignIns.map(({ what }) => what)).toEqual(['code']);
});
