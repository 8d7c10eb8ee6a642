import { describe, expect } from '../../support/jest.ts';
import { readOnlyTest, standInTest, useSystems } from '../systems.ts';
import {
  codeOf,
  formToken,
  metaToken,
  SECOND_STEP,
  sendCode,
  sendPassword,
  SIGN_IN,
  signedIn,
  Visitor,
  withPassword,
} from './visitor.ts';

const systems = useSystems();
const visit = (): Visitor => new Visitor(systems.configuration.SIGNON_URL);
const NOBODYS = '/api_users/0/authorisations';

describe('the cookie', () => {
  readOnlyTest('every page sets the session cookie anew', async () => {
    const visitor = visit();
    const first = await visitor.get(SIGN_IN);
    const second = await visitor.get(SIGN_IN);
    expect(first.cookie).toBeDefined();
    expect(second.cookie).toBeDefined();
    expect(second.cookie).not.toBe(first.cookie);
  });

  readOnlyTest('a redirect sets it too, is a 302 and names an absolute address', async () => {
    const answer = await visit().get('/api_users');
    expect(answer).toMatchObject({
      status: 302,
      location: systems.configuration.SIGNON_URL + SIGN_IN,
    });
    expect(answer.cookie).toBeDefined();
  });

  standInTest('an empty 404, 422 or 500 does not set it', async () => {
    const visitor = await signedIn(systems.sandbox);
    const { body } = await visitor.get('/api_users/1/authorisations/new');
    const token = metaToken(body);
    const answers = [
      await visitor.get('/api_users/999999/edit'),
      await visitor.post('/api_users/1/authorisations', {}),
      await visitor.post('/api_users/1/authorisations', { authenticity_token: token }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 422, 500]);
    expect(answers.map((answer) => answer.body)).toEqual(['', '', '']);
    expect(answers.map(({ cookie }) => cookie)).toEqual([undefined, undefined, undefined]);
  });
});

describe('the authenticity token', () => {
  readOnlyTest(
    'a POST without it, or with a wrong one, is a 422 with an empty body before any check of who you are',
    async () => {
      const visitor = visit();
      await visitor.get(SIGN_IN);
      expect(await visitor.post(NOBODYS, {})).toMatchObject({ status: 422, body: '' });
      expect(await visitor.post(NOBODYS, { authenticity_token: 'x'.repeat(88) })).toMatchObject({
        status: 422,
        body: '',
      });
    },
  );

  readOnlyTest('a foreign Origin is a 422 though the token is right', async () => {
    const visitor = visit();
    const { body } = await visitor.get(SIGN_IN);
    const fields = { authenticity_token: metaToken(body) };
    const foreign = await visitor.post(NOBODYS, fields, { Origin: 'https://elsewhere.example' });
    expect(foreign).toMatchObject({ status: 422, body: '' });
    const own = await visitor.post(NOBODYS, fields);
    expect(own).toMatchObject({
      status: 302,
      location: systems.configuration.SIGNON_URL + SIGN_IN,
    });
  });

  standInTest('a form’s own token is valid for that form only, again and again', async () => {
    const visitor = await signedIn(systems.sandbox);
    const path = '/api_users/1/authorisations';
    const { body } = await visitor.get(`${path}/new`);
    const fields = {
      authenticity_token: formToken(body, path),
      'authorisation[application_id]': '1',
    };
    expect((await visitor.post(path, fields)).status).toBe(302);
    expect((await visitor.post(path, fields)).status).toBe(302);
    expect(await visitor.post('/api_users/2/authorisations', fields)).toMatchObject({
      status: 422,
      body: '',
    });
    expect(systems.sandbox.world.happened.created).toHaveLength(2);
  });

  standInTest('the page’s own token works for any POST, as a field or as a header', async () => {
    const visitor = await signedIn(systems.sandbox);
    const token = metaToken((await visitor.get('/api_users')).body);
    const order = { 'authorisation[application_id]': '1' };
    const path = '/api_users/1/authorisations';
    expect((await visitor.post(path, { authenticity_token: token, ...order })).status).toBe(302);
    expect((await visitor.post(path, order, { 'X-CSRF-Token': token })).status).toBe(302);
    expect(systems.sandbox.world.happened.created).toHaveLength(2);
  });

  standInTest('one from before sign-in is void', async () => {
    const visitor = visit();
    const token = metaToken((await visitor.get(SIGN_IN)).body);
    await sendPassword(visitor, systems.sandbox);
    const answer = await visitor.post(SECOND_STEP, {
      authenticity_token: token,
      code: codeOf(systems.sandbox),
    });
    expect(answer).toMatchObject({ status: 422, body: '' });
  });
});

describe('headers', () => {
  standInTest(
    'a bare Accept */* is a 500 while the second step is outstanding, and only then',
    async () => {
      const visitor = await withPassword(systems.sandbox);
      expect(await visitor.get('/api_users', { Accept: '*/*' })).toMatchObject({
        status: 500,
        body: '',
      });
      expect((await visitor.get('/api_users')).location).toBe(
        `${visitor.origin}${SECOND_STEP}/new`,
      );
      await sendCode(visitor, codeOf(systems.sandbox));
      expect((await visitor.get('/api_users', { Accept: '*/*' })).status).toBe(200);
    },
  );

  standInTest('asking for JSON is a 401, a 500 or a 406, as far as one is signed in', async () => {
    const json = { Accept: 'application/json' };
    expect((await visit().get('/api_users', json)).status).toBe(401);
    const visitor = await withPassword(systems.sandbox);
    expect((await visitor.get('/api_users', json)).status).toBe(500);
    await sendCode(visitor, codeOf(systems.sandbox));
    expect((await visitor.get('/api_users', json)).status).toBe(406);
  });

  standInTest('an empty User-Agent is a 422 at sign-in', async () => {
    const visitor = visit();
    const { account } = systems.sandbox.world.state;
    const fields = {
      authenticity_token: metaToken((await visitor.get(SIGN_IN)).body),
      'user[email]': account.email,
      'user[password]': account.password,
    };
    expect((await visitor.post(SIGN_IN, fields, { 'User-Agent': '' })).status).toBe(422);
    expect((await visitor.post(SIGN_IN, fields)).status).toBe(302);
  });
});

describe('the flash', () => {
  standInTest('is lost with the next request, even where that shows no page', async () => {
    const { sandbox } = systems;
    const visitor = await signedIn(sandbox);
    const path = '/api_users/1/authorisations';
    await visitor.submit(`${path}/new`, path, { 'authorisation[application_id]': '1' });
    sandbox.world.state.account.superadmin = false;
    expect((await visitor.get('/api_users')).status).toBe(302);
    sandbox.world.state.account.superadmin = true;
    const page = await visitor.get('/api_users/1/manage_tokens');
    expect(page.body).toContain('You do not have permission to perform this action.');
    expect(page.body).not.toContain('gem-c-copy-to-clipboard');
  });
});
