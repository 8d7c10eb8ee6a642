import { afterEach, beforeEach, describe, expect, test } from '../support/jest.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { createSignonActivities } from '../../activities/signon/create-activities.ts';
import type { SignonActivities } from '../../activities/signon/interface.ts';
import { revokeOnce } from '../../activities/signon/revoke-token.ts';
import { SignonSession, type Pages } from '../../activities/signon/session.ts';
import { Secret } from '../../config/secret.ts';
import type { Recipient } from '../../domain/settings/settings.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import { toTheMiddleOfAStep } from '../contract/signon/visitor.ts';
import { until } from '../support/until.ts';

const WANTED = { apiUser: 'short-url-manager@alphagov.co.uk', application: 'publishing-api' };
const soon = (): string => new Date(Date.now() + 60_000).toISOString();
let sandbox: Sandbox;
let settled: string[];
/** How far the worker's clock runs ahead of Signon's. */
let aheadMs: number;
beforeEach(async () => {
  sandbox = await Sandbox.start(seedWorld({ only: ['short-url-manager'] }), IMMEDIATE);
  settled = [];
  aheadMs = 0;
});
afterEach(() => sandbox.stop());

/** The activities of one worker, with a budget that keeps what sign-ins came to. */
function worker(recipients: Recipient[] = [], draining?: AbortSignal): SignonActivities {
  return both(recipients, draining).signon;
}

/** These and the session that they share. */
function both(
  recipients: Recipient[] = [],
  draining?: AbortSignal,
): { signon: SignonActivities; session: SignonSession } {
  const { account } = sandbox.world.state;
  const session = new SignonSession(
    {
      SIGNON_URL: sandbox.urls.signon,
      SIGNON_EMAIL: account.email,
      SIGNON_PASSWORD: new Secret(account.password),
      SIGNON_TOTP_SECRET: new Secret(account.totpSecret),
      settings: { answerLimit: '1 second' },
    },
    {
      reserve: () => Promise.resolve((outcome) => Promise.resolve(void settled.push(outcome))),
    },
    () => sandbox.world.now() + aheadMs,
  );
  return { signon: createSignonActivities(session, recipients, draining), session };
}

const run = <T>(act: () => Promise<T>, environment = new MockActivityEnvironment()): Promise<T> =>
  environment.run(act);

test('grants nothing anew to a pair whose tokens were all revoked since the rotation began', async () => {
  const signon = worker();
  const pair = await run(() => signon.findPair(WANTED));
  const before = (await run(() => signon.listTokens(pair))).map(
    ({ authorisationId }) => authorisationId,
  );
  for (const id of before) sandbox.world.revoke(id);
  await expect(run(() => signon.createToken({ pair, before }))).rejects.toMatchObject({
    type: 'AccessEnded',
    nonRetryable: true,
  });
  expect(sandbox.world.happened.created).toEqual([]);
});

test('issues nothing for an API user whose id has become somebody else’s', async () => {
  const signon = worker();
  const pair = await run(() => signon.findPair(WANTED));
  const before = (await run(() => signon.listTokens(pair))).map(
    ({ authorisationId }) => authorisationId,
  );
  sandbox.world.state.apiUsers.find(({ id }) => id === pair.apiUser.id)!.email =
    'other@alphagov.co.uk';
  await expect(run(() => signon.createToken({ pair, before }))).rejects.toMatchObject({
    type: 'PairChanged',
  });
  expect(sandbox.world.happened.created).toEqual([]);
});

test('a revoke that was given up while it waited its turn is never sent', async () => {
  const signon = worker();
  const pair = await run(() => signon.findPair(WANTED));
  const [token] = await run(() => signon.listTokens(pair));
  sandbox.signon.faults.add({ path: /manage_tokens$/, when: 'before', kind: 'late', ms: 300 });
  const ahead = run(() => signon.listTokens(pair));
  const environment = new MockActivityEnvironment();
  const revoking = run(
    () => signon.revokeToken({ pair, token: token!, notAfter: soon() }),
    environment,
  );
  environment.cancel();
  await expect(revoking).rejects.toThrow('CANCELLED');
  await ahead;
  expect(sandbox.world.happened.revoked).toEqual([]);
});

test.each([
  [1, ['not sent']],
  [2, undefined],
])(
  'a revoke whose look is too old is not sent, and attempt %i says so for certain: %j',
  async (attempt, details) => {
    const signon = worker();
    const pair = await run(() => signon.findPair(WANTED));
    const [token] = await run(() => signon.listTokens(pair));
    const notAfter = new Date(Date.now() - 1).toISOString();
    const environment = new MockActivityEnvironment({ attempt });
    const revoked = environment.run(() => signon.revokeToken({ pair, token: token!, notAfter }));
    await expect(revoked).rejects.toMatchObject({ type: 'LookTooOld', details });
    expect(sandbox.world.happened.revoked).toEqual([]);
  },
);

test.each(['masked', 'expires'] as const)(
  'a token that differs from the approved one in “%s” is not revoked',
  async (what) => {
    const signon = worker();
    const pair = await run(() => signon.findPair(WANTED));
    const [token] = await run(() => signon.listTokens(pair));
    const approved = { ...token!, [what]: what === 'masked' ? 'AAAAAAAA…BBBBBBBB' : '2031-01-01' };
    await expect(
      run(() => signon.revokeToken({ pair, token: approved, notAfter: soon() })),
    ).rejects.toMatchObject({
      type: 'NotTheApprovedToken',
      nonRetryable: true,
    });
    expect(sandbox.world.happened.revoked).toEqual([]);
  },
);

describe('what is quoted of a page is redacted', () => {
  const SECRET = 'Zx8k2-_Qw7Lm3Np9Rt5Yv1Bc4Df6Gh0Jk2Lm4Np6Qr8';

  test('the heading of a revoke page that is not the one expected', async () => {
    const { signon, session } = both();
    const pair = await run(() => signon.findPair(WANTED));
    const [token] = await run(() => signon.listTokens(pair));
    const revoking = run(() =>
      session.alone((pages) => {
        const open: Pages['open'] = async (path) => {
          const page = await pages.open(path);
          return {
            ...page,
            body: page.body.replaceAll('Revoke token giving', `Revoke ${SECRET} giving`),
          };
        };
        return revokeOnce({ ...pages, open }, { pair, token: token!, notAfter: soon() });
      }),
    );
    const message = await revoking.catch((error: Error) => error.message);
    expect(message).toMatch(
      /expected “Revoke token giving .*”, Signon shows “Revoke \[redacted\] giving .*”/,
    );
    expect(sandbox.world.happened.revoked).toEqual([]);
  });

  test('the name of an API user that has become another', async () => {
    const signon = worker();
    const pair = await run(() => signon.findPair(WANTED));
    sandbox.world.state.apiUsers.find(({ id }) => id === pair.apiUser.id)!.name = SECRET;
    const message = await run(() => signon.listTokens(pair)).catch((error: Error) => error.message);
    expect(message).toMatch(/and is now “\[redacted\]”/);
  });
});

test('a token that is gone counts as revoked only while its application is still on offer', async () => {
  const signon = worker();
  const pair = await run(() => signon.findPair(WANTED));
  const [token] = await run(() => signon.listTokens(pair));
  sandbox.world.state.applications.find(({ id }) => id === pair.application.id)!.retired = true;
  await expect(
    run(() => signon.revokeToken({ pair, token: token!, notAfter: soon() })),
  ).rejects.toMatchObject({
    type: 'CannotTell',
  });
});

test('a list without any token of the pair is believed only while its application is on offer', async () => {
  const signon = worker();
  const pair = await run(() => signon.findPair(WANTED));
  for (const { authorisationId } of await run(() => signon.listTokens(pair)))
    sandbox.world.revoke(authorisationId);
  expect(await run(() => signon.listTokens(pair))).toEqual([]);
  const application = sandbox.world.state.applications.find(
    ({ id }) => id === pair.application.id,
  )!;
  application.name = 'Publishing API (old)';
  await expect(run(() => signon.listTokens(pair))).rejects.toMatchObject({
    type: 'CannotTell',
    nonRetryable: true,
  });
  application.name = pair.application.name;
  application.retired = true;
  await expect(run(() => signon.listTokens(pair))).rejects.toMatchObject({
    type: 'CannotTell',
    message: 'no token of the pair is listed, and Publishing API is no longer on offer',
  });
});

test('an API user that is no longer there is another pair, not a page that changed', async () => {
  const signon = worker();
  const pair = await run(() => signon.findPair(WANTED));
  const { state } = sandbox.world;
  state.apiUsers = state.apiUsers.filter(({ id }) => id !== pair.apiUser.id);
  await expect(run(() => signon.listTokens(pair))).rejects.toMatchObject({
    type: 'PairChanged',
    nonRetryable: true,
  });
});

test('a Secret is another pair’s only where Signon lists a token that the sync would write to it', async () => {
  const secret = 'signon-token-short-url-manager-publishing-api';
  // another worker each: API users are read again after a while alone
  const known = (): Promise<string[]> => run(() => worker().secretsOfPairs([secret]));
  expect(await known()).toEqual([secret]);
  const { state } = sandbox.world;
  const user = state.apiUsers.find(({ email }) => email === WANTED.apiUser)!;
  user.suspended = true;
  expect(await known()).toEqual([]);
  user.suspended = false;
  state.authorisations = state.authorisations.filter(({ apiUserId }) => apiUserId !== user.id);
  expect(await known()).toEqual([]);
});

test('an error page instead of an answer to the password is no refusal, and does not count', async () => {
  const signon = worker();
  sandbox.signon.faults.add({
    method: 'POST',
    path: /sign_in$/,
    when: 'before',
    kind: 'status',
    status: 503,
  });
  await expect(run(() => signon.findPair(WANTED))).rejects.toMatchObject({ type: 'Unreachable' });
  expect(settled).toEqual(['no-effect']);
  expect(await run(() => signon.findPair(WANTED))).toMatchObject({
    secret: 'signon-token-short-url-manager-publishing-api',
  });
  expect(settled).toEqual(['no-effect', 'accepted']);
});

test('a Signon that does not know the host it is called by says to check it, and no password is sent', async () => {
  const signon = worker();
  sandbox.signon.faults.add({ path: /sign_in$/, when: 'before', kind: 'status', status: 403 });
  await expect(run(() => signon.findPair(WANTED))).rejects.toMatchObject({
    type: 'NotPermitted',
    message: expect.stringContaining('check SIGNON_URL'),
  });
  expect(settled).toEqual([]);
});

test('a lost answer to the password may have been a refusal, and counts', async () => {
  const signon = worker();
  sandbox.signon.faults.add({ method: 'POST', path: /sign_in$/, when: 'after', kind: 'cut' });
  await expect(run(() => signon.findPair(WANTED))).rejects.toMatchObject({ type: 'Unreachable' });
  expect(settled).toEqual([]);
});

test.each([
  ['an error page', 502, 'Unreachable'],
  ['a page without the form', 200, 'ContractChanged'],
])(
  '%s after Signon judged the password may hide a refusal, and counts',
  async (_what, status, type) => {
    const right = sandbox.world.state.account.password;
    sandbox.world.state.account.password = 'another';
    const signon = createWorkerWith(right);
    sandbox.signon.faults.add({
      method: 'POST',
      path: /sign_in$/,
      when: 'after',
      kind: 'status',
      status,
    });
    await expect(run(() => signon.findPair(WANTED))).rejects.toMatchObject({ type });
    expect(sandbox.world.happened.refusedSignIns).toHaveLength(1);
    expect(settled).toEqual([]);
  },
);

test('a refused password is not tried again by that worker', async () => {
  const right = sandbox.world.state.account.password;
  sandbox.world.state.account.password = 'another';
  const signon = createWorkerWith(right);
  for (let tries = 0; tries < 3; tries++)
    await expect(run(() => signon.findPair(WANTED))).rejects.toMatchObject({
      type: 'SignInRefused',
      nonRetryable: true,
    });
  expect(sandbox.world.happened.refusedSignIns).toHaveLength(1);
  expect(settled).toEqual(['refused']);
});

test('a clock that runs half a minute ahead signs in with the code of the step before', async () => {
  const { world } = sandbox;
  toTheMiddleOfAStep(sandbox);
  aheadMs = 30_000;
  const signon = worker();
  await run(() => signon.findPair(WANTED));
  expect(world.happened.refusedSignIns.map(({ what }) => what)).toEqual(['code']);
  expect(settled).toEqual(['accepted']);
});

function createWorkerWith(password: string): SignonActivities {
  const { account } = sandbox.world.state;
  const kept = account.password;
  account.password = password;
  const made = worker();
  account.password = kept;
  return made;
}

test('two pairs that both have tokens and come to one Secret’s name are refused, both named', async () => {
  const { world } = sandbox;
  const pair = await run(() => worker().findPair(WANTED));
  const application = { id: 9001, name: 'API', retired: false };
  const namesake = {
    id: 9001,
    name: 'Short URL Manager Publishing',
    email: 'namesake@alphagov.co.uk',
    suspended: false,
  };
  world.state.applications.push(application);
  world.state.apiUsers.push(namesake);
  // nothing is written for a pair without a token
  expect(await run(() => worker().findPair(WANTED))).toEqual(pair);
  world.issue(namesake.id, application.id);
  await expect(run(() => worker().findPair(WANTED))).rejects.toMatchObject({
    type: 'SecretNameShared',
    nonRetryable: true,
    message:
      'the tokens of “Short URL Manager” (short-url-manager@alphagov.co.uk) for “Publishing API” and of “Short URL Manager Publishing” (namesake@alphagov.co.uk) for “API” are written to one Secret, signon-token-short-url-manager-publishing-api',
  });
});

test('no token is encrypted to a key that the settings no longer name, and none is issued for it', async () => {
  const { world } = sandbox;
  const pair = await run(() => worker().findPair(WANTED));
  const before = (await run(() => worker().listTokens(pair))).map(
    ({ authorisationId }) => authorisationId,
  );
  const recipient = {
    name: 'HMRC',
    apiUser: pair.apiUser.email,
    key: await aKey(),
    alsoInCluster: false,
  };
  for (const other of [{ key: await aKey() }, { apiUser: 'other@example.org' }, { name: 'DWP' }]) {
    const named = [{ ...recipient, ...other }];
    await expect(
      run(() => worker(named).createToken({ pair, before, recipient })),
    ).rejects.toMatchObject({
      type: 'UnknownRecipient',
    });
  }
  expect(world.happened.created).toEqual([]);
  const made = await run(() => worker([recipient]).createToken({ pair, before, recipient }));
  expect(made.armoured).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----/);
  expect(JSON.stringify(made)).not.toContain(world.state.authorisations.at(-1)!.token);
});

async function aKey(): Promise<string> {
  return identityToRecipient(await generateIdentity());
}

test('API users are listed once for many rotations that begin within a minute, and again for one that is not among them', async () => {
  const signon = worker();
  const { apiUsers } = sandbox.world.state;
  await run(() => signon.findPair(WANTED));
  const before = sandbox.world.happened.requests.signon;
  await Promise.all(Array.from({ length: 10 }, () => run(() => signon.findPair(WANTED))));
  expect(sandbox.world.happened.requests.signon - before).toBe(10); // one page each, of their own
  apiUsers.push({
    id: 4711,
    name: 'Late Comer',
    email: 'late-comer@alphagov.co.uk',
    suspended: false,
  });
  expect(
    await run(() => signon.findPair({ ...WANTED, apiUser: 'late-comer@alphagov.co.uk' })),
  ).toMatchObject({
    apiUser: { id: 4711, name: 'Late Comer' },
  });
  await expect(
    run(() => signon.findPair({ ...WANTED, apiUser: 'nobody@alphagov.co.uk' })),
  ).rejects.toMatchObject({
    type: 'UnknownApiUser',
    message: expect.not.stringContaining('Did you mean'),
  });
});

test.each([
  [
    { apiUser: 'short-url-manger@alphagov.co.uk' },
    'UnknownApiUser',
    'short-url-manager@alphagov.co.uk',
  ],
  [{ application: 'publishing-ap' }, 'UnknownApplication', 'publishing-api'],
])('a typo is answered with the name it is nearest to: %j', async (typo, type, meant) => {
  await expect(run(() => worker().findPair({ ...WANTED, ...typo }))).rejects.toMatchObject({
    type,
    message: expect.stringMatching(new RegExp(`\\. Did you mean ${meant}\\?$`)),
  });
});

describe('the tokens of all API users', () => {
  const pause = '0 ms' as const;

  test('are read page by page, each pair with its own', async () => {
    const signon = worker();
    const { apiUsers, applications, authorisations } = sandbox.world.state;
    const pairs = await run(() => signon.listPairs({ pause }));
    const listed = pairs.flatMap(({ apiUser, application, tokens }) =>
      tokens.map(({ authorisationId }) => `${authorisationId} ${apiUser.email} ${application}`),
    );
    const issued = authorisations.map(({ id, apiUserId, applicationId }) => {
      const user = apiUsers.find((one) => one.id === apiUserId)!;
      return `${id} ${user.email} ${applications.find((one) => one.id === applicationId)!.name}`;
    });
    expect(listed.toSorted()).toEqual(issued.toSorted());
    expect(sandbox.world.happened.requests.signon).toBe(5 + 1 + apiUsers.length);
  });

  test('are read on, by a second attempt, from where the first was', async () => {
    const signon = worker();
    const kept: unknown[] = [];
    const first = new MockActivityEnvironment();
    first.on('heartbeat', (details: unknown) => kept.push(details));
    // signs in
    await run(() => signon.listTokens({ apiUser: { id: 1 } } as never)).catch(() => undefined);
    sandbox.signon.faults.add({
      path: /\/5\/manage_tokens$/,
      when: 'before',
      kind: 'status',
      status: 503,
      times: 9,
    });
    await expect(run(() => signon.listPairs({ pause }), first)).rejects.toMatchObject({
      type: 'Unreachable',
    });
    sandbox.signon.faults.clear();
    const before = sandbox.world.happened.requests.signon;
    const second = new MockActivityEnvironment({ attempt: 2, heartbeatDetails: kept.at(-1) });
    const pairs = await run(() => signon.listPairs({ pause }), second);
    expect(sandbox.world.happened.requests.signon - before).toBe(
      1 + sandbox.world.state.apiUsers.length - 4,
    );
    expect(pairs).toEqual(await run(() => worker().listPairs({ pause })));
  });

  test('gives way at once when the worker shuts down, however long the pause between two pages', async () => {
    const draining = new AbortController();
    const signon = worker([], draining.signal);
    const reading = run(() => signon.listPairs({ pause: '10 minutes' }));
    await until('the first page', () => sandbox.world.happened.requests.signon > 5 + 1);
    draining.abort();
    await expect(reading).rejects.toMatchObject({ type: 'WaitInterrupted' });
  });
});

describe('where the load balancer answers 429 with a Retry-After', () => {
  const throttle = (
    method: 'GET' | 'POST',
    path: RegExp,
    headers: Record<string, string> = { 'Retry-After': '30' },
  ): void =>
    sandbox.signon.faults.add({
      method,
      path,
      when: 'before',
      kind: 'status',
      status: 429,
      headers,
    });
  const delayOf = (act: () => Promise<unknown>): Promise<unknown> =>
    run(act).then(
      () => 'no failure',
      (error: unknown) => error,
    );

  test('a page is asked for again after that time, and nothing is sent before', async () => {
    const signon = worker();
    const pair = await run(() => signon.findPair(WANTED));
    throttle('GET', /manage_tokens$/);
    const { requests } = sandbox.world.happened;
    expect(await delayOf(() => signon.listTokens(pair))).toMatchObject({
      type: 'Throttled',
      nonRetryable: false,
      nextRetryDelay: 30_000,
      message: expect.stringMatching(/429, so it had no effect; retried in 30 s$/),
    });
    const before = requests.signon;
    expect(await delayOf(() => signon.listTokens(pair))).toMatchObject({
      type: 'Throttled',
      message: expect.stringMatching(/was not sent: .*asked to wait; retried in (30|29) s$/),
    });
    expect(requests.signon).toBe(before);
  });

  test('a create had no effect: it is no lost answer, and is tried again after that time', async () => {
    const signon = worker();
    const pair = await run(() => signon.findPair(WANTED));
    const before = (await run(() => signon.listTokens(pair))).map(
      ({ authorisationId }) => authorisationId,
    );
    throttle('POST', /authorisations$/);
    expect(await delayOf(() => signon.createToken({ pair, before }))).toMatchObject({
      type: 'Throttled',
      nextRetryDelay: 30_000,
    });
    expect(sandbox.world.happened.created).toEqual([]);
  });

  test('a page that cannot be loaded after a create is a lost answer still', async () => {
    const signon = worker();
    const pair = await run(() => signon.findPair(WANTED));
    const before = (await run(() => signon.listTokens(pair))).map(
      ({ authorisationId }) => authorisationId,
    );
    let posted = false;
    sandbox.signon.faults.byChance = ({ method, path }) => {
      if (method === 'POST' && path.endsWith('/authorisations')) posted = true;
      return posted && method === 'GET' ? { kind: 'status', status: 429 } : undefined;
    };
    expect(await delayOf(() => signon.createToken({ pair, before }))).toMatchObject({
      type: 'CreateAnswerLost',
    });
    expect(sandbox.world.happened.created).toHaveLength(1);
  });

  test('a password or a code that was not taken counts as no refusal', async () => {
    for (const path of [/users\/sign_in$/, /two_step_verification_session$/]) {
      throttle('POST', path, { 'Retry-After': '0' });
      expect(await delayOf(() => worker().findPair(WANTED))).toMatchObject({ type: 'Throttled' });
      expect(settled).toEqual(['no-effect']);
      settled.splice(0);
      toTheMiddleOfAStep(sandbox);
    }
  });

  test.each([
    ['120', 120_000],
    ['86400', 600_000],
    ['soon', 30_000],
    [undefined, 30_000],
  ])('a Retry-After of %p makes it wait %i ms', async (said, wait) => {
    const signon = worker();
    const pair = await run(() => signon.findPair(WANTED));
    throttle('GET', /manage_tokens$/, said === undefined ? {} : { 'Retry-After': said });
    expect(await delayOf(() => signon.listTokens(pair))).toMatchObject({ nextRetryDelay: wait });
  });
});
