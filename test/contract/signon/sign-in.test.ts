import { describe, expect } from '../../support/jest.ts';
import { load } from 'cheerio';
import { pass, standInTest, useSystems } from '../systems.ts';
import {
  alertOf,
  codeOf,
  SECOND_STEP,
  sendCode,
  sendPassword,
  SIGN_IN,
  signedIn,
  toTheMiddleOfAStep,
  Visitor,
  withPassword,
} from './visitor.ts';

const systems = useSystems();
const visit = (): Visitor => new Visitor(systems.sandbox.urls.signon);
const REFUSED = /^Invalid email or password\./;
const wrong = { password: 'not the password' };

async function failSixTimes(): Promise<void> {
  for (let time = 0; time < 6; time++) await sendPassword(visit(), systems.sandbox, wrong);
}

describe('e-mail and password', () => {
  standInTest('are followed by a 302 to /, which leads to the second step', async () => {
    const visitor = visit();
    const answer = await sendPassword(visitor, systems.sandbox);
    expect(answer).toMatchObject({ status: 302, location: `${visitor.origin}/` });
    expect(await visitor.follow(answer)).toMatchObject({
      status: 302,
      location: `${visitor.origin}${SECOND_STEP}/new`,
    });
  });

  standInTest('lead to the page asked for before', async () => {
    const visitor = visit();
    await visitor.get('/api_users/1/edit');
    const answer = await sendPassword(visitor, systems.sandbox);
    expect(answer.location).toBe(`${visitor.origin}/api_users/1/edit`);
  });

  standInTest(
    'that are wrong, unknown or of a locked account get the form again with one and the same alert',
    async () => {
      const answers = [
        await sendPassword(visit(), systems.sandbox, wrong),
        await sendPassword(visit(), systems.sandbox, { email: 'nobody@example.org' }),
      ];
      await failSixTimes();
      answers.push(await sendPassword(visit(), systems.sandbox));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(alertOf(answers[0]!)).toMatch(REFUSED);
      expect(new Set(answers.map(alertOf)).size).toBe(1);
      for (const { body } of answers)
        expect(load(body)(`form[action="${SIGN_IN}"]`)).toHaveLength(1);
    },
  );

  standInTest(
    'wrong six times lock the account for an hour and end its live sessions',
    async () => {
      const before = await signedIn(systems.sandbox);
      for (let time = 0; time < 5; time++) await sendPassword(visit(), systems.sandbox, wrong);
      expect((await before.get('/api_users')).status).toBe(200);
      await sendPassword(visit(), systems.sandbox, wrong);
      expect((await before.get('/api_users')).location).toBe(before.origin + SIGN_IN);
      pass(systems.sandbox, '59 minutes');
      expect((await sendPassword(visit(), systems.sandbox)).status).toBe(200);
      pass(systems.sandbox, '2 minutes');
      expect((await sendPassword(visit(), systems.sandbox)).status).toBe(302);
    },
  );

  standInTest(
    'right but of a suspended account say so after a 302 to the sign-in page',
    async () => {
      systems.sandbox.world.state.account.suspended = true;
      const visitor = visit();
      const answer = await sendPassword(visitor, systems.sandbox);
      expect(answer).toMatchObject({ status: 302, location: visitor.origin + SIGN_IN });
      expect(alertOf(await visitor.follow(answer))).toMatch(/^Your account has been suspended\./);
    },
  );
});

describe('the code', () => {
  standInTest('of the current step is accepted', async () => {
    const visitor = await withPassword(systems.sandbox);
    const answer = await sendCode(visitor, codeOf(systems.sandbox));
    expect(answer.status).toBe(302);
    expect((await visitor.follow(answer)).status).toBe(200);
  });

  standInTest('of the step before is accepted', async () => {
    const visitor = await withPassword(systems.sandbox);
    toTheMiddleOfAStep(systems.sandbox);
    const code = codeOf(systems.sandbox);
    pass(systems.sandbox, '30 seconds');
    expect((await sendCode(visitor, code)).status).toBe(302);
    expect((await visitor.get('/api_users')).status).toBe(200);
  });

  standInTest('of two steps before, or of the next step, is not', async () => {
    for (const steps of [-2, 1]) {
      const visitor = await withPassword(systems.sandbox);
      toTheMiddleOfAStep(systems.sandbox);
      const answer = await sendCode(visitor, codeOf(systems.sandbox, steps));
      expect(answer.status).toBe(200);
      expect(alertOf(answer)).toBe('Sorry, that code didn’t work.');
      expect((await visitor.get('/api_users')).status).toBe(302);
    }
  });

  standInTest('may be used again while it is valid', async () => {
    const code = codeOf(systems.sandbox);
    for (let time = 0; time < 2; time++)
      expect((await sendCode(await withPassword(systems.sandbox), code)).status).toBe(302);
  });

  standInTest('brings a cookie with which sign-in asks no second step for 30 days', async () => {
    const { sandbox } = systems;
    const remembered = (await signedIn(sandbox)).cookies.get('remember_2sv_session')!;
    const visitor = (): Visitor => {
      const fresh = visit();
      fresh.cookies.set('remember_2sv_session', remembered);
      return fresh;
    };
    pass(sandbox, '29 days');
    expect((await (await withPassword(sandbox, visitor())).get('/api_users')).status).toBe(200);
    pass(sandbox, '2 days');
    expect((await (await withPassword(sandbox, visitor())).get('/api_users')).location).toMatch(
      SECOND_STEP,
    );
  });

  standInTest('wrong ten times in a row locks the account for an hour', async () => {
    const { sandbox } = systems;
    const visitor = await withPassword(sandbox);
    const answers = [];
    for (let time = 0; time < 10; time++) answers.push(await sendCode(visitor, 'wrong'));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const titles = answers.map(({ body }) => load(body)('h1').text());
    expect(titles.slice(0, 9)).not.toContain('Account locked');
    expect(titles[9]).toBe('Account locked');
    expect(alertOf(await sendPassword(visit(), sandbox))).toMatch(REFUSED);
    pass(sandbox, '61 minutes');
    expect((await sendPassword(visit(), sandbox)).status).toBe(302);
  });

  standInTest('that is not sent at all is a 500', async () => {
    const visitor = await withPassword(systems.sandbox);
    expect(await visitor.submit(`${SECOND_STEP}/new`, SECOND_STEP)).toMatchObject({
      status: 500,
      body: '',
    });
  });

  standInTest('that was never set up makes every page lead to the prompt', async () => {
    systems.sandbox.world.state.account.secondStepMissing = true;
    const visitor = await withPassword(systems.sandbox);
    for (const page of ['/', '/api_users', '/api_users/1/manage_tokens'])
      expect((await visitor.get(page)).location).toBe(
        `${visitor.origin}/account/two_step_verification/prompt`,
      );
  });
});
