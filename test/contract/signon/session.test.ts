import { describe, expect } from '../../support/jest.ts';
import { pass, standInTest, useSystems } from '../systems.ts';
import { openPage } from './open.ts';
import { alertOf, formToken, sendPassword, SIGN_IN, signedIn, Visitor } from './visitor.ts';

const systems = useSystems();
const NO_RIGHT = 'You do not have permission to perform this action.';
const path = '/api_users/1/authorisations';

describe('a session', () => {
  standInTest('lasts as long as it is used at least every 30 minutes', async () => {
    const visitor = await signedIn(systems.sandbox);
    for (let time = 0; time < 5; time++) {
      pass(systems.sandbox, '29 minutes');
      expect((await visitor.get('/api_users')).status).toBe(200);
    }
  });

  standInTest(
    'idle for 30 minutes answers a GET with a 302 to itself, then to sign-in, saying why',
    async () => {
      const visitor = await signedIn(systems.sandbox);
      pass(systems.sandbox, '31 minutes');
      const first = await visitor.get('/api_users');
      expect(first).toMatchObject({ status: 302, location: `${visitor.origin}/api_users` });
      const second = await visitor.follow(first);
      expect(second).toMatchObject({ status: 302, location: visitor.origin + SIGN_IN });
      expect(alertOf(await visitor.follow(second))).toMatch(/^Your session expired/);
    },
  );

  standInTest(
    'idle for 30 minutes does not do what a POST asks, and leads to its Referer or to sign-in',
    async () => {
      for (const [headers, target] of [
        [{ Referer: `${systems.sandbox.urls.signon}${path}/new` }, `${path}/new`],
        [{}, SIGN_IN],
      ] as const) {
        const visitor = await signedIn(systems.sandbox);
        const token = formToken((await visitor.get(`${path}/new`)).body, path);
        pass(systems.sandbox, '31 minutes');
        const order = { authenticity_token: token, 'authorisation[application_id]': '1' };
        const answer = await visitor.post(path, order, headers);
        expect(answer).toMatchObject({ status: 302, location: visitor.origin + target });
      }
      expect(systems.sandbox.world.happened.created).toEqual([]);
    },
  );

  standInTest('ended by others’ wrong passwords leads to sign-in without a message', async () => {
    const { sandbox } = systems;
    const visitor = await signedIn(sandbox);
    for (let time = 0; time < 6; time++)
      await sendPassword(new Visitor(visitor.origin), sandbox, { password: 'not the password' });
    const answer = await visitor.get('/api_users');
    expect(answer).toMatchObject({ status: 302, location: visitor.origin + SIGN_IN });
    expect(alertOf(await visitor.follow(answer))).toBe('');
  });

  standInTest('may be one of several at once', async () => {
    const [one, other] = [await signedIn(systems.sandbox), await signedIn(systems.sandbox)];
    expect((await one.get('/api_users')).status).toBe(200);
    expect((await other.get('/api_users')).status).toBe(200);
  });

  standInTest(
    'of somebody who is no superadmin meets a 302 to /, and the alert only there',
    async () => {
      systems.sandbox.world.state.account.superadmin = false;
      const visitor = await signedIn(systems.sandbox);
      const answer = await visitor.get('/api_users');
      expect(answer).toMatchObject({ status: 302, location: `${visitor.origin}/`, body: '' });
      expect(alertOf(await visitor.follow(answer))).toBe(NO_RIGHT);
      expect(alertOf(await visitor.get('/'))).toBe('');
    },
  );
});

describe('our session', () => {
  const open = async (page: string): Promise<string> => (await openPage(systems.signon, page)).body;

  standInTest('signs in when first needed, and once', async () => {
    expect(systems.sandbox.world.happened.signIns).toBe(0);
    await Promise.all([open('/api_users'), open('/api_users/1/edit'), open('/api_users')]);
    expect(systems.sandbox.world.happened.signIns).toBe(1);
  });

  standInTest(
    'signs in anew when it was idle for too long, and asks for the page again',
    async () => {
      await open('/api_users');
      pass(systems.sandbox, '31 minutes');
      expect(await open('/api_users/1/edit')).toContain('/api_users/1/manage_tokens');
      expect(systems.sandbox.world.happened).toMatchObject({ signIns: 2, refusedSignIns: [] });
    },
  );

  standInTest('signs in anew when it was ended', async () => {
    await open('/api_users');
    systems.sandbox.world.state.account.sessionEpoch++;
    expect(await open('/api_users/1/edit')).toContain('/api_users/1/manage_tokens');
    expect(systems.sandbox.world.happened.signIns).toBe(2);
  });

  standInTest('never tries a refused password again', async () => {
    const { account } = systems.sandbox.world.state;
    const right = account.password;
    account.password = 'changed meanwhile';
    await expect(open('/api_users')).rejects.toMatchObject({
      type: 'SignInRefused',
      nonRetryable: true,
    });
    account.password = right;
    await expect(open('/api_users')).rejects.toMatchObject({
      type: 'SignInRefused',
      nonRetryable: true,
    });
    expect(systems.sandbox.world.happened).toMatchObject({
      signIns: 0,
      refusedSignIns: [{ what: 'password' }],
    });
  });

  standInTest('takes a suspended account’s 302 for the refusal it is', async () => {
    systems.sandbox.world.state.account.suspended = true;
    await expect(open('/api_users')).rejects.toMatchObject({
      type: 'SignInRefused',
      message: expect.stringContaining('suspended'),
    });
  });

  standInTest('says that a second step is not set up', async () => {
    systems.sandbox.world.state.account.secondStepMissing = true;
    await expect(open('/api_users')).rejects.toMatchObject({
      type: 'SignInRefused',
      message: expect.stringContaining('not set up'),
    });
  });

  standInTest('says what Signon says to somebody who is no superadmin', async () => {
    systems.sandbox.world.state.account.superadmin = false;
    await expect(open('/api_users')).rejects.toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining(NO_RIGHT),
    });
  });
});
